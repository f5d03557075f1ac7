"""Entitlements: create, override, delete, reset, and read them.

Locks are taken in this order, so that nobody waits in a ring:
1. who owns what in the namespace: shared here, alone where customers change;
2. the pair of an owner and a feature's key, where an entitlement is made;
3. the feature's row, shared, where an entitlement is made: it is not archived meanwhile;
4. rows of entitlements, several in the order of their ids. Whoever holds one may add and void its
   grants, reset it and consume of it. Its value is read without any lock;
5. events that are stored, in the order of their keys.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.changes import check_reset
from monometer.core.entitled import Entitled
from monometer.core.entitlement import Entitlement, Metered, conflicting, default_grant
from monometer.core.errors import Conflict, InvalidInput, NotFound
from monometer.core.event import TIME_END
from monometer.core.feature import Feature
from monometer.core.minutes import down_to_minute
from monometer.core.usage_periods import Reset
from monometer.core.windows import Period
from monometer.services.features import live_feature
from monometer.services.finding import (
    EVERYBODY,
    CustomersWhoExist,
    Owners,
    find,
    find_to_change,
    metered_terms,
    owned_by,
    owner_of,
    share_owner,
)
from monometer.services.new_entitlements import NewEntitlement, NewMetered
from monometer.services.new_grants import grant_of
from monometer.store import entitlements, grants
from monometer.store.engine import reading, transaction
from monometer.store.entitlements import EntitlementFilter
from monometer.store.owners import Owner, OwnerRef
from monometer.store.pages import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReset:
    """`at` None is now; `preserve_overage` None is what the entitlement says."""

    at: datetime | None = None
    retain_anchor: bool = False
    preserve_overage: bool | None = None


class Entitlements:
    """The entitlements of all namespaces."""

    def __init__(
        self, engine: AsyncEngine, *, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._now = now
        self._new_id = new_id

    async def create(self, namespace: str, ref: OwnerRef, new: NewEntitlement) -> Entitled:
        """With the grant that is issued after resets, or the grants that are given at once.

        Raises NotFound for the customer or the feature, PreconditionFailed for a deleted customer,
        Conflict where an active one is in the way, InvalidInput.
        """
        async with transaction(self._engine) as connection:
            owner = await share_owner(connection, namespace, ref)
            feature = await live_feature(connection, namespace, new.feature, share=True)
            await entitlements.lock_pair(connection, namespace, owner, feature.key)
            return await self._make(connection, namespace, owner, feature, new)

    async def override(
        self, namespace: str, ref: OwnerRef, id_or_key: str, new: NewEntitlement
    ) -> Entitled:
        """Another one takes the place of this one, which stays readable and ends now.

        Nothing is carried over. Raises as `create` does, and NotFound for the one to be replaced.
        """
        async with transaction(self._engine) as connection:
            await share_owner(connection, namespace, ref)
            named = await find(connection, namespace, ref, id_or_key, at=self._now())
            owner = Owner(
                customer_id=named.entitlement.customer_id, subject=named.entitlement.subject
            )
            feature_key = named.entitlement.feature_key
            await entitlements.lock_pair(connection, namespace, owner, feature_key)
            feature = await live_feature(connection, namespace, new.feature, share=True)
            old = await find_to_change(connection, namespace, ref, id_or_key, now=self._now)
            now = self._now()
            _check_override(old.entitlement, feature, now)
            ended = replace(old.entitlement, active_to=now, updated_at=now)
            await entitlements.end(connection, ended)
            return await self._make(connection, namespace, owner, feature, new, now=now)

    async def _make(
        self,
        connection: AsyncConnection,
        namespace: str,
        owner: Owner,
        feature: Feature,
        new: NewEntitlement,
        *,
        now: datetime | None = None,
    ) -> Entitled:
        """The pair is locked. `now` is when the one before it ended, if it takes a place."""
        now = now or self._now()
        await _check_unique(connection, namespace, owner, feature, now)
        if isinstance(new.terms, NewMetered) and feature.meter is None:
            raise InvalidInput(f"invalid feature {feature.id}: Feature has no meter")
        terms = new.terms.terms(now)
        made = Entitlement(
            namespace=namespace,
            id=self._new_id(),
            feature_id=feature.id,
            feature_key=feature.key,
            customer_id=owner.customer_id,
            subject=owner.subject,
            terms=terms,
            metadata=new.metadata or None,
            annotations=None,
            created_at=now,
            updated_at=now,
            deleted_at=None,
            active_from=now,
            active_to=None,
        )
        await entitlements.create(connection, made)
        if isinstance(terms, Metered) and isinstance(new.terms, NewMetered):
            issued = default_grant(terms, id=self._new_id(), entitlement_id=made.id, now=now)
            given = [
                grant_of(one, made.id, terms, id_=self._new_id(), now=now)
                for one in new.terms.grants
            ]
            await grants.create(connection, [issued, *given] if issued else given)
        return await find(connection, namespace, None, made.id, at=now)

    async def delete(self, namespace: str, ref: OwnerRef, id_or_key: str) -> None:
        """Raises NotFound, also for one that is deleted, and PreconditionFailed."""
        async with transaction(self._engine) as connection:
            found = await find_to_change(connection, namespace, ref, id_or_key, now=self._now)
            now = self._now()
            ended = replace(found.entitlement, deleted_at=now, updated_at=now)
            await entitlements.end(connection, ended)

    async def reset(self, namespace: str, ref: OwnerRef, id_or_key: str, new: NewReset) -> None:
        """A usage period ends, and another one begins. Raises NotFound, InvalidInput."""
        async with transaction(self._engine) as connection:
            found = await find_to_change(connection, namespace, ref, id_or_key, now=self._now)
            terms, now = metered_terms(found.entitlement), self._now()
            at = down_to_minute(new.at or now)
            check_reset(terms, at, now)
            preserve = new.preserve_overage
            made = Reset(
                at=at,
                retain_anchor=new.retain_anchor,
                preserve_overage=terms.preserve_overage_at_reset if preserve is None else preserve,
            )
            await entitlements.reset(connection, found.entitlement.id, made)

    async def entitlement(self, namespace: str, ref: OwnerRef | None, id_or_key: str) -> Entitled:
        """By id any that is not deleted, by its feature's key the active one. Raises NotFound."""
        async with reading(self._engine) as connection:
            return await find(connection, namespace, ref, id_or_key, at=self._now())

    async def of_any_customer(self, namespace: str, id_: str) -> Entitled:
        """Whichever customer's it is, by id. Raises NotFound, also for one of a bare subject."""
        found = await self.entitlement(namespace, None, id_)
        if found.entitlement.customer_id is None:
            raise NotFound(f"entitlement not found {id_} in namespace {namespace}")
        return found

    async def active(self, namespace: str, ref: OwnerRef) -> list[Entitled]:
        """All of an owner that are active now. Raises NotFound, PreconditionFailed."""
        async with reading(self._engine) as connection:
            owner = await owner_of(connection, namespace, ref)
            return await entitlements.active_of(
                connection, owner, namespace, at=self._now(), with_grants=False
            )

    async def list(
        self,
        namespace: str,
        *,
        features: Collection[str] = (),
        types: Collection[str] = (),
        owners: Owners | CustomersWhoExist = EVERYBODY,
        only_active: bool = False,
        order_by: str = "created_at",
        descending: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Entitled]:
        """Raises NotFound and PreconditionFailed for customers who must exist."""
        async with reading(self._engine) as connection:
            wanted = EntitlementFilter(
                features=features,
                types=types,
                owners=await owned_by(connection, namespace, owners),
                active_at=self._now() if only_active else None,
            )
            return await entitlements.list_(
                connection, namespace, wanted,
                order_by=order_by, descending=descending, offset=offset, limit=limit,
            )  # fmt: skip


async def _check_unique(
    connection: AsyncConnection, namespace: str, owner: Owner, feature: Feature, now: datetime
) -> None:
    """Raises Conflict while another one of the pair is active, now or later."""
    others = await entitlements.open_of(connection, namespace, owner, feature.key, since=now)
    other = conflicting(Period(now, TIME_END), others)
    if other is not None:
        who = f"customer {owner.customer_id}" if owner.customer_id else f"subject {owner.subject}"
        raise Conflict(
            f"entitlement with id {other.id} already exists for feature {other.feature_id} "
            f"and {who}",
            conflicting_id=other.id,
        )


def _check_override(old: Entitlement, feature: Feature, now: datetime) -> None:
    if old.feature_key != feature.key:
        raise InvalidInput("old and new entitlements belong to different features")
    if old.active_to is not None:
        raise InvalidInput(f"entitlement {old.id} has ended already")
    if old.active_period.start >= now:
        raise InvalidInput("new entitlement must be active after the old one")
