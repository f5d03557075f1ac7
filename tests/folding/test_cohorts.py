"""Projections share a watermark; new ones catch up, unwanted ones are left behind."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.calls import event, measure, questions, rows, stored_events
from tests.support.folding import Folds

from monometer.core import reference
from monometer.core.aggregation import Aggregation
from monometer.core.usage import UsageQuery
from monometer.store import projections
from monometer.store.engine import reading, transaction
from monometer.store.postgres_events import PostgresEventStore
from monometer.store.projections import Status
from monometer.store.restored import renumber
from monometer.store.tables import hourly_by_group, hourly_by_subject, projection

COUNT = measure(Aggregation.COUNT)


@pytest.fixture
async def folds(engine: AsyncEngine) -> Folds:
    """Nothing is left of what other tests wanted."""
    async with transaction(engine) as connection:
        await projections.drop_all(connection)
    folds = Folds(engine)
    await folds.want("nobody", COUNT)
    await folds.all()
    return folds


async def statuses(engine: AsyncEngine, namespace: str) -> list[Status]:
    async with reading(engine) as connection:
        return await projections.statuses(connection, namespace)


async def count(store: PostgresEventStore, namespace: str) -> int:
    [row] = await rows(store, UsageQuery(namespace=namespace, measure=COUNT))
    return int(row.value)


async def test_a_projection_of_a_new_type_needs_not_catch_up(folds: Folds, namespace: str) -> None:
    await folds.want(namespace, COUNT)
    assert len(await folds.cohorts()) == 1


async def test_a_projection_of_a_known_type_catches_up_in_a_cohort_of_its_own(
    folds: Folds, event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    for i in range(10):
        await event_store.append([event(namespace, i * 10 + j) for j in range(10)])
    await folds.all()
    await folds.want(namespace, COUNT)
    watermarks = set()
    while len(await folds.cohorts()) > 1:
        watermarks.add((await folds.cohorts())[1].watermark)
        await event_store.append([event(namespace, 100 + len(watermarks))])
        await folds.step()  # the leader goes on
        assert await count(event_store, namespace) == 100 + len(watermarks)
        await folds.step(1, events_max=15)
    assert len(watermarks) > 4
    assert await count(event_store, namespace) == 100 + len(watermarks)
    await folds.all()
    assert {one.events for one in await statuses(engine, namespace)} == {100 + len(watermarks)}


async def test_new_projections_of_one_moment_share_a_cohort(
    folds: Folds, event_store: PostgresEventStore, namespace: str
) -> None:
    await event_store.append([event(namespace, number) for number in range(10)])
    await folds.all()
    await folds.want(namespace, *(measure(aggregation) for aggregation in Aggregation))
    assert len(await folds.cohorts()) == 2


async def test_a_chunk_holds_whole_transactions(
    folds: Folds, event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    await folds.want(namespace, COUNT)
    for i in range(3):
        await event_store.append([event(namespace, i * 10 + j) for j in range(10)])
    await folds.wait()
    folded = await folds.step(events_max=11)
    assert folded is not None
    assert folded.more
    assert {one.events for one in await statuses(engine, namespace)} == {20}


async def test_what_nobody_wants_is_left_behind_and_goes_on_when_it_is_wanted_again(
    folds: Folds, event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    await folds.want(namespace, COUNT)
    await event_store.append([event(namespace, number) for number in range(10)])
    await folds.all()
    before = await statuses(engine, namespace)
    gone = {key: folds.wanted.pop(key) for key in list(folds.wanted) if key[0] == namespace}
    await event_store.append([event(namespace, number) for number in range(10, 20)])
    await folds.all()
    assert [one.unwanted for one in await statuses(engine, namespace)] == [True, True]
    assert await count(event_store, namespace) == 20
    folds.wanted.update(gone)
    await folds.want(namespace, COUNT)
    await folds.all()
    after = await statuses(engine, namespace)
    assert [one.id for one in after] == [one.id for one in before]
    assert [(one.events, one.unwanted) for one in after] == [(20, False)] * 2


async def test_what_nobody_has_wanted_for_long_is_dropped_with_its_cells(
    folds: Folds, event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    await folds.want(namespace, COUNT)
    await event_store.append([event(namespace, number) for number in range(10)])
    await folds.all()
    ids = [one.id for one in await statuses(engine, namespace)]
    folds.wanted.clear()
    await folds.want("nobody", COUNT)
    for before, left in ((timedelta(hours=-1), 2), (timedelta(hours=1), 0)):
        async with transaction(engine) as connection:
            await projections.drop_unwanted(connection, datetime.now(UTC) + before)  # noqa: TID251 - the database's clock
        assert len(await statuses(engine, namespace)) == left
    while await _dropped(engine):
        async with transaction(engine) as connection:
            await projections.delete_dropped_cells(connection)
    async with reading(engine) as connection:
        for table in (hourly_by_group, hourly_by_subject):
            kept = select(func.count()).where(table.c.projection_id.in_(ids))
            assert (await connection.execute(kept)).scalar_one() == 0
    assert await count(event_store, namespace) == 10


async def _dropped(engine: AsyncEngine) -> int:
    dropped = select(func.count()).where(projection.c.cohort_id.is_(None))
    async with reading(engine) as connection:
        number: int = (await connection.execute(dropped)).scalar_one()
    return number


async def test_events_that_cannot_be_folded_hold_up_no_other_type(
    folds: Folds, event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    """Ingest refuses such numbers; whoever writes into the table need not."""
    other = f"{namespace}-other"
    total = measure(Aggregation.SUM)
    await folds.want(namespace, total)
    await folds.want(other, total)
    async with transaction(engine) as connection:
        for number in range(10):
            await connection.execute(_INSERT, {"namespace": namespace, "id": str(number)})
    await event_store.append([event(other, number) for number in range(10)])
    await folds.all()
    assert all(one.unwanted for one in await statuses(engine, namespace))
    assert {(one.events, one.unwanted) for one in await statuses(engine, other)} == {(10, False)}


_INSERT = text("""
INSERT INTO event (namespace, key, source, id, type, subject, time, data, ingested_at)
VALUES (:namespace, gen_random_uuid(), 'test', :id, 'call', 'ann', now(),
        CAST('{"v" : 9e131071}' AS jsonb), now())
