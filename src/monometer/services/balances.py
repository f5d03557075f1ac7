"""What an entitlement is worth: its value at an instant, its history, and a customer's access.

Nothing is locked and nothing kept: each answer is planned from grants and resets, asks once for the
usage of all phases, and burns.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.aggregation import Aggregation
from monometer.core.burndown import Burndown, burn
from monometer.core.entitled import Entitled
from monometer.core.entitlement import NO_ACCESS, Metered, Value, value_of
from monometer.core.history import windows_between
from monometer.core.phases import Plan, plan
from monometer.core.windows import WindowSize
from monometer.services.finding import find, metered_terms, owner_of
from monometer.store import entitlements
from monometer.store.engine import asking
from monometer.store.owners import OfCustomer, Owner, OwnerRef
from monometer.store.period_usage import PeriodUsage

Held: TypeAlias = tuple[Entitled, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    engine: AsyncEngine
    now: Callable[[], datetime]
    usage: PeriodUsage

    async def value(
        self, namespace: str, ref: OwnerRef, id_or_key: str, at: datetime | None = None
    ) -> Value:
        """By its feature's key the one active at `at`; by id no access while it is not active.

        Raises NotFound, PreconditionFailed for a deleted customer.
        """
        at = at or self.now()
        async with asking(self.engine) as connection:
            found = await find(connection, namespace, ref, id_or_key, at=at, with_grants=True)
            return (await self.values(connection, [found], at))[0]

    async def customer_value(
        self, namespace: str, id_or_key: str, feature_key: str, at: datetime | None = None
    ) -> Value:
        """Without an entitlement no access. Raises NotFound and PreconditionFailed of customers."""
        at, ref = at or self.now(), OfCustomer(id_or_key)
        async with asking(self.engine) as connection:
            found = await entitlements.find(
                connection, namespace, ref, feature_key, at=at, with_grants=True
            )
            if found is None:
                await owner_of(connection, namespace, ref)
                return NO_ACCESS
            return (await self.values(connection, [found], at))[0]

    async def access(self, namespace: str, id_or_key: str) -> dict[str, Value]:
        """The value of every entitlement that a customer has now, by its feature's key.

        As many statements for fifty as for one. Raises NotFound, PreconditionFailed.
        """
        held = await self.held(namespace, id_or_key)
        return {one.entitlement.feature_key: value for one, value in held}

    async def held(self, namespace: str, id_or_key: str) -> list[Held]:
        """As `access`, with the entitlements themselves, oldest first."""
        at = self.now()
        async with asking(self.engine) as connection:
            owner = await owner_of(connection, namespace, OfCustomer(id_or_key))
            return await self.held_by(connection, namespace, owner, at)

    async def held_by(
        self,
        connection: AsyncConnection,
        namespace: str,
        owner: Owner,
        at: datetime,
        *,
        features: Collection[str] | None = None,
    ) -> list[Held]:
        """Of an owner who exists, on a connection of the caller's. `features` are keys."""
        found = [
            one
            for one in await entitlements.active_of(
                connection, owner, namespace, at=at, with_grants=True
            )
            if features is None or one.entitlement.feature_key in features
        ]
        return list(zip(found, await self.values(connection, found, at), strict=True))

    async def history(
        self,
        namespace: str,
        ref: OwnerRef,
        id_or_key: str,
        *,
        since: datetime | None,
        until: datetime | None,
        size: WindowSize,
        zone: str,
    ) -> Burndown:
        """Segments and windows from the last reset, or `since`, to now, or `until`.

        Raises NotFound, InvalidInput for another type, for bounds, an unknown zone or too much.
        """
        now = self.now()
        async with asking(self.engine) as connection:
            found = await find(connection, namespace, ref, id_or_key, at=now, with_grants=True)
            terms = metered_terms(found.entitlement)
            since, until = since or terms.usage_periods.last_reset, until or now
            planned = await asyncio.to_thread(  # of many windows it takes its time
                _planned_history, found, since, until, size, zone
            )
            answers = await self.usage.of(connection, [found.query(planned.periods)])
        return await asyncio.to_thread(burn, planned, *answers)

    async def values(
        self, connection: AsyncConnection, found: Sequence[Entitled], at: datetime
    ) -> list[Value]:
        """Of entitlements read with their grants, on a connection of the caller's.

        In a transaction that holds their locks it is what they are worth until it ends.
        """
        metered = [one for one in found if isinstance(one.entitlement.terms, Metered)]
        active = [one for one in metered if one.entitlement.is_active(at)]
        plans = [
            plan(metered_terms(one.entitlement), one.grants or (), _aggregation(one), until=at)
            for one in active
        ]
        burnt = iter(await self._burn(connection, active, plans))
        values = []
        for one in found:
            if not one.entitlement.is_active(at):
                values.append(NO_ACCESS)
            elif isinstance(one.entitlement.terms, Metered):
                values.append(value_of(one.entitlement.terms, next(burnt).balance))
            else:
                values.append(value_of(one.entitlement.terms))
        return values

    async def _burn(
        self, connection: AsyncConnection, found: Sequence[Entitled], plans: Sequence[Plan]
    ) -> list[Burndown]:
        queries = [one.query(planned.periods) for one, planned in zip(found, plans, strict=True)]
        answers = await self.usage.of(connection, queries)
        return [burn(*pair) for pair in zip(plans, answers, strict=True)]


def _planned_history(
    found: Entitled, since: datetime, until: datetime, size: WindowSize, zone: str
) -> Plan:
    terms = metered_terms(found.entitlement)
    windows = windows_between(since, until, size, zone, measure_from=terms.measure_from)
    return plan(
        terms, found.grants or (), _aggregation(found), until=until, since=since, windows=windows
    )


def _aggregation(found: Entitled) -> Aggregation:
    assert found.feature.meter is not None  # noqa: S101 - a metered one's feature has a meter
    return found.feature.meter.aggregation
