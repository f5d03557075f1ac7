"""Usage of many periods at once is, period by period, what the reference says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.property.hostile import batches, times
from tests.property.questions import period_queries
from tests.property.test_sql_equals_reference import stored
from tests.support.events import NOON, event
from tests.support.folding import Folds

from monometer.core import reference
from monometer.core.aggregation import Aggregation
from monometer.core.event import Event
from monometer.core.expression import Number
from monometer.core.jsonpath import Path
from monometer.core.meter import Measure
from monometer.core.usage import PeriodsQuery
from monometer.core.windows import Period
from monometer.store.engine import reading
from monometer.store.period_usage import PeriodUsage
from monometer.store.postgres_events import PostgresEventStore

MOMENTS = times(NOON) | times(datetime(1883, 11, 18, 12, 3, 58, tzinfo=UTC))
QUERIES = st.lists(period_queries("", MOMENTS), min_size=4, max_size=4)


async def answers(
    engine: AsyncEngine, usage: PeriodUsage, queries: Sequence[PeriodsQuery]
) -> list[list[Decimal]]:
    async with reading(engine) as connection:
        found = await usage.of(connection, queries)
    return [
        [of_query.get(period, Decimal(0)) for period in query.periods]
        for query, of_query in zip(queries, found, strict=True)
    ]


@given(queries=QUERIES, events=batches("", MOMENTS))
async def test_usage_of_many_periods_equals_the_reference(
    event_store: PostgresEventStore,
    engine: AsyncEngine,
    queries: list[PeriodsQuery],
    events: list[Event],
) -> None:
    namespace: dict[str, Any] = {"namespace": uuid4().hex}
    asked = [replace(query, **namespace) for query in queries]
    known = await stored(event_store, [event._replace(**namespace) for event in events])
    right = [reference.run_periods(query, known) for query in asked]
    assert await answers(engine, PeriodUsage(projections=False), asked) == right


async def test_each_period_has_a_last_value_of_its_own(
    event_store: PostgresEventStore, engine: AsyncEngine, namespace: str
) -> None:
    days = [NOON + timedelta(days=day) for day in range(4)]
    make = partial(event, namespace, type="call", subject="ann")
    values = zip("123", days, strict=False)
    await event_store.append([make(id=v, time=at, data=f'{{"v": {v}}}') for v, at in values])
    level = Measure(aggregation=Aggregation.LATEST, event_type="call", value=Number(Path(("v",))))
    query = PeriodsQuery(
        namespace=namespace,
        measure=level,
        subjects=("ann",),
        periods=(*map(Period, days, days[1:]), Period(days[0], days[2])),
    )
    (found,) = await answers(engine, PeriodUsage(), [query])
    assert found == [1, 2, 3, 2]


@settings(max_examples=10)  # each waits for two folds
@given(queries=QUERIES, early=batches("", MOMENTS), late=batches("", MOMENTS))
async def test_usage_of_many_periods_equals_the_reference_with_cells_and_without(
    event_store: PostgresEventStore,
    engine: AsyncEngine,
    queries: list[PeriodsQuery],
    early: list[Event],
    late: list[Event],
) -> None:
    namespace: dict[str, Any] = {"namespace": uuid4().hex}
    asked = [replace(query, **namespace) for query in queries]
    first = [event._replace(**namespace) for event in early]
    sources = {(event.source, event.id) for event in early}
    second = [e._replace(**namespace) for e in late if (e.source, e.id) not in sources]
    with_cells, without = PeriodUsage(), PeriodUsage(projections=False)
    await event_store.append(first)
    folds = Folds(engine)
    await folds.want(namespace["namespace"], *(query.measure for query in asked))
    await folds.all()
    await answers(engine, with_cells, asked)  # and so it knows where cells lie
    await event_store.append(second)
    known = await stored(event_store, [*first, *second])  # nothing new, but for when it was stored
    right = [reference.run_periods(query, known) for query in asked]
    assert await answers(engine, without, asked) == right
    assert await answers(engine, with_cells, asked) == right
    await folds.all()  # what it knew is out of date
    assert await answers(engine, with_cells, asked) == right
