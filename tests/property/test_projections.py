"""Cells change how an answer is found, never the answer."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.property.hostile import batches, times
from tests.property.questions import queries
from tests.property.test_sql_equals_reference import ZONES
from tests.support.calls import START, event, measure, questions, rows, stored_events
from tests.support.folding import Folds, fold_all

from monometer.core import reference
from monometer.core.aggregation import Aggregation
from monometer.core.usage import Tumbling, UsageQuery, Whole
from monometer.core.windows import WindowSize
from monometer.store import fold, projections
from monometer.store.cells import Kind, kinds_for
from monometer.store.engine import transaction
from monometer.store.postgres_events import PostgresEventStore
from monometer.store.tables import hourly_by_subject

# Which cohort, and how many events of it.
STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 20)), max_size=3)


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
    folds = Folds(engine)
    while events:
        some = examples.draw(st.integers(1, len(events)))
        await event_store.append(events[:some])
        events = events[some:]
        if new := examples.draw(st.lists(st.sampled_from(asked), max_size=2)):
            await folds.want(namespace, *(query.measure for query in new))
        for number, events_max in examples.draw(STEPS):
            if known := await folds.cohorts():
                await folds.step(number % len(known), events_max=events_max)
    without_cells = PostgresEventStore(engine, projections=False)
    for query in asked:
        assert await rows(event_store, query) == await rows(without_cells, query)


@pytest.mark.parametrize("aggregation", Aggregation)
async def test_dropping_every_cell_changes_nothing(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str, aggregation: Aggregation
) -> None:
    await event_store.append([event(namespace, number) for number in range(300)])
    await fold_all(engine, namespace, measure(aggregation))
    asked = questions(namespace, aggregation)
    folded = [await rows(event_store, query) for query in asked]
    async with transaction(engine) as connection:
        had = await projections.statuses(connection, namespace)
        assert len(had) == len(projections.wanted_for(namespace, measure(aggregation)))
        await projections.drop_all(connection)
        assert await projections.statuses(connection, namespace) == []
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
        folds = Folds(engine)
        await folds.want(namespace, total.measure)
        await folds.step()
        assert [row.value for row in await rows(event_store, total)] == [50]
    await folds.all()
    assert [row.value for row in await rows(event_store, total)] == [51]


async def test_cells_nearly_as_many_as_events_are_given_up(
    event_store: PostgresEventStore,
    engine: AsyncEngine,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fold, "SPARSE_AFTER_EVENTS", 100)
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


def test_what_cells_cannot_tell_is_not_asked_of_them() -> None:
    minute = UsageQuery(namespace="n", measure=measure(), axis=Tumbling(WindowSize.MINUTE))
    half_hour = UsageQuery(
        namespace="n", measure=measure(), axis=Tumbling(WindowSize.DAY, "Asia/Kolkata")
    )
    both = UsageQuery(namespace="n", measure=measure(), by_subject=True, group_by=("g",))
    latest = UsageQuery(namespace="n", measure=measure(Aggregation.LATEST), axis=Whole())
    for query in (minute, half_hour, both, latest):
        assert kinds_for(query) == []