""")


async def test_cells_of_another_cluster_are_not_believed_and_are_folded_anew(
    folds: Folds, event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    """As after a restore: the watermark counts transactions of a cluster that is not this one."""
    await folds.want(namespace, COUNT)
    await event_store.append([event(namespace, number) for number in range(100)])
    await folds.all()
    async with transaction(engine) as connection:
        await connection.execute(
            text("UPDATE cohort SET cluster = 1, watermark = '9000000000000000000'")
        )
    await event_store.append([event(namespace, number) for number in range(100, 150)])
    assert await count(event_store, namespace) == 150
    assert await folds.step() is None
    await folds.want(namespace, COUNT)
    await folds.all()
    assert await count(event_store, namespace) == 150
    assert {one.events for one in await statuses(engine, namespace)} == {150}


async def test_restored_events_from_the_future_are_taken_over_and_folded(
    folds: Folds, event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    """This cluster would not count so far for years, and no watermark could pass them."""
    await folds.want(namespace, COUNT)
    await event_store.append([event(namespace, number) for number in range(100)])
    async with transaction(engine) as connection:
        future = text("UPDATE event SET xid = '9000000000' WHERE namespace = :n AND id < '5'")
        changed = (await connection.execute(future, {"n": namespace})).rowcount
    await folds.all()
    assert await count(event_store, namespace) == 100
    async with transaction(engine) as connection:
        assert await renumber(connection) == changed
        assert await renumber(connection) == 0
    assert await count(event_store, namespace) == 100
    await folds.all()
    assert await count(event_store, namespace) == 100
    assert {one.events for one in await statuses(engine, namespace)} == {100}


@pytest.mark.parametrize("kinds", [list(Aggregation), list(Aggregation)[::-1]])
async def test_measures_of_one_type_are_folded_from_one_reading_as_from_many(
    folds: Folds,
    event_store: PostgresEventStore,
    namespace: str,
    kinds: list[Aggregation],
) -> None:
    await folds.want(namespace, *(measure(aggregation) for aggregation in kinds))
    await event_store.append([event(namespace, number) for number in range(300)])
    await folds.all()
    kept = await stored_events(event_store, namespace)
    for aggregation in kinds:
        for query in questions(namespace, aggregation):
            assert await rows(event_store, query) == reference.run(query, kept)
