"""Meters: their rules on create, change and delete."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.aggregation import Aggregation
from monometer.core.definition import Definition, read
from monometer.core.errors import Conflict, InvalidInput, NotFound
from monometer.core.event import TIME_END, TIME_MIN, Json
from monometer.core.expression import EVERYTHING, Predicate
from monometer.core.meter import KEY_CHARS_MAX, Metadata, Meter, validate, validate_groups
from monometer.core.uuids import ids_of
from monometer.store import features, meters
from monometer.store.engine import reading, snapshot, transaction
from monometer.store.meters import MeterFilter
from monometer.store.pages import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeter:
    """A meter as somebody asks for it. `name` None takes the key."""

    key: str
    aggregation: Aggregation
    event_type: str
    name: str | None = None
    description: str | None = None
    event_from: datetime | None = None
    value_property: str | None = None
    group_by: Mapping[str, str]
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDefinedMeter:
    """A meter by its definition. Its key is derived from its name, which need not be unique."""

    name: str
    metadata: Metadata
    annotations: Mapping[str, Json] | None
    definition: Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEdit:
    """A change of some parts of a meter: what is None is kept."""

    name: str | None = None
    metadata: Metadata | None = None
    annotations: Mapping[str, Json] | None = None
    archived: bool | None = None
    definition: Definition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterChange:
    """A replacement of a meter's free parts: what is None is reset, `description` alone is kept."""

    name: str | None = None
    description: str | None = None
    group_by: Mapping[str, str]
    metadata: Metadata | None = None


