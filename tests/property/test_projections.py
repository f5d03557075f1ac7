"""Cells change how an answer is found, never the answer."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.property.hostile import batches, times
from tests.property.questions import queries
from tests.property.test_sql_equals_reference import ZONES

from monometer.core import reference
from monometer.core.aggregation import Aggregation
from monometer.core.errors import Unavailable
from monometer.core.event import Event, StoredEvent
from monometer.core.expression import Number, Text
from monometer.core.jsonpath import parse
from monometer.core.meter import Measure
from monometer.core.usage import Tumbling, UsageQuery, UsageRow, Whole
from monometer.core.windows import WindowSize
from monometer.store import projections
from monometer.store.cells import Kind, kinds_for
from monometer.store.engine import transaction
from monometer.store.event_store import EventPage
from monometer.store.postgres_events import PostgresEventStore
from monometer.store.tables import hourly_by_subject, projection

START = datetime(2024, 3, 9, tzinfo=UTC)
HORIZON_S = 60


class Killed(Exception):
    """What ends a fold in its middle."""


async def rows(store: PostgresEventStore, query: UsageQuery) -> list[UsageRow]:
    async with store.usage(query, rows_max=10_000) as found:
        return [row async for row in found]


async def fold_all(engine: AsyncEngine, namespace: str, measure: Measure) -> None:
    """Fold all that is committed by now.

    The horizon is one of the whole cluster, where other tests write too: wait until whatever
    was being written has ended.
    """
    async with asyncio.timeout(HORIZON_S), engine.connect() as connection:
        now = await connection.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())"))
        until = {"until": now.scalar_one()}
        passed = text("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= CAST(:until AS xid8)")
        while not (await connection.execute(passed, until)).scalar_one():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    await fold(engine, namespace, measure)


async def fold(engine: AsyncEngine, namespace: str, measure: Measure) -> None:
    """Fold what the horizon has passed, be it nothing."""
    wanted = projections.wanted_for(namespace, measure)
    async with transaction(engine) as connection:
        await projections.ensure(connection, wanted)
    for one in wanted:
        async with transaction(engine, isolation="REPEATABLE READ") as connection:
            await projections.fold(connection, one)


async def stored_events(store: PostgresEventStore, namespace: str) -> list[StoredEvent]:
    return await store.list_events(EventPage(namespace=namespace, limit=100_000))


@given(examples=st.data())
async def test_cells_and_rows_together_answer_what_the_rows_alone_would(
    event_store: PostgresEventStore,
    engine: AsyncEngine,
    agreed_changes: dict[str, list[datetime]],
    examples: st.DataObject,
) -> None:
    namespace = uuid4().hex
    zone = examples.draw(st.sampled_from([name for name in ZONES if agreed_changes[name]]))
    moments = times(examples.draw(st.sampled_from(agreed_changes[zone])))
    events = examples.draw(batches(namespace, moments))
    asked = examples.draw(st.lists(queries(namespace, zone, moments), min_size=4, max_size=4))
    while events:
        some = examples.draw(st.integers(1, len(events)))
        await event_store.append(events[:some])
        events = events[some:]
        for query in asked:
            if examples.draw(st.booleans()):
                await fold(engine, namespace, query.measure)
    without_cells = PostgresEventStore(engine, projections=False)
    for query in asked:
        assert await rows(event_store, query) == await rows(without_cells, query)


def event(namespace: str, number: int) -> Event:
    """Event `number` of a namespace: three subjects, two groups, four days, some without value."""
    value = "" if number % 7 == 0 else f'"v":{number}.5,'
    return Event(
        namespace=namespace,
        id=str(number),
        source="test",
        type="call",
        subject=f"subject-{number % 3}",
        time=START + timedelta(seconds=number * 977 % (4 * 86_400)),
        data=f'{{{value}"g":"{number % 2}"}}',
        ingested_at=START,
    )


GROUPS = {"g": Text(parse("$.g"), "")}


def measure(aggregation: Aggregation = Aggregation.SUM) -> Measure:
    path = parse("$.v")
    value = Text(path) if aggregation is Aggregation.UNIQUE_COUNT else Number(path)
    return Measure(
        aggregation=aggregation,
        event_type="call",
        value=None if aggregation is Aggregation.COUNT else value,
        groups=GROUPS,
    )


def questions(namespace: str, aggregation: Aggregation = Aggregation.SUM) -> list[UsageQuery]:
    asked = measure(aggregation)
    start, end = START + timedelta(minutes=7), START + timedelta(days=2, minutes=50)
    day = Tumbling(WindowSize.DAY, "America/New_York")
    return [
        UsageQuery(namespace=namespace, measure=asked),
        UsageQuery(namespace=namespace, measure=asked, group_by=("g",), start=start, end=end),
        UsageQuery(namespace=namespace, measure=asked, by_subject=True, axis=day),
        UsageQuery(
            namespace=namespace,
            measure=asked,
            axis=Tumbling(WindowSize.HOUR),
            start=start,
            end=end,
        ),
    ]


@pytest.mark.parametrize("aggregation", Aggregation)
async def test_dropping_every_cell_changes_nothing(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str, aggregation: Aggregation
) -> None:
    await event_store.append([event(namespace, number) for number in range(300)])
    await fold_all(engine, namespace, measure(aggregation))
    asked = questions(namespace, aggregation)
    folded = [await rows(event_store, query) for query in asked]
    async with transaction(engine) as connection:
        await connection.execute(delete(projection).where(projection.c.namespace == namespace))
    assert [await rows(event_store, query) for query in asked] == folded


async def test_a_late_event_is_seen_at_once_and_after_it_is_folded(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    total = UsageQuery(namespace=namespace, measure=measure(Aggregation.COUNT))
    await event_store.append([event(namespace, number) for number in range(1, 100)])
    await fold_all(engine, namespace, total.measure)
    late = event(namespace, 0)._replace(time=START - timedelta(days=300))
    await event_store.append([late])
    assert [row.value for row in await rows(event_store, total)] == [100]
    await fold_all(engine, namespace, total.measure)
    assert [row.value for row in await rows(event_store, total)] == [100]


async def test_an_event_whose_transaction_is_still_open_is_not_lost_to_the_watermark(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    """The transaction began before the fold and ends after it: the horizon waits for it."""
    total = UsageQuery(namespace=namespace, measure=measure(Aggregation.COUNT))
    copy_of_one = text(
        "INSERT INTO event (namespace, key, source, id, type, subject, time, ingested_at)"
        " VALUES (:namespace, gen_random_uuid(), 's', 'open', 'call', 'subject-0', now(), now())"
    )
    async with transaction(engine) as slow:
        await slow.execute(copy_of_one, {"namespace": namespace})
        await event_store.append([event(namespace, number) for number in range(50)])
        await fold(engine, namespace, total.measure)
        assert [row.value for row in await rows(event_store, total)] == [50]
    await fold(engine, namespace, total.measure)
    assert [row.value for row in await rows(event_store, total)] == [51]


async def test_a_fold_that_dies_midway_leaves_no_trace(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    asked = questions(namespace)
    await event_store.append([event(namespace, number) for number in range(200)])
    before = [await rows(event_store, query) for query in asked]
    wanted = projections.wanted_for(namespace, measure())
    async with transaction(engine) as connection:
        await projections.ensure(connection, wanted)
    for one in wanted:
        with suppress(Killed):
            async with transaction(engine, isolation="REPEATABLE READ") as connection:
                assert await projections.fold(connection, one)
                raise Killed
    assert [await rows(event_store, query) for query in asked] == before
    await fold(engine, namespace, measure())
    assert [await rows(event_store, query) for query in asked] == before


async def test_cells_of_another_cluster_are_not_believed_and_are_folded_anew(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    """As after a restore: the watermark counts transactions of a cluster that is not this one."""
    total = UsageQuery(namespace=namespace, measure=measure(Aggregation.COUNT))
    await event_store.append([event(namespace, number) for number in range(100)])
    await fold_all(engine, namespace, total.measure)
    async with transaction(engine) as connection:
        foreign = "UPDATE projection SET cluster = 1, watermark = '9000000000' WHERE namespace = :n"
        await connection.execute(text(foreign), {"n": namespace})
    await event_store.append([event(namespace, number) for number in range(100, 150)])
    assert [row.value for row in await rows(event_store, total)] == [150]
    await fold_all(engine, namespace, total.measure)  # starts again
    await fold_all(engine, namespace, total.measure)
    assert [row.value for row in await rows(event_store, total)] == [150]
    assert (await event_store.explain(total, rows_max=10)).cells is not None


async def test_cells_nearly_as_many_as_events_are_given_up(
    event_store: PostgresEventStore,
    engine: AsyncEngine,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projections, "SPARSE_AFTER_EVENTS", 100)
    await event_store.append(
        [event(namespace, n)._replace(subject=f"subject-{n}") for n in range(200)]
    )
    await fold_all(engine, namespace, measure())
    async with engine.connect() as connection:
        known = {one.kind: one for one in await projections.statuses(connection, namespace)}
        left = select(hourly_by_subject.c.hour).where(
            hourly_by_subject.c.projection_id == known[Kind.SUBJECT].id
        )
        assert (await connection.execute(left)).all() == []
    assert known[Kind.SUBJECT].sparse
    by_subject = questions(namespace)[2]
    kept = await stored_events(event_store, namespace)
    assert await rows(event_store, by_subject) == reference.run(by_subject, kept)


async def test_answers_stay_exact_while_several_write_and_several_fold(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    """Writers overlap, folders race, readers watch: a count never falls, and ends exact."""
    total = UsageQuery(namespace=namespace, measure=measure(Aggregation.COUNT))
    writing = asyncio.Event()

    async def write(writer: int) -> None:
        for step in range(20):
            first = step * 20 + writer * 7
            await event_store.append([event(namespace, first + i) for i in range(40)])

    async def fold_on() -> None:
        while not writing.is_set():
            try:
                await fold(engine, namespace, total.measure)
            except Unavailable:
                continue  # another one has just been

    async def watch() -> None:
        seen = 0
        while not writing.is_set():
            answer = await rows(event_store, total)
            count = int(answer[0].value) if answer else 0
            assert count >= seen
            seen = count

    async with asyncio.TaskGroup() as group:
        others = [group.create_task(fold_on()), group.create_task(fold_on())]
        others.append(group.create_task(watch()))
        async with asyncio.TaskGroup() as writers:
            for writer in range(3):
                writers.create_task(write(writer))
        writing.set()
    kept = await stored_events(event_store, namespace)
    await fold(engine, namespace, total.measure)
    for query in questions(namespace):
        await fold(engine, namespace, query.measure)
        assert await rows(event_store, query) == reference.run(query, kept)


def test_what_cells_cannot_tell_is_not_asked_of_them() -> None:
    minute = UsageQuery(namespace="n", measure=measure(), axis=Tumbling(WindowSize.MINUTE))
    half_hour = UsageQuery(
        namespace="n", measure=measure(), axis=Tumbling(WindowSize.DAY, "Asia/Kolkata")
    )
    both = UsageQuery(namespace="n", measure=measure(), by_subject=True, group_by=("g",))
    latest = UsageQuery(namespace="n", measure=measure(Aggregation.LATEST), axis=Whole())
    for query in (minute, half_hour, both, latest):
        assert kinds_for(query) == []
