"""Usage of many periods at once is, period by period, what the reference says."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.property.hostile import batches, times
from tests.property.questions import period_queries
from tests.property.test_sql_equals_reference import ZONES, stored
from tests.support.folding import Folds

from monometer.core import reference
from monometer.core.event import StoredEvent
from monometer.core.usage import PeriodsQuery
from monometer.store.engine import reading
from monometer.store.period_usage import PeriodUsage
from monometer.store.postgres_events import PostgresEventStore


async def answers(
    engine: AsyncEngine, usage: PeriodUsage, queries: Sequence[PeriodsQuery]
) -> list[list[Decimal]]:
    async with reading(engine) as connection:
        found = await usage.of(connection, queries)
    return [
        [of_query.get(period, Decimal(0)) for period in query.periods]
        for query, of_query in zip(queries, found, strict=True)
    ]


def expected(queries: Sequence[PeriodsQuery], events: list[StoredEvent]) -> list[list[Decimal]]:
    return [reference.run_periods(query, events) for query in queries]


@settings(max_examples=40, phases=[Phase.explicit, Phase.generate])  # each waits for folds
@given(examples=st.data())
async def test_usage_of_many_periods_equals_the_reference_with_cells_and_without(
    event_store: PostgresEventStore,
    engine: AsyncEngine,
    agreed_changes: dict[str, list[datetime]],
    examples: st.DataObject,
) -> None:
    namespace = uuid4().hex
    zone = examples.draw(st.sampled_from([name for name in ZONES if agreed_changes[name]]))
    moments = times(examples.draw(st.sampled_from(agreed_changes[zone])))
    asked = examples.draw(st.lists(period_queries(namespace, moments), min_size=4, max_size=4))
    events = examples.draw(batches(namespace, moments))
    cut = examples.draw(st.integers(0, len(events)))
    with_cells, without = PeriodUsage(), PeriodUsage(projections=False)
    await event_store.append(events[:cut])
    folds = Folds(engine)
    await folds.want(namespace, *(query.measure for query in asked))
    await folds.all()
    await answers(engine, with_cells, asked)  # and so it knows where cells lie
    await event_store.append(events[cut:])
    known = await stored(event_store, events)  # nothing new, but for when it was stored
    right = expected(asked, known)
    assert await answers(engine, without, asked) == right
    assert await answers(engine, with_cells, asked) == right
    await folds.all()  # what it knew is out of date
    assert await answers(engine, with_cells, asked) == right
