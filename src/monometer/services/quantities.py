"""Usage by calendar buckets, from a question to its answer."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from monometer.core.quantities import Quantities, QuantitiesQuery, answer
from monometer.core.usage import UsageQuery, UsageRow
from monometer.services.owners import Owners
from monometer.services.usage import Usage


@dataclass(frozen=True, slots=True)
class QuantityService:
    usage: Usage
    owners: Owners

    async def quantities(self, query: QuantitiesQuery) -> Quantities:
        """Raises InvalidInput for too many rows, Unavailable."""
        values: dict[datetime, dict[str | None, Decimal]] = defaultdict(dict)
        for person, row in await self._by_person(query.by_bucket()):
            values[row.period.start][person] = row.value
        over_events = query.over_events()
        total = None
        if over_events is not None:
            rows = await self._rows(over_events)
            total = rows[0].value if rows else None
        return answer(query, values, total)

    async def _by_person(self, query: UsageQuery) -> list[tuple[str | None, UsageRow]]:
        """Rows with whose they are: a customer is one person, however many subjects it has."""
        rows = await self._rows(query)
        if not query.by_subject:
            return [(None, row) for row in rows]
        subjects = {row.subject for row in rows if row.subject is not None}
        people = await self._people(query.namespace, subjects)
        if max(Counter(people.values()).values(), default=0) > 1:
            whole = replace(query, by_subject=False, subjects=tuple(people), attribution=people)
            return [(row.customer, row) for row in await self._rows(whole)]
        return [(row.subject, row) for row in rows]

    async def _people(self, namespace: str, subjects: set[str]) -> Mapping[str, str]:
        owners = await self.owners.customers.owners(namespace, subjects)
        return {subject: owners.get(subject, subject) for subject in subjects}

    async def _rows(self, query: UsageQuery) -> list[UsageRow]:
        async with self.usage.rows(query) as batches:
            return [row async for batch in batches for row in batch]
