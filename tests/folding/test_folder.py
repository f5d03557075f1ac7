"""The task that keeps projections up: what it notices, what it costs, what it tells."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event as listening
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.calls import event, measure, questions, rows, stored_events

from monometer.core import reference
from monometer.core.aggregation import Aggregation
from monometer.core.usage import UsageQuery
from monometer.services.catalog import Catalog, MeterChange, NewMeter
from monometer.services.folding import Folder, FoldReport
from monometer.store import fold, meters, projections
from monometer.store.cells import Kind
from monometer.store.engine import reading, transaction
from monometer.store.postgres_events import PostgresEventStore
from monometer.store.projections import Status

NAMESPACE = "default"
WAIT_S = 60


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - beside the database's clock


def new_id() -> str:
    return uuid4().hex.upper()


def catalog(engine: AsyncEngine) -> Catalog:
    """As another server process has it."""
    return Catalog(engine, now=now, new_id=new_id)


def new_meter(aggregation: Aggregation = Aggregation.SUM, event_type: str = "call") -> NewMeter:
    """It has the measure of `tests.support.calls`."""
    return NewMeter(
        key=f"{aggregation.lower()}_{event_type}",
        aggregation=aggregation,
        event_type=event_type,
        value_property=None if aggregation is Aggregation.COUNT else "$.v",
        group_by={"g": "$.g"},
    )


async def define(engine: AsyncEngine, *new: NewMeter) -> None:
    for one in new:
        await catalog(engine).create_meter(NAMESPACE, one)


async def store(engine: AsyncEngine, *numbers: int) -> None:
    await PostgresEventStore(engine).append([event(NAMESPACE, number) for number in numbers])


async def statuses(engine: AsyncEngine) -> list[Status]:
    async with reading(engine) as connection:
        return await projections.statuses(connection)


async def settle(folder: Folder, engine: AsyncEngine, events: int) -> None:
    """Rounds until every projection that is wanted has taken so many events."""
    async with asyncio.timeout(WAIT_S):
        while await folder.round() or not all(  # noqa: ASYNC110 - nothing tells
            one.events == events for one in await statuses(engine) if not one.unwanted
        ):
            await asyncio.sleep(0.05)


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    listening.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        listening.remove(engine.sync_engine, "before_cursor_execute", note)


async def assert_exact(engine: AsyncEngine, *aggregations: Aggregation) -> None:
    kept = await stored_events(PostgresEventStore(engine), NAMESPACE)
    for aggregation in aggregations:
        for query in questions(NAMESPACE, aggregation):
            found = await rows(PostgresEventStore(engine), query)
            assert found == reference.run(query, kept)


async def test_a_round_without_new_events_is_one_statement(own: AsyncEngine) -> None:
    later = timedelta(0)
    folder = Folder(own, now=lambda: now() + later)
    await define(own, new_meter())
    await store(own, 1)
    await settle(folder, own, 1)
    later = timedelta(seconds=2)  # how things stand is told every second
    await folder.round()
    with statements(own) as sent:
        for _ in range(5):
            assert not await folder.round()
    assert len(sent) == 5


async def test_a_round_costs_what_its_events_do_however_many_meters_there_are(
    own: AsyncEngine,
) -> None:
    folder = Folder(own, now=now)
    await define(own, new_meter())
    await store(own, 0)
    await settle(folder, own, 1)
    cost = await _statements_of_a_fold(folder, own, 1)
    await _define_others(own, 2_000)
    while await folder.round():
        pass
    assert len(await statuses(own)) == 2 * 2_001
    assert await _statements_of_a_fold(folder, own, 2) == cost
    taken = [one for one in await statuses(own) if one.events]
    assert {(one.event_type, one.events) for one in taken} == {("call", 3)}


async def _define_others(engine: AsyncEngine, number: int) -> None:
    """Each of a type of its own."""
    [one] = await catalog(engine).meters(NAMESPACE)
    async with transaction(engine) as connection:
        for i in range(number):
            other = replace(one, id=new_id(), key=f"other_{i}", event_type=f"other-{i}")
            await meters.create(connection, other)


async def _statements_of_a_fold(folder: Folder, engine: AsyncEngine, number: int) -> int:
    """Of the round that folds one event."""
    await store(engine, number)
    async with asyncio.timeout(WAIT_S):
        while True:
            await asyncio.sleep(0.3)  # the leader has rested, the horizon has passed
            before = [one.events for one in await statuses(engine)]
            with statements(engine) as sent:
                await folder.round()
            if before != [one.events for one in await statuses(engine)]:
                return sum("stored_at" not in statement for statement in sent)


async def test_a_meter_that_another_server_makes_changes_and_deletes_is_noticed(
    own: AsyncEngine,
) -> None:
    later = timedelta(0)
    folder = Folder(own, now=lambda: now() + later)
    elsewhere = catalog(own)
    await store(own, *range(10))
    meter = await elsewhere.create_meter(NAMESPACE, new_meter())
    await settle(folder, own, 10)
    made = {one.id for one in await statuses(own)}
    assert len(made) == len(Kind)

    await elsewhere.update_meter(NAMESPACE, meter.id, MeterChange(group_by={"h": "$.h"}))
    await settle(folder, own, 10)
    kept = {one.kind: one.id for one in await statuses(own) if not one.unwanted}
    assert kept[Kind.SUBJECT] in made  # it does not depend on groups
    assert kept[Kind.GROUP] not in made

    await elsewhere.delete_meter(NAMESPACE, meter.id)
    await folder.round()
    assert all(one.unwanted for one in await statuses(own))
    later = timedelta(hours=2)
    await folder.round()
    assert await statuses(own) == []


async def test_a_meter_made_while_events_flow_is_exact_all_the_time(own: AsyncEngine) -> None:
    folders = [Folder(own, now=now), Folder(own, now=now)]
    for folder in folders:
        folder.start()
    try:
        for step, aggregation in enumerate(Aggregation):
            for batch in range(5):
                first = step * 100 + batch * 20
                await store(own, *range(first, first + 20))
            await define(own, new_meter(aggregation))
            for batch in range(5, 10):
                first = step * 100 + batch * 10
                await store(own, *range(first, first + 10))
            await assert_exact(own, aggregation)
    finally:
        for folder in folders:
            await folder.stop()
    await settle(Folder(own, now=now), own, len(Aggregation) * 100)
    await assert_exact(own, *Aggregation)


async def test_a_long_transaction_shows_as_lag(own: AsyncEngine) -> None:
    told: list[FoldReport] = []
    later = timedelta(0)
    folder = Folder(own, now=lambda: now() + later, told=told.append)
    await define(own, new_meter())
    async with transaction(own) as slow:
        await slow.execute(text("SELECT pg_current_xact_id()"))
        await store(own, *range(10))
        await folder.round()
        later = timedelta(seconds=30)
        await folder.round()
        assert (told[-1].cells, told[-1].tail_events) == (0, 10)
        assert told[-1].lag_s >= 30
    later += timedelta(seconds=2)
    await settle(folder, own, 10)
    later += timedelta(seconds=2)
    await folder.round()
    assert (told[-1].tail_events, told[-1].lag_s) == (0, 0)
    assert told[-1].cells == sum(one.cells for one in await statuses(own))
    reports = len(told)
    later += timedelta(seconds=2)
    await folder.round()
    assert len(told) == reports


async def test_a_projection_that_is_given_up_does_not_lag(
    own: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "SPARSE_AFTER_EVENTS", 1)
    monkeypatch.setattr(fold, "SPARSE_CELLS_PER_EVENT", 0)
    told: list[FoldReport] = []
    later = timedelta(0)
    folder = Folder(own, now=lambda: now() + later, told=told.append)
    await define(own, new_meter())
    await store(own, *range(10))
    await settle(folder, own, 10)
    assert all(one.sparse for one in await statuses(own))
    await store(own, *range(10, 20))
    later = timedelta(seconds=2)  # how things stand is told every second
    await folder.round()
    assert told[-1] == FoldReport(cells=0, tail_events=0, lag_s=0)
    await assert_exact(own, Aggregation.SUM)


async def test_after_a_rebuild_everything_is_folded_anew(own: AsyncEngine) -> None:
    folder = Folder(own, now=now)
    await define(own, new_meter(), new_meter(Aggregation.UNIQUE_COUNT))
    await store(own, *range(100))
    await settle(folder, own, 100)
    before = {one.id for one in await statuses(own)}
    async with transaction(own) as connection:
        assert await projections.drop_all(connection) == len(before)
    await settle(folder, own, 100)
    assert {one.id for one in await statuses(own)}.isdisjoint(before)
    await assert_exact(own, Aggregation.SUM, Aggregation.UNIQUE_COUNT)
    async with reading(own) as connection:
        kept = await connection.execute(
            text(
                "SELECT count(DISTINCT projection_id) FROM"
                " (SELECT projection_id FROM hourly_by_group UNION ALL"
                " SELECT projection_id FROM hourly_by_subject) AS cells"
            )
        )
        assert kept.scalar_one() == len(before)


async def test_the_latest_value_needs_no_projection(own: AsyncEngine) -> None:
    folder = Folder(own, now=now)
    await define(own, new_meter(Aggregation.LATEST))
    await store(own, 1)
    while await folder.round():
        pass
    assert await statuses(own) == []
    total = UsageQuery(namespace=NAMESPACE, measure=measure(Aggregation.LATEST))
    assert len(await rows(PostgresEventStore(own), total)) == 1
