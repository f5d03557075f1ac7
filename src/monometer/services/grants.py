"""Grants: add them, void them, list them. Locks are those of services/entitlements.py."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.changes import check_void
from monometer.core.errors import InvalidInput, NotFound
from monometer.core.grant import Grant
from monometer.core.minutes import down_to_minute
from monometer.services.finding import (
    EVERYBODY,
    CustomersWhoExist,
    Owners,
    find,
    find_to_change,
    metered_terms,
    owned_by,
)
from monometer.services.new_grants import NewGrant, grant_of
from monometer.store import grants
from monometer.store.engine import reading, transaction
from monometer.store.owners import OwnerRef
from monometer.store.pages import Page

GRANTS_MAX = 10_000  # of an entitlement, since each value looks at them all


class Grants:
    """The grants of all entitlements."""

    def __init__(
        self, engine: AsyncEngine, *, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._now = now
        self._new_id = new_id

    async def create(self, namespace: str, ref: OwnerRef, id_or_key: str, new: NewGrant) -> Grant:
        """Raises NotFound for the entitlement or its owner, InvalidInput."""
        async with transaction(self._engine) as connection:
            found = await find_to_change(connection, namespace, ref, id_or_key, now=self._now)
            terms, id_ = metered_terms(found.entitlement), found.entitlement.id
            grant = grant_of(new, id_, terms, id_=self._new_id(), now=self._now())
            if await grants.count(connection, id_) >= GRANTS_MAX:
                raise InvalidInput(f"an entitlement has at most {GRANTS_MAX} grants")
            await grants.create(connection, [grant])
        return grant

    async def void(self, namespace: str, grant_id: str, at: datetime | None = None) -> None:
        """It ends now, or at an instant of the usage period. Raises NotFound, InvalidInput."""
        async with transaction(self._engine) as connection:
            named = await _find(connection, namespace, grant_id)
            found = await find_to_change(
                connection, namespace, None, named.entitlement_id, now=self._now
            )
            grant = await _find(connection, namespace, grant_id)  # as it is now that it is locked
            now = self._now()
            end = down_to_minute(at or now)
            check_void(metered_terms(found.entitlement), grant, end, now)
            await grants.void(connection, replace(grant, voided_at=end, updated_at=now))

    async def of_entitlement(
        self,
        namespace: str,
        ref: OwnerRef,
        id_or_key: str,
        *,
        order_by: str = "created_at",
        descending: bool = False,
        offset: int = 0,
        limit: int,
    ) -> Page[Grant]:
        """Voided and expired ones too. Raises NotFound, InvalidInput for another type."""
        async with reading(self._engine) as connection:
            found = await find(connection, namespace, ref, id_or_key, at=self._now())
            metered_terms(found.entitlement)
            return await grants.of_entitlement(
                connection, found.entitlement.id,
                order_by=order_by, descending=descending, offset=offset, limit=limit,
            )  # fmt: skip

    async def list(
        self,
        namespace: str,
        *,
        features: Collection[str] = (),
        owners: Owners | CustomersWhoExist = EVERYBODY,
        include_deleted: bool = False,
        order_by: str = "effective_at",
        descending: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Grant]:
        """Raises NotFound and PreconditionFailed for customers who must exist."""
        async with reading(self._engine) as connection:
            return await grants.list_(
                connection,
                namespace,
                features=features,
                owners=await owned_by(connection, namespace, owners),
                include_deleted=include_deleted,
                order_by=order_by,
                descending=descending,
                offset=offset,
                limit=limit,
            )


async def _find(connection: AsyncConnection, namespace: str, grant_id: str) -> Grant:
    found = await grants.find(connection, namespace, grant_id)
    if found is None:
        raise NotFound(f"grant not found: {grant_id}")
    return found
