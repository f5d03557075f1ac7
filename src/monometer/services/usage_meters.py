"""Usage meters: meters with states, which count what comes in while they are active.

Source: Togai's usage meters.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.definition import TOGAI, Defined, Definition, read
from monometer.core.errors import Conflict, InvalidInput, NotFound
from monometer.core.event_schema import Status
from monometer.core.meter import Meter
from monometer.core.short_ids import ulids_of
from monometer.services.catalog import derived_key
from monometer.services.event_schemas import locked
from monometer.store import event_schemas, meters, usage_meters
from monometer.store.engine import reading, transaction
from monometer.store.pages import Page

ACTIVE_MAX = 100  # of a schema: each one judges every event that comes in

# What may change after a usage meter was active; the rest says what it has counted.
_FREE = frozenset({"billable_name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageMeterPart:
    """What is said of one. `defined` are members of its definition (`core/definition.py`)."""

    name: str | None = None
    description: str | None = None
    defined: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageMeters:
    engine: AsyncEngine
    new_id: Callable[[], str]

    async def create(self, namespace: str, name: str, new: UsageMeterPart) -> Meter:
        """A draft. Raises NotFound for its schema, Conflict for its name, InvalidInput."""
        blank: dict[str, Any] = {"filters": [], "computations": [], "billable_name": None}
        definition = _definition({**blank, **new.defined}, Status.DRAFT, [])
        says, id_ = _read(definition), self.new_id()
        async with transaction(self.engine) as connection:
            schema = await locked(connection, namespace, definition["schema"])
            if schema.status is Status.ARCHIVED:
                raise InvalidInput(f"event schema is archived: {schema.name}")
            await _give_name(connection, namespace, name)
            now = await usage_meters.clock(connection)
            key = derived_key(name)
            if await meters.find(connection, namespace, key) is not None:
                key = derived_key(name, id_)
            meter = Meter(
                namespace=namespace,
                id=id_,
                key=key,
                name=name,
                description=new.description,
                aggregation=says.aggregation,
                event_type=says.event_type,
                event_from=None,
                value_property=says.value_property,
                group_by={},
                metadata=None,
                annotations=None,
                created_at=now,
                updated_at=now,
                deleted_at=None,
                definition=definition,
            )
            await meters.create(connection, meter)
        return meter

    async def get(self, namespace: str, id_: str) -> Meter:
        """Deleted ones too. Raises NotFound."""
        async with reading(self.engine) as connection:
            return await _found(connection, namespace, id_)

    async def page(
        self,
        namespace: str,
        statuses: Collection[Status],
        aggregations: Collection[str],
        *,
        named: Collection[str] | None = None,
        offset: int,
        limit: int,
    ) -> Page[Meter]:
        """Last updated first; meters of other dialects as far as they can be said.

        `named` leaves those of these ids and names.
        """
        async with reading(self.engine) as connection:
            return await usage_meters.list_(
                connection, namespace, statuses, aggregations,
                named=named, offset=offset, limit=limit,
            )  # fmt: skip

    async def update(self, namespace: str, id_: str, change: UsageMeterPart) -> Meter:
        """Raises NotFound, Conflict for its name, InvalidInput for what is fixed by now."""
        async with transaction(self.engine) as connection:
            meter, definition = await _ours(connection, namespace, id_)
            fixed = {
                name: value
                for name, value in change.defined.items()
                if name not in _FREE and value != definition.get(name)
            }
            if fixed and definition["status"] != Status.DRAFT:
                raise InvalidInput(
                    f"a usage meter that has been active keeps its {', '.join(sorted(fixed))}"
                )
            if "schema" in fixed:
                await locked(connection, namespace, fixed["schema"])
            name = change.name or meter.name
            if name != meter.name:
                await _give_name(connection, namespace, name, but=meter.id)
            definition = {**definition, **change.defined}
            says = _read(definition)
            changed = replace(
                meter,
                name=name,
                description=meter.description if change.description is None else change.description,
                aggregation=says.aggregation,
                event_type=says.event_type,
                value_property=says.value_property,
                definition=definition,
                updated_at=await usage_meters.clock(connection),
            )
            await meters.update(connection, changed)
        return changed

    async def activate(self, namespace: str, id_: str) -> Meter:
        """From now on it counts what comes in. Raises NotFound, and InvalidInput for its schema."""
        async with transaction(self.engine) as connection:
            meter, definition = await _ours(connection, namespace, id_)
            if definition["status"] == Status.ACTIVE:
                return meter
            found = await event_schemas.versions(
                connection, namespace, definition["schema"], lock=True
            )
            if not found or found[0].status is not Status.ACTIVE:
                raise InvalidInput(f"event schema is not active: {definition['schema']}")
            active = await usage_meters.active(connection, namespace, [definition["schema"]])
            if len(active) >= ACTIVE_MAX:
                raise InvalidInput(f"an event schema has at most {ACTIVE_MAX} active usage meters")
            now = await usage_meters.clock(connection)
            periods = [*definition["active"], [now.astimezone(UTC).isoformat(), None]]
            definition = _definition(definition, Status.ACTIVE, periods)
            definition["last_activated_at"] = now.astimezone(UTC).isoformat()
            return await _kept(connection, meter, definition, now)

    async def deactivate(self, namespace: str, id_: str) -> Meter:
        """What it has counted stays. Raises NotFound, and InvalidInput for a draft."""
        async with transaction(self.engine) as connection:
            meter, definition = await _ours(connection, namespace, id_)
            if definition["status"] == Status.DRAFT:
                raise InvalidInput("a usage meter that is a draft cannot be deactivated")
            if definition["status"] == Status.INACTIVE:
                return meter
            now = await _now(connection, namespace, definition)
            definition = _definition(definition, Status.INACTIVE, _ended(definition, now))
            return await _kept(connection, meter, definition, now)

    async def delete(self, namespace: str, id_: str) -> None:
        """It counts no more, and its name may be given again. Raises NotFound."""
        async with transaction(self.engine) as connection:
            meter, definition = await _ours(connection, namespace, id_)
            now = await _now(connection, namespace, definition)
            definition = _definition(definition, Status.ARCHIVED, _ended(definition, now))
            await _kept(connection, replace(meter, deleted_at=now), definition, now)


def _definition(said: Definition, status: Status, periods: list[Any]) -> dict[str, Any]:
    return {**said, "dialect": TOGAI, "status": status.value, "active": periods}


def _ended(definition: Definition, now: datetime) -> list[Any]:
    """Its periods, none of which goes on."""
    end = now.astimezone(UTC).isoformat()
    return [[start, end if until is None else until] for start, until in definition["active"]]


async def _now(connection: AsyncConnection, namespace: str, definition: Definition) -> datetime:
    """The time, with the schema locked: no ingestion is under way that holds it for active."""
    await event_schemas.versions(connection, namespace, definition["schema"], lock=True)
    return await usage_meters.clock(connection)


def _read(definition: Definition) -> Defined:
    """Raises InvalidInput."""
    says = read(definition)
    if definition["aggregation"] == "SUM" and not definition["computations"]:
        raise InvalidInput("a usage meter that sums needs a computation")
    return says


async def _found(
    connection: AsyncConnection, namespace: str, id_: str, *, lock: bool = False
) -> Meter:
    ulids = ulids_of(id_)
    found = None
    if ulids is not None:
        found = await usage_meters.find(connection, namespace, ulids, lock=lock)
    if found is None:
        raise NotFound(f"usage meter not found: {id_}")
    return found


async def _ours(
    connection: AsyncConnection, namespace: str, id_: str
) -> tuple[Meter, dict[str, Any]]:
    """One of this dialect, live and locked, with its definition. Raises NotFound, InvalidInput."""
    meter = await _found(connection, namespace, id_, lock=True)
    if meter.deleted_at is not None:
        raise NotFound(f"usage meter not found: {id_}")
    written = meter.written_in(TOGAI)
    if written is None:
        raise InvalidInput("a meter that was made by another API is changed there")
    return meter, dict(written)


async def _give_name(connection: AsyncConnection, namespace: str, name: str, but: str = "") -> None:
    await usage_meters.lock_names(connection, namespace)
    if await usage_meters.is_named(connection, namespace, name, but):
        raise Conflict(f"usage meter with the same name already exists: {name}")


async def _kept(
    connection: AsyncConnection, meter: Meter, definition: Definition, now: datetime
) -> Meter:
    changed = replace(meter, definition=definition, updated_at=now)
    await meters.update(connection, changed)
    return changed
