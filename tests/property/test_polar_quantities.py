"""Quantities of random meters equal the plain telling, zone by zone and interval by interval."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from tests.property import polar
from tests.property.hostile import KEYS, NUMERIC_STRINGS, SUBJECTS, TYPES, batches, texts
from tests.property.test_sql_equals_reference import rows_in_sql, stored

from monometer.core import reference
from monometer.core.aggregation import Aggregation
from monometer.core.definition import read
from monometer.core.meter import Measure
from monometer.core.quantities import Quantities, QuantitiesQuery, answer
from monometer.core.usage import UsageQuery, UsageRow
from monometer.core.windows import WindowSize
from monometer.store.postgres_events import PostgresEventStore

# Without half-hour changes: an hour that one cuts short has no name in the plain telling.
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin", "Pacific/Apia", "Africa/Cairo"]
CHANGES = [
    datetime(2024, 3, 10, 7, tzinfo=UTC),
    datetime(2024, 11, 3, 6, tzinfo=UTC),
    datetime(2024, 10, 27, 1, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC),
    datetime(2024, 12, 31, 23, tzinfo=UTC),
]
DAYS = {"hour": 2, "day": 20, "week": 60, "month": 300, "year": 1500}
FUNCTIONS = ["count", "sum", "max", "min", "avg", "unique"]
OPERATORS = ["eq", "ne", "gt", "gte", "lt", "lte", "like", "not_like"]
EPOCHS = [int(at.timestamp()) for at in CHANGES]

properties = st.sampled_from(
    ["v", "v", "v", "g", "name", "source", "timestamp", "v.g", "g.v.v"]
) | (st.sampled_from([key for key in KEYS if key]).map(str))
values = (
    st.sampled_from([*NUMERIC_STRINGS, *SUBJECTS, *TYPES, "user", "t", "f", "rue", "\\", "%", "_"])
    | texts
    | st.integers(-3, 12)
    | st.sampled_from(EPOCHS)
    | st.booleans()
)
clauses = st.fixed_dictionaries(
    {"property": properties, "operator": st.sampled_from(OPERATORS), "value": values}
)
of_type = st.fixed_dictionaries(
    {"property": st.just("name"), "operator": st.just("eq"), "value": st.just("call")}
)


def _trees(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "conjunction": st.sampled_from(["and", "or"]),
            "clauses": st.lists(inner, max_size=3),
        }
    )


filters = _trees(of_type) | _trees(clauses | of_type | _trees(clauses | _trees(clauses)))
aggregations = st.fixed_dictionaries(
    {"func": st.sampled_from(FUNCTIONS), "property": st.just("v") | properties}
)


@st.composite
def periods(draw: st.DrawFn, interval: str) -> tuple[datetime, datetime]:
    start = draw(st.sampled_from(CHANGES)) + draw(
        st.sampled_from(
            [timedelta(0), timedelta(days=-1), timedelta(minutes=-150), timedelta(hours=3)]
        )
    )
    return start, start + timedelta(hours=draw(st.integers(0, 24 * DAYS[interval])))


moments = st.builds(
    lambda at, hours, odd: at + timedelta(hours=hours) + odd,
    st.sampled_from(CHANGES),
    st.integers(-30, 30) | st.integers(-3_000, 3_000),
    st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(minutes=30)]),
)


def told(query: QuantitiesQuery, rows: list[UsageRow], over: list[UsageRow]) -> Quantities:
    return answer(query, rows, over[0].value if over else None)


@given(examples=st.data())
async def test_quantities_equal_the_plain_telling(
    event_store: PostgresEventStore, examples: st.DataObject
) -> None:
    namespace = uuid4().hex
    events = examples.draw(batches(namespace, moments))
    kept = await stored(event_store, events)
    for _ in range(2):
        meter = {"filter": examples.draw(filters), "aggregation": examples.draw(aggregations)}
        interval = examples.draw(st.sampled_from(list(DAYS)))
        zone = examples.draw(st.sampled_from(ZONES))
        across = examples.draw(st.none() | st.sampled_from(FUNCTIONS))
        start, end = examples.draw(periods(interval))
        query = _query(
            namespace, meter, period=(start, end), interval=interval, zone=zone, across=across
        )
        # Whoever asks makes people of subjects; here each is one.
        by_bucket = replace(query.by_bucket(), by_subject=across is not None)
        over = query.over_events()
        points, total = polar.quantities(
            meter,
            events,
            points=query.points(),
            interval=interval,
            zone=ZoneInfo(zone),
            across=across,
        )
        in_sql = told(
            query,
            await rows_in_sql(event_store, by_bucket),
            [] if over is None else await rows_in_sql(event_store, over),
        )
        in_python = told(
            query,
            reference.run(by_bucket, kept),
            [] if over is None else reference.run(over, kept),
        )
        assert in_sql == in_python
        assert all(
            _is_close(value, one) for (_, value), one in zip(in_sql.points, points, strict=True)
        )
        assert _is_close(in_sql.total, total)


def _query(
    namespace: str,
    meter: dict[str, Any],
    *,
    period: tuple[datetime, datetime],
    interval: str,
    zone: str,
    across: str | None,
) -> QuantitiesQuery:
    says = read({"dialect": "polar", **meter})
    measure = Measure(
        aggregation=says.aggregation, event_type=says.event_type, value=says.value, where=says.where
    )
    unique = {"unique": "UNIQUE_COUNT"}
    return QuantitiesQuery(
        usage=UsageQuery(namespace=namespace, measure=measure),
        start=period[0],
        end=period[1],
        size=WindowSize(interval.upper()),
        zone=zone,
        across=None if across is None else Aggregation(unique.get(across, across.upper())),
    )


def _is_close(told: Decimal, number: Fraction) -> bool:
    """Exact, but for means, whose last digits are rounded."""
    return abs(Fraction(told) - number) <= abs(number) * Fraction(1, 10**25)
