"""Event schemas: their states and versions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.errors import Conflict, InvalidInput, NotFound
from monometer.core.event_schema import Declared, EventSchema, Status, needs_version
from monometer.store import event_schemas, usage_meters
from monometer.store.engine import reading, transaction
from monometer.store.pages import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSchemas:
    engine: AsyncEngine
    now: Callable[[], datetime]

    async def create(self, namespace: str, name: str, declared: Declared) -> EventSchema:
        """A draft. Raises Conflict for a name that is taken."""
        now = self.now()
        new = EventSchema(
            namespace=namespace,
            name=name,
            version=1,
            status=Status.DRAFT,
            declared=declared,
            created_at=now,
            updated_at=now,
        )
        async with transaction(self.engine) as connection:
            await event_schemas.add(connection, new)
        return new

    async def get(self, namespace: str, name: str, version: int | None = None) -> EventSchema:
        """That version, else the newest. Raises NotFound."""
        for one in await self.versions(namespace, name):
            if version in {None, one.version}:
                return one
        raise NotFound(f"event schema not found: {name}")

    async def versions(self, namespace: str, name: str) -> Sequence[EventSchema]:
        """Newest first, never none. Raises NotFound."""
        async with reading(self.engine) as connection:
            found = await event_schemas.versions(connection, namespace, name)
        if not found:
            raise NotFound(f"event schema not found: {name}")
        return found

    async def page(
        self, namespace: str, statuses: Sequence[Status], *, offset: int, limit: int
    ) -> tuple[Page[EventSchema], dict[str, int]]:
        """With how many usage meters each has, by name; those without any are left out."""
        async with reading(self.engine) as connection:
            page = await event_schemas.newest(
                connection, namespace, statuses, offset=offset, limit=limit
            )
            names = [one.name for one in page.items]
            return page, await usage_meters.count_by_schema(connection, namespace, names)

    async def update(self, namespace: str, name: str, change: Declared) -> EventSchema:
        """Raises NotFound, and InvalidInput for a change of what was active."""
        async with transaction(self.engine) as connection:
            one = await locked(connection, namespace, name)
            now = self.now()
            changed = replace(one, declared={**one.declared, **change}, updated_at=now)
            if not needs_version(one, change):
                await event_schemas.replace_one(connection, changed)
                return changed
            changed = replace(changed, version=one.version + 1, created_at=now)
            old = replace(one, status=Status.ARCHIVED, updated_at=now)
            await event_schemas.replace_one(connection, old)
            await event_schemas.add(connection, changed)
        return changed

    async def activate(self, namespace: str, name: str) -> EventSchema:
        """Raises NotFound."""
        return await self._turn(namespace, name, Status.ACTIVE)

    async def deactivate(self, namespace: str, name: str) -> EventSchema:
        """Raises NotFound, InvalidInput for a draft, Conflict while a usage meter is active."""
        return await self._turn(namespace, name, Status.INACTIVE)

    async def delete(self, namespace: str, name: str) -> None:
        """Raises NotFound, and Conflict while a usage meter is active."""
        async with transaction(self.engine) as connection:
            await locked(connection, namespace, name)
            await _refuse_while_used(connection, namespace, name)
            await event_schemas.remove(connection, namespace, name)

    async def _turn(self, namespace: str, name: str, status: Status) -> EventSchema:
        async with transaction(self.engine) as connection:
            one = await locked(connection, namespace, name)
            if status is Status.INACTIVE:
                if one.status is Status.DRAFT:
                    raise InvalidInput("an event schema that is a draft cannot be deactivated")
                await _refuse_while_used(connection, namespace, name)
            if one.status is not status:
                one = replace(one, status=status, updated_at=self.now())
                await event_schemas.replace_one(connection, one)
        return one


async def locked(connection: AsyncConnection, namespace: str, name: str) -> EventSchema:
    """The newest version; nobody else changes the schema, or the state of its usage meters.

    Raises NotFound.
    """
    found = await event_schemas.versions(connection, namespace, name, lock=True)
    if not found:
        raise NotFound(f"event schema not found: {name}")
    return found[0]


async def _refuse_while_used(connection: AsyncConnection, namespace: str, name: str) -> None:
    if await usage_meters.active_of(connection, namespace, name):
        raise Conflict(f"event schema has active usage meters: {name}")
