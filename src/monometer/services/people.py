"""Usage by person: a customer is one, however many subjects it has; so is a subject without one."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from monometer.core.customer import Customer
from monometer.core.expression import Attribute, OneOf
from monometer.core.meter import Meter
from monometer.core.usage import UsageQuery, UsageRow
from monometer.services.owners import Owners
from monometer.services.usage import Usage

FEW_METERS = 5  # are asked one by one, without a look at which types there are


@dataclass(frozen=True, slots=True)
class CustomerUsage:
    """What a meter has counted for a customer, from its first event to its last."""

    meter: Meter
    customer: Customer
    row: UsageRow


@dataclass(frozen=True, slots=True)
class People:
    usage: Usage
    owners: Owners

    async def rows(self, query: UsageQuery) -> list[tuple[str, UsageRow]]:
        """The rows of the answer, each with the id of its customer, or else its subject.

        Raises InvalidInput for too many rows, Unavailable.
        """
        rows = await self.all_rows(replace(query, by_subject=True))
        subjects = {row.subject for row in rows if row.subject is not None}
        owners = await self.owners.customers.owners(query.namespace, subjects)
        people = {subject: owners.get(subject, subject) for subject in subjects}
        if max(Counter(people.values()).values(), default=0) > 1:
            by_person = replace(query, subjects=tuple(people), attribution=people)
            return [(row.customer or "", row) for row in await self.all_rows(by_person)]
        return [(people[row.subject or ""], row) for row in rows]

    async def all_rows(self, query: UsageQuery) -> list[UsageRow]:
        async with self.usage.rows(query) as batches:
            return [row async for batch in batches for row in batch]

    async def of_customers(
        self, meters: Collection[Meter], subjects: tuple[str, ...] | None
    ) -> list[CustomerUsage]:
        """A row for each meter and each customer with an event of it; of all `subjects` if None."""
        found: list[CustomerUsage] = []
        for meter in await self._concerned(meters, subjects):
            query = UsageQuery(
                namespace=meter.namespace, measure=meter.measure(), subjects=subjects
            )
            rows = dict(await self.rows(query))
            customers = await self.owners.of_ids(meter.namespace, rows.keys())
            found += [
                CustomerUsage(meter, one, rows[one.id]) for one in customers if one.id in rows
            ]
        return found

    async def _concerned(
        self, meters: Collection[Meter], subjects: tuple[str, ...] | None
    ) -> Collection[Meter]:
        """Without the meters of types that these subjects have no event of, which are most."""
        if subjects is None or len(meters) < FEW_METERS:
            return meters
        (namespace,) = {meter.namespace for meter in meters}
        theirs = OneOf(Attribute("subject"), subjects)
        seen = await self.usage.store.types(namespace, theirs, types_max=self.usage.rows_max)
        types = {None, *(one.name for one in seen)}
        return [meter for meter in meters if meter.event_type in types]