class Catalog:
    """The meters of all namespaces. `now` and `new_id` are the clock and the source of ULIDs."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        reserved_event_types: Sequence[str] = (),
    ) -> None:
        self._engine = engine
        self._now = now
        self._new_id = new_id
        self._reserved = [re.compile(pattern) for pattern in reserved_event_types]

    async def meters(
        self,
        namespace: str,
        *,
        order_by: str = "key",
        descending: bool = False,
        include_deleted: bool = False,
    ) -> list[Meter]:
        async with reading(self._engine) as connection:
            return await meters.list_(
                connection, namespace,
                order_by=order_by, descending=descending, include_deleted=include_deleted,
            )  # fmt: skip

    async def page_of_meters(
        self,
        namespace: str,
        *,
        where: Predicate = EVERYTHING,
        order_by: str = "created_at",
        descending: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Meter]:
        """Live meters whose `key` and `name` are as `where` says, and how many there are."""
        async with snapshot(self._engine) as connection:
            return await meters.page(
                connection, namespace,
                where=where, order_by=order_by, descending=descending, offset=offset, limit=limit,
            )  # fmt: skip

    async def meters_of_types(self, namespace: str, types: Collection[str]) -> list[Meter]:
        """Every live meter of these event types, however many there are."""
        async with reading(self._engine) as connection:
            return await meters.of_event_types(connection, namespace, types)

    async def meter(self, namespace: str, id_or_key: str) -> Meter:
        """By key a live meter, by id also a deleted one. Raises NotFound."""
        async with reading(self._engine) as connection:
            found = await meters.find(connection, namespace, id_or_key)
        return _found(found, id_or_key)

    async def create_meter(self, namespace: str, new: NewMeter) -> Meter:
        """Raises InvalidInput for a broken rule, Conflict for a key that a live meter has."""
        self._validate(new)
        now = self._now()
        meter = Meter(
            namespace=namespace,
            id=self._new_id(),
            key=new.key,
            name=new.name or new.key,
            description=new.description,
            aggregation=new.aggregation,
            event_type=new.event_type,
            event_from=new.event_from and new.event_from.astimezone(UTC),
            value_property=new.value_property,
            group_by=new.group_by,
            metadata=new.metadata,
            annotations=None,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
        await self._create(meter)
        return meter

    async def create_defined_meter(self, namespace: str, new: NewDefinedMeter) -> Meter:
        """Raises InvalidInput for a definition that cannot be carried out."""
        says, now, id_ = read(new.definition), self._now(), self._new_id()
        self._ensure_free(says.event_type or "")
        meter = Meter(
            namespace=namespace,
            id=id_,
            key=derived_key(new.name),
            name=new.name,
            description=None,
            aggregation=says.aggregation,
            event_type=says.event_type,
            event_from=None,
            value_property=says.value_property,
            group_by={},
            metadata=new.metadata,
            annotations=new.annotations,
            created_at=now,
            updated_at=now,
            deleted_at=None,
            definition=new.definition,
        )
        try:
            await self._create(meter)
        except Conflict:
            meter = replace(meter, key=derived_key(new.name, id_))
            await self._create(meter)
        return meter

    async def _create(self, meter: Meter) -> None:
        async with transaction(self._engine) as connection:
            await meters.create(connection, meter)

    async def edit_meter(self, meter: Meter, edit: MeterEdit) -> Meter:
        """Raises NotFound when it has been deleted meanwhile, and InvalidInput."""
        async with transaction(self._engine) as connection:
            found = await meters.find(connection, meter.namespace, meter.id, lock=True)
            one = _found(found if found and not found.deleted_at else None, meter.id)
            now = self._now()
            archived_at = (one.archived_at or now) if edit.archived else None
            changed = replace(
                one,
                name=one.name if edit.name is None else edit.name,
                metadata=one.metadata if edit.metadata is None else edit.metadata,
                annotations=one.annotations if edit.annotations is None else edit.annotations,
                archived_at=one.archived_at if edit.archived is None else archived_at,
                updated_at=now,
            )
            if edit.definition is not None:
                says = read(edit.definition)
                self._ensure_free(says.event_type or "")
                changed = replace(
                    changed,
                    definition=edit.definition,
                    aggregation=says.aggregation,
                    event_type=says.event_type,
                    value_property=says.value_property,
                )
            await meters.update(connection, changed)
        return changed

    async def search_meters(
        self,
        namespace: str,
        wanted: MeterFilter,
        *,
        order: Sequence[tuple[str, bool]],
        offset: int,
        limit: int,
    ) -> Page[Meter]:
        """Live meters, ordered by columns that are each descending or not."""
        async with reading(self._engine) as connection:
            return await meters.search(
                connection, namespace, wanted, order=order, offset=offset, limit=limit
            )

    async def meter_of_uuid(self, namespace: str, uuid: UUID) -> Meter:
        """The live meter whose id has that UUID. Raises NotFound."""
        async with reading(self._engine) as connection:
            found = await meters.of_ids(connection, namespace, ids_of(uuid))
        return _found(found[0] if found else None, str(uuid))

    async def update_meter(self, namespace: str, id_or_key: str, change: MeterChange) -> Meter:
        """Raises NotFound, also for a deleted meter, InvalidInput, and Conflict.

        A group key that a live feature, or one with active entitlements, filters by stays.
        """
        async with transaction(self._engine) as connection:
            found = await meters.find(connection, namespace, id_or_key, lock=True)
            meter = _found(found if found and not found.deleted_at else None, id_or_key)
            validate_groups(meter.value_property, change.group_by)
            await _refuse_to_drop_filtered(connection, meter, change.group_by)
            changed = replace(
                meter,
                name=change.name or meter.key,
                description=meter.description if change.description is None else change.description,
                group_by=change.group_by,
                metadata=change.metadata,
                updated_at=self._now(),
            )
            await meters.update(connection, changed)
        return changed

    async def delete_meter(self, namespace: str, id_or_key: str) -> None:
        """Its events stay, and by id it can still be read and queried.

        Raises NotFound, and Conflict while a live feature or an active entitlement uses it.
        """
        async with transaction(self._engine) as connection:
            found = await meters.find(connection, namespace, id_or_key, lock=True)
            meter = _found(found, id_or_key)
            if meter.deleted_at is None:
                for feature in await features.used_of_meter(connection, meter.id):
                    what = "features" if feature.archived_at is None else "entitlements"
                    raise Conflict(f"meter has active {what} and cannot be deleted")
                now = self._now()
                await meters.update(connection, replace(meter, updated_at=now, deleted_at=now))

    async def ensure_meter(self, namespace: str, wanted: NewMeter) -> None:
        """Create a configured meter, unless it is there already.

        Raises Conflict naming every field in which the stored one differs, InvalidInput.
        """
        self._validate(wanted)
        try:
            await self.create_meter(namespace, wanted)
        except Conflict:
            differences = _differences(await self.meter(namespace, wanted.key), wanted)
            if differences:
                raise Conflict(f"meter {wanted.key}: {'; '.join(differences)}") from None

    def _validate(self, new: NewMeter) -> None:
        validate(
            key=new.key,
            aggregation=new.aggregation,
            event_type=new.event_type,
            value_property=new.value_property,
            group_by=new.group_by,
        )
        # An instant that PostgreSQL takes for infinity would come back as no instant at all.
        if new.event_from is not None and not TIME_MIN <= new.event_from < TIME_END:
            raise InvalidInput(
                "invalid meter event from: "
                f"it must be from year {TIME_MIN.year} on and before {TIME_END.year}"
            )
        self._ensure_free(new.event_type)

    def _ensure_free(self, event_type: str) -> None:
        for pattern in self._reserved:
            if pattern.search(event_type):
                raise InvalidInput(
                    f"invalid event type: event type '{event_type}' "
                    f"matched reserved pattern '{pattern.pattern}'"
                )


def derived_key(name: str, id_: str = "") -> str:
    """A key made of the letters and digits of a name, and of an id where the name is not enough."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    tail = id_.lower()
    head = "_".join(words)[: KEY_CHARS_MAX - len(tail) - 1].strip("_") or "meter"
    return f"{head}_{tail}" if tail else head


def _found(meter: Meter | None, id_or_key: str) -> Meter:
    if meter is None:
        raise NotFound(f"meter not found: {id_or_key}")
    return meter


async def _refuse_to_drop_filtered(
    connection: AsyncConnection, meter: Meter, group_by: Mapping[str, str]
) -> None:
    dropped = meter.group_by.keys() - group_by.keys()
    if not dropped:
        return
    for feature in await features.used_of_meter(connection, meter.id):
        for name in sorted(dropped & feature.filters.keys()):
            raise Conflict(
                f"meter group by: {name} cannot be dropped "
                f"because it is used by feature: {feature.key}"
            )


def _differences(stored: Meter, wanted: NewMeter) -> list[str]:
    pairs = {
        "name": (stored.name, wanted.name or wanted.key),
        "description": (stored.description or "", wanted.description or ""),
        "aggregation": (stored.aggregation.value, wanted.aggregation.value),
        "eventType": (stored.event_type, wanted.event_type),
        "eventFrom": (stored.event_from, wanted.event_from),
        "valueProperty": (stored.value_property, wanted.value_property),
        "groupBy": (dict(stored.group_by), dict(wanted.group_by)),
        "metadata": (dict(stored.metadata or {}), dict(wanted.metadata or {})),
    }
    return [
        f"{field} is {in_store!r} in the database and {in_file!r} in the configuration"
        for field, (in_store, in_file) in pairs.items()
        if in_store != in_file
    ]
