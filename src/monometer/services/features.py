"""Features: their rules on create, change and archive."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.errors import Conflict, NotFound, PreconditionFailed
from monometer.core.expression import Predicate
from monometer.core.feature import (
    Feature,
    validate_filters,
    validate_key,
    validate_meter,
    validate_unit_cost,
)
from monometer.core.filter import Filter
from monometer.core.meter import Metadata, Meter
from monometer.store import features, meters
from monometer.store.engine import reading, snapshot, transaction
from monometer.store.pages import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeature:
    """A feature as somebody asks for it. `meter_key`, or an id, None makes one without usage."""

    key: str
    name: str
    description: str | None = None
    meter_key: str | None = None
    filters: Mapping[str, Filter]
    unit_cost: Mapping[str, Any] | None = None
    metadata: Metadata | None = None


class Features:
    """The features of all namespaces."""

    def __init__(
        self, engine: AsyncEngine, *, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._now = now
        self._new_id = new_id

    async def list(
        self,
        namespace: str,
        *,
        meter_keys: Collection[str] = (),
        include_archived: bool = False,
        order_by: str = "key",
        descending: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Feature]:
        async with reading(self._engine) as connection:
            return await features.list_(
                connection, namespace,
                meter_keys=meter_keys, include_archived=include_archived,
                order_by=order_by, descending=descending, offset=offset, limit=limit,
            )  # fmt: skip

    async def page_of_features(
        self,
        namespace: str,
        *,
        where: Predicate,
        order_by: str,
        descending: bool,
        offset: int,
        limit: int,
    ) -> Page[Feature]:
        """Live features whose `key`, `name` and `meter_id` are as `where` says, and how many."""
        async with snapshot(self._engine) as connection:
            return await features.page(
                connection, namespace,
                where=where, order_by=order_by, descending=descending, offset=offset, limit=limit,
            )  # fmt: skip

    async def known(self, namespace: str, id_: str) -> Feature:
        """By id. Raises NotFound, and PreconditionFailed for one that is archived."""
        async with reading(self._engine) as connection:
            found = await features.find_known(connection, namespace, id_)
        if found is None:
            raise NotFound(f"feature not found: {id_}")
        if found.archived_at is not None:
            raise PreconditionFailed(f"feature is archived: {id_}")
        return found

    async def feature(self, namespace: str, id_or_key: str) -> Feature:
        """One that is not archived. Raises NotFound."""
        async with reading(self._engine) as connection:
            return await live_feature(connection, namespace, id_or_key)

    async def create(self, namespace: str, new: NewFeature) -> Feature:
        """Raises NotFound for a meter that is not there, InvalidInput, Conflict for a taken key."""
        now = self._now()
        async with transaction(self._engine) as connection:
            meter = await _meter(connection, namespace, new.meter_key)
            validate_filters(meter, new.filters)
            if new.unit_cost is not None:
                validate_unit_cost(meter, new.unit_cost)
            validate_key(new.key)
            taken = await features.find(connection, namespace, new.key)
            if taken is not None:
                raise Conflict(f"feature {taken.id} with key {taken.key} already exists")
            feature = Feature(
                namespace=namespace,
                id=self._new_id(),
                key=new.key,
                name=new.name,
                description=new.description,
                meter=meter,
                filters=new.filters,
                unit_cost=new.unit_cost,
                metadata=new.metadata or None,
                created_at=now,
                updated_at=now,
                archived_at=None,
            )
            await features.create(connection, feature)
        return feature

    async def set_unit_cost(
        self, namespace: str, id_or_key: str, cost: Mapping[str, Any] | None
    ) -> Feature:
        """None takes it away. Raises NotFound, also for one that is archived, InvalidInput."""
        async with transaction(self._engine) as connection:
            found = await live_feature(connection, namespace, id_or_key, lock=True)
            if cost is not None:
                validate_unit_cost(found.meter, cost)
            changed = replace(found, unit_cost=cost, updated_at=self._now())
            await features.update_(connection, changed)
        return changed

    async def archive(self, namespace: str, id_or_key: str) -> None:
        """Entitlements that it has go on. Raises NotFound, also for one that is archived."""
        async with transaction(self._engine) as connection:
            found = await live_feature(connection, namespace, id_or_key, lock=True)
            now = self._now()
            await features.update_(connection, replace(found, updated_at=now, archived_at=now))


async def live_feature(
    connection: AsyncConnection,
    namespace: str,
    id_or_key: str,
    *,
    lock: bool = False,
    share: bool = False,
) -> Feature:
    """Raises NotFound."""
    found = await features.find(connection, namespace, id_or_key, lock=lock, share=share)
    if found is None:
        raise NotFound(f"feature not found: {id_or_key}")
    return found


async def _meter(connection: AsyncConnection, namespace: str, key: str | None) -> Meter | None:
    """The live meter, which nobody changes or deletes until the transaction ends."""
    if key is None:
        return None
    found = await meters.find(connection, namespace, key, lock=True)
    if found is None or found.deleted_at is not None:
        raise NotFound(f"meter not found: {key}")
    validate_meter(found)
    return found
