"""Servers that fold at the same time, and are killed at it, count every event once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.calls import event, measure, questions, rows, stored_events
from tests.support.folding import EVENTS_MAX, Folds

from monometer.core import reference
from monometer.core.aggregation import Aggregation
from monometer.core.errors import Unavailable
from monometer.core.usage import UsageQuery
from monometer.store.engine import transaction
from monometer.store.fold import fold
from monometer.store.postgres_events import PostgresEventStore


class Killed(Exception):
    """What ends a fold in its middle."""


class Race:
    """Writers overlap, folders race, measures come, a reader watches: a count never falls."""

    WRITERS, FOLDERS, STEPS = 3, 3, 20

    def __init__(self, store: PostgresEventStore, engine: AsyncEngine, namespace: str) -> None:
        self.store, self.namespace = store, namespace
        self.folds = Folds(engine)
        self.ended = asyncio.Event()

    async def run(self) -> None:
        await self.folds.want(self.namespace, measure(Aggregation.COUNT))
        async with asyncio.TaskGroup() as others:
            for number in range(self.FOLDERS):
                others.create_task(self._fold(number))
            others.create_task(self._watch())
            async with asyncio.TaskGroup() as writers:
                for number in range(self.WRITERS):
                    writers.create_task(self._write(number))
            self.ended.set()

    async def _write(self, number: int) -> None:
        for step in range(self.STEPS):
            first = step * self.STEPS + number * 7
            await self.store.append([event(self.namespace, first + i) for i in range(40)])
            if step == self.STEPS // 2:
                await self.folds.want(self.namespace, measure(list(Aggregation)[number]))

    async def _fold(self, number: int) -> None:
        while not self.ended.is_set():
            with suppress(Unavailable):  # another one has just been
                known = await self.folds.cohorts()
                await self.folds.step(number % len(known), events_max=50)

    async def _watch(self) -> None:
        total = UsageQuery(namespace=self.namespace, measure=measure(Aggregation.COUNT))
        seen = 0
        while not self.ended.is_set():
            answer = await rows(self.store, total)
            count = int(answer[0].value) if answer else 0
            assert count >= seen
            seen = count


async def test_answers_stay_exact_while_several_write_and_several_fold(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    race = Race(event_store, engine, namespace)
    await race.run()
    kept = await stored_events(event_store, namespace)
    await race.folds.all()
    for aggregation in Aggregation:
        for query in questions(namespace, aggregation):
            assert await rows(event_store, query) == reference.run(query, kept)


async def test_a_fold_that_dies_midway_leaves_no_trace(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    asked = questions(namespace)
    await event_store.append([event(namespace, number) for number in range(200)])
    before = [await rows(event_store, query) for query in asked]
    folds = Folds(engine)
    await folds.want(namespace, measure())
    known = await folds.cohorts()
    for one, onto in zip(known, [None, *known], strict=False):
        with suppress(Killed):
            async with transaction(engine, isolation="REPEATABLE READ") as connection:
                await fold(connection, one, onto, folds.wanted, events_max=EVENTS_MAX)
                raise Killed
    assert [(one.id, one.watermark) for one in await folds.cohorts()] == [
        (one.id, one.watermark) for one in known
    ]
    assert [await rows(event_store, query) for query in asked] == before
    await folds.all()
    assert [await rows(event_store, query) for query in asked] == before


async def fold_after(
    engine: AsyncEngine, folds: Folds, meanwhile: Callable[[], Awaitable[None]]
) -> None:
    """Fold the leader with a snapshot that is older than what `meanwhile` does."""
    [leader, *_] = await folds.cohorts()
    async with transaction(engine, isolation="REPEATABLE READ") as connection:
        await connection.execute(text("SELECT pg_current_snapshot()"))
        await meanwhile()
        await fold(connection, leader, None, folds.wanted, events_max=EVENTS_MAX)


async def test_a_fold_that_does_not_see_a_new_projection_fails(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    """It would move the watermark past events that the new projection then never counts."""
    folds, other = Folds(engine), f"{namespace}-other"
    await folds.want(namespace, measure())
    await folds.all()

    async def somebody_defines_a_meter() -> None:
        await folds.want(other, measure(Aggregation.COUNT))
        await event_store.append([event(other, number) for number in range(10)])

    with pytest.raises(Unavailable):
        await fold_after(engine, folds, somebody_defines_a_meter)
    await folds.all()
    total = UsageQuery(namespace=other, measure=measure(Aggregation.COUNT))
    assert [row.value for row in await rows(event_store, total)] == [10]


async def test_while_one_folds_another_finds_nothing_to_do(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    folds = Folds(engine)
    await folds.want(namespace, measure())
    await event_store.append([event(namespace, number) for number in range(10)])
    [leader] = await folds.cohorts()
    async with transaction(engine, isolation="REPEATABLE READ") as connection:
        await fold(connection, leader, None, folds.wanted, events_max=EVENTS_MAX)
        assert await folds.step() is None


async def test_one_that_waited_for_the_lock_does_not_fold_twice(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    folds = Folds(engine)
    await folds.want(namespace, measure())
    await event_store.append([event(namespace, number) for number in range(10)])
    with pytest.raises(Unavailable):
        await fold_after(engine, folds, folds.all)
