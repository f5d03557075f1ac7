"""SQL is held to the fold: the same rows for every question over every data."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.property.hostile import batches, times
from tests.property.questions import expressions, predicates, queries
from tests.support.events import NOON

from monometer.core import reference
from monometer.core.evaluation import evaluate, facts_of, holds
from monometer.core.event import Event, StoredEvent
from monometer.core.usage import UsageQuery, UsageRow
from monometer.store.event_store import EventPage
from monometer.store.expression_sql import predicate_sql, value_sql
from monometer.store.postgres_events import PostgresEventStore
from monometer.store.tables import event as event_table

ZONES = [
    "UTC", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns",
    "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "Atlantic/Azores",
    "Pacific/Apia", "Europe/Berlin", "CET", "Africa/Cairo", "Asia/Pyongyang", "America/Caracas",
    "Pacific/Kiritimati", "Etc/GMT+12",
]  # fmt: skip


async def stored(store: PostgresEventStore, events: Sequence[Event]) -> list[StoredEvent]:
    """The events as they were sent, with the time at which PostgreSQL stored them."""
    if not events:
        return []
    half = len(events) // 2  # two transactions: two times of storing
    await store.append(events[:half])
    await store.append(events[half:])
    page = EventPage(namespace=events[0].namespace, limit=len(events) + 1)
    listed = await store.list_events(page)
    stored_at = {(one.event.source, one.event.id): one.stored_at for one in listed}
    return [StoredEvent(event, stored_at[event.source, event.id]) for event in events]


async def rows_in_sql(store: PostgresEventStore, query: UsageQuery) -> list[UsageRow]:
    async with store.usage(query, rows_max=10_000) as batches:
        return [row async for batch in batches for row in batch]


@given(examples=st.data())
async def test_sql_answers_the_same_rows_as_the_reference(
    event_store: PostgresEventStore,
    agreed_changes: dict[str, list[datetime]],
    examples: st.DataObject,
) -> None:
    namespace = uuid4().hex
    zone = examples.draw(st.sampled_from([name for name in ZONES if agreed_changes[name]]))
    moments = times(examples.draw(st.sampled_from(agreed_changes[zone])))
    events = await stored(event_store, examples.draw(batches(namespace, moments)))
    for query in examples.draw(st.lists(queries(namespace, zone, moments), min_size=6, max_size=6)):
        assert await rows_in_sql(event_store, query) == reference.run(query, events)


@given(examples=st.data())
async def test_an_expression_means_the_same_in_sql_as_in_python(
    event_store: PostgresEventStore, engine: AsyncEngine, examples: st.DataObject
) -> None:
    namespace = uuid4().hex
    events = await stored(event_store, examples.draw(batches(namespace, times(NOON))))
    asked = examples.draw(st.lists(expressions(), min_size=8, max_size=8))
    columns = [value_sql(one).label(f"value_{i}") for i, one in enumerate(asked)]
    statement = select(event_table.c.source, event_table.c.id, *columns)
    async with engine.connect() as connection:
        result = await connection.execute(statement.where(event_table.c.namespace == namespace))
        in_sql = {(row.source, row.id): list(row[2:]) for row in result}
    for one in events:
        in_python = [evaluate(expression, facts_of(one)) for expression in asked]
        assert in_sql[one.event.source, one.event.id] == in_python


@given(examples=st.data())
async def test_a_predicate_holds_for_the_same_events_in_sql_as_in_python(
    event_store: PostgresEventStore, engine: AsyncEngine, examples: st.DataObject
) -> None:
    namespace = uuid4().hex
    events = await stored(event_store, examples.draw(batches(namespace, times(NOON))))
    asked = examples.draw(st.lists(predicates(), min_size=8, max_size=8))
    columns = [case((predicate_sql(one), 1), else_=0).label(str(i)) for i, one in enumerate(asked)]
    statement = select(event_table.c.source, event_table.c.id, *columns)
    async with engine.connect() as connection:
        result = await connection.execute(statement.where(event_table.c.namespace == namespace))
        in_sql = {(row.source, row.id): list(row[2:]) for row in result}
    for one in events:
        in_python = [int(holds(predicate, facts_of(one))) for predicate in asked]
        assert in_sql[one.event.source, one.event.id] == in_python
