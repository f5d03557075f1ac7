"""The queue before an entitlement: bounded, and fair to those who share a transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from ulid import ULID

from monometer.core.aggregation import Aggregation
from monometer.core.consumed_event import NewConsumption
from monometer.core.consumption import Decision
from monometer.core.errors import InvalidInput, NotFound, Overloaded
from monometer.core.recurrence import parse_interval
from monometer.services.catalog import Catalog, NewMeter
from monometer.services.consuming import BATCH_MAX, Address, Consuming
from monometer.services.entitlements import Entitlements
from monometer.services.features import Features, NewFeature
from monometer.services.new_entitlements import NewEntitlement, NewMetered, NewPeriod
from monometer.store.owners import OfSubject
from monometer.store.period_usage import PeriodUsage


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the database's clock cannot be set


def new_id() -> str:
    return str(ULID())


def taking(id_: str, amount: int, data: str | None = None) -> NewConsumption:
    return NewConsumption(
        id=id_, source="test", type=None, subject=None, time=None, data=data,
        amount=Decimal(amount), dry_run=False, received_at=now(),
    )  # fmt: skip


async def limited(engine: AsyncEngine, namespace: str, limit: int) -> Address:
    meter = NewMeter(
        key="m", aggregation=Aggregation.SUM, event_type="t", value_property="$.v", group_by={}
    )
    await Catalog(engine, now=now, new_id=new_id).create_meter(namespace, meter)
    feature = NewFeature(key="f", name="f", meter_key="m", filters={})
    await Features(engine, now=now, new_id=new_id).create(namespace, feature)
    terms = NewMetered(
        usage_period=NewPeriod(interval=parse_interval("P1Y"), anchor=now()),
        measure_from=now() - timedelta(days=1),
        issue_after_reset=Decimal(limit),
    )
    await Entitlements(engine, now=now, new_id=new_id).create(
        namespace, OfSubject("s"), NewEntitlement(feature="f", terms=terms)
    )
    return Address(namespace, OfSubject("s"), "f")


@asynccontextmanager
async def consuming(engine: AsyncEngine, queued_max: int = 10_000) -> AsyncIterator[Consuming]:
    one = Consuming(engine, PeriodUsage(), now=now, transactions_max=2, queued_max=queued_max)
    one.start()
    try:
        yield one
    finally:
        await one.stop()


async def test_those_who_share_a_transaction_are_decided_in_their_order(
    engine: AsyncEngine, namespace: str
) -> None:
    address = await limited(engine, namespace, BATCH_MAX)
    async with consuming(engine) as one:
        decided = await asyncio.gather(
            *(one.consume(address, taking(f"{n}", 1), 10) for n in range(2 * BATCH_MAX))
        )
    assert [it.allowed for it in decided] == [True] * BATCH_MAX + [False] * BATCH_MAX
    usages = [it.standing.usage for it in decided if it.standing]
    assert usages == [*range(1, BATCH_MAX + 1), *[BATCH_MAX] * BATCH_MAX]


async def test_event_asked_for_twice_at_once_is_consumed_once(
    engine: AsyncEngine, namespace: str
) -> None:
    address = await limited(engine, namespace, 10)
    async with consuming(engine) as one:
        first, *others = await asyncio.gather(
            *(one.consume(address, taking("one", 3), 10) for _ in range(5))
        )
        assert (first.allowed, first.duplicate) == (True, False)
        assert {(it.duplicate, it.standing) for it in others} == {(True, first.standing)}


async def test_what_the_database_cannot_keep_fails_its_sender_only(
    engine: AsyncEngine, namespace: str
) -> None:
    address = await limited(engine, namespace, 10)
    async with consuming(engine) as one:
        results = await asyncio.gather(
            one.consume(address, taking("a", 1), 10),
            one.consume(address, taking("b", 1, '{"w":"\\u0000"}'), 10),
            one.consume(address, taking("c", 1), 10),
            return_exceptions=True,
        )
    assert [type(result) for result in results] == [Decision, InvalidInput, Decision]
    assert isinstance(results[2], Decision)
    assert results[2].standing
    assert results[2].standing.usage == 2


async def test_full_queue_is_overloaded(engine: AsyncEngine, namespace: str) -> None:
    address = await limited(engine, namespace, 10)
    async with consuming(engine, queued_max=3) as one:
        results = await asyncio.gather(
            *(one.consume(address, taking(f"{n}", 1), 10) for n in range(5)),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [Decision] * 3 + [Overloaded] * 2
        assert (await one.consume(address, taking("later", 1), 10)).allowed


async def test_stopping_decides_what_waits_and_refuses_the_rest(
    engine: AsyncEngine, namespace: str
) -> None:
    address = await limited(engine, namespace, 10)
    async with consuming(engine) as one:
        waiting = asyncio.create_task(one.consume(address, taking("a", 1), 10))
        await asyncio.sleep(0)
    assert (await waiting).allowed
    with pytest.raises(Overloaded, match="stopping"):
        await one.consume(address, taking("b", 1), 10)


async def test_nobody_waits_for_an_entitlement_that_is_not_there(
    engine: AsyncEngine, namespace: str
) -> None:
    async with consuming(engine) as one:
        with pytest.raises(NotFound):
            await one.consume(Address(namespace, OfSubject("s"), "f"), taking("a", 1), 10)
