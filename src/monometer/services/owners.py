"""Who is who: customers by the UUIDs of their ids, and whose subjects are whose."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.customer import Customer
from monometer.core.uuids import ids_of, uuid_of_id
from monometer.services.customers import Customers
from monometer.store import customers
from monometer.store.customer_search import CustomerSearch, search
from monometer.store.engine import reading, snapshot
from monometer.store.pages import Page


@dataclass(frozen=True, slots=True)
class Owners:
    engine: AsyncEngine
    customers: Customers

    async def of_uuids(self, namespace: str, uuids: Collection[UUID]) -> dict[UUID, Customer]:
        """The live customers whose ids have these UUIDs."""
        if not uuids:
            return {}
        ids = [one for uuid in uuids for one in ids_of(uuid)]
        async with reading(self.engine) as connection:
            found = await customers.live_of_ids(connection, namespace, ids)
        return {uuid_of_id(one.id): one for one in found}

    async def of_ids(self, namespace: str, ids: Collection[str]) -> list[Customer]:
        """The live customers of these ids; what is no id of any has none."""
        async with reading(self.engine) as connection:
            return await customers.live_of_ids(connection, namespace, ids)

    async def search(
        self,
        namespace: str,
        wanted: CustomerSearch,
        *,
        order: Sequence[tuple[str, bool]],
        offset: int,
        limit: int,
    ) -> Page[Customer]:
        async with reading(self.engine) as connection:
            return await search(
                connection, namespace, wanted, order=order, offset=offset, limit=limit
            )

    async def of_subjects(self, namespace: str, subjects: Collection[str]) -> dict[str, Customer]:
        """Subject → the live customer to whom its usage belongs, where there is one."""
        if not subjects:
            return {}
        async with snapshot(self.engine) as connection:
            owners = await customers.owners(connection, namespace, subjects)
            found = await customers.live_of_ids(connection, namespace, set(owners.values()))
        by_id = {one.id: one for one in found}
        return {subject: by_id[id_] for subject, id_ in owners.items()}

    async def subjects_of(
        self, namespace: str, uuids: Collection[UUID], externals: Collection[str]
    ) -> tuple[str, ...]:
        """All that events call any of them: customers by UUID, and others by a subject of theirs.

        A customer that does not exist has none; a subject without a customer is itself.
        """
        wanted = {one.id for one in (await self.of_uuids(namespace, uuids)).values()}
        wanted |= set((await self.customers.owners(namespace, externals)).values())
        theirs = await self.customers.attribution(namespace, sorted(wanted))
        return tuple(dict.fromkeys((*externals, *theirs)))


def subject_of(customer: Customer) -> str:
    """What an event that names the customer itself calls its subject."""
    return customer.key or next(iter(customer.subject_keys), customer.id)
