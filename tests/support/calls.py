"""Calls of a service as events, measures of them, and what is asked of these."""

from datetime import UTC, datetime, timedelta

from monometer.core.aggregation import Aggregation
from monometer.core.event import Event, StoredEvent
from monometer.core.expression import Number, Text
from monometer.core.jsonpath import parse
from monometer.core.meter import Measure
from monometer.core.usage import Tumbling, UsageQuery, UsageRow
from monometer.core.windows import WindowSize
from monometer.store.event_store import EventPage
from monometer.store.postgres_events import PostgresEventStore

START = datetime(2024, 3, 9, tzinfo=UTC)
GROUPS = {"g": Text(parse("$.g"), "")}


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


async def rows(store: PostgresEventStore, query: UsageQuery) -> list[UsageRow]:
    async with store.usage(query, rows_max=10_000) as batches:
        return [row async for batch in batches for row in batch]


async def stored_events(store: PostgresEventStore, namespace: str) -> list[StoredEvent]:
    return await store.list_events(EventPage(namespace=namespace, limit=100_000))
