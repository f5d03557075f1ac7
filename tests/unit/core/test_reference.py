"""The fold on a handful of events that can be added up by hand. SQL: tests/property."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.events import event, stored

from monometer.core import reference
from monometer.core.aggregation import Aggregation
from monometer.core.event import StoredEvent
from monometer.core.expression import Attribute, Compare, Literal, Number, Text
from monometer.core.jsonpath import parse
from monometer.core.meter import Measure
from monometer.core.usage import Tumbling, UsageQuery, UsageRow
from monometer.core.windows import Period, WindowSize

DAY = timedelta(days=1)
MONDAY = datetime(2024, 6, 3, tzinfo=UTC)


def call(day: int, subject: str, tokens: str, model: str = '"m"', hour: int = 12) -> StoredEvent:
    time = MONDAY + day * DAY + timedelta(hours=hour, seconds=30)
    data = f'{{"tokens": {tokens}, "model": {model}}}'
    return stored(event(time=time, subject=subject, data=data))


EVENTS = [
    call(0, "ann", "1.5"),
    call(0, "bob", '"2"', model='"x"'),
    call(0, "ann", "null"),
    call(2, "ann", "4", model="null"),
    call(2, "ann", '"many"', model='"x"'),
    stored(event(type="other", time=MONDAY, data='{"tokens": 100}')),
    stored(event("elsewhere", time=MONDAY, data='{"tokens": 100}')),
]

QUERY = UsageQuery(
    namespace="ns",
    measure=Measure(
        aggregation=Aggregation.SUM,
        event_type="call",
        value=Number(parse("$.tokens")),
        groups={"model": Text(parse("$.model"), "")},
    ),
)
WEDNESDAY = MONDAY + 2 * DAY


def answer(query: UsageQuery) -> list[tuple[datetime, str | None, tuple[str, ...], Decimal]]:
    rows = reference.run(query, EVENTS)
    return [(row.period.start, row.subject, row.group, row.value) for row in rows]


def test_the_whole_period_runs_from_its_first_to_past_its_last_minute() -> None:
    start, end = MONDAY + timedelta(hours=12), WEDNESDAY + timedelta(hours=12, minutes=1)
    row = UsageRow(Period(start, end), None, (), Decimal("7.5"))
    assert reference.run(QUERY, EVENTS) == [row]


def test_a_given_bound_is_the_bound_of_the_period() -> None:
    (row,) = reference.run(replace(QUERY, start=MONDAY, end=MONDAY + 9 * DAY), EVENTS)
    assert row.period == Period(MONDAY, MONDAY + 9 * DAY)


def test_windows_without_events_have_no_row() -> None:
    assert answer(replace(QUERY, axis=Tumbling(WindowSize.DAY))) == [
        (MONDAY, None, (), Decimal("3.5")),
        (WEDNESDAY, None, (), Decimal(4)),
    ]


def test_rows_are_grouped_by_subject_and_by_groups_in_the_order_asked_for() -> None:
    query = replace(QUERY, axis=Tumbling(WindowSize.WEEK), by_subject=True, group_by=("model",))
    assert answer(query) == [
        (MONDAY, "ann", ("",), Decimal(4)),
        (MONDAY, "ann", ("m",), Decimal("1.5")),
        (MONDAY, "bob", ("x",), Decimal(2)),
    ]


def test_a_group_without_any_value_has_no_row_but_is_counted() -> None:
    x = Compare("=", Text(parse("$.model"), ""), Literal("x"))
    ann = replace(QUERY, subjects=("ann",), where=x)
    assert answer(ann) == []
    count = replace(ann, measure=replace(QUERY.measure, aggregation=Aggregation.COUNT, value=None))
    assert [value for *_, value in answer(count)] == [1]


@pytest.mark.parametrize(
    ("changed", "total"),
    [
        ({}, "7.5"),
        ({"start": MONDAY + timedelta(hours=12, seconds=30)}, "7.5"),  # included
        ({"start": MONDAY + timedelta(hours=12, seconds=31)}, "4"),
        ({"end": WEDNESDAY + timedelta(hours=12, seconds=30)}, "3.5"),  # excluded
        ({"subjects": ("ann", "nobody")}, "5.5"),
        ({"where": Compare("=", Attribute("subject"), Literal("bob"))}, "2"),
    ],
)
def test_a_query_takes_the_events_it_asks_for(changed: dict[str, Any], total: str) -> None:
    ((*_, value),) = answer(replace(QUERY, **changed))
    assert value == Decimal(total)


def test_a_customer_has_one_row_for_all_of_its_subjects_and_comes_before_nobody() -> None:
    events = [*EVENTS, call(0, "cid", "8"), call(0, "dan", "16")]
    query = replace(QUERY, attribution={"ann": "c1", "cid": "c1", "bob": "c0"})
    rows = [(row.customer, row.subject, row.value) for row in reference.run(query, events)]
    assert rows == [("c0", None, 2), ("c1", None, Decimal("13.5")), (None, None, 16)]


def test_a_customer_has_a_row_for_each_subject_when_grouped_by_both() -> None:
    query = replace(QUERY, attribution={"ann": "c1", "bob": "c1"}, by_subject=True)
    rows = [(row.subject, row.customer, row.value) for row in reference.run(query, EVENTS)]
    assert rows == [("ann", "c1", Decimal("5.5")), ("bob", "c1", Decimal(2))]


def test_a_query_of_no_subject_takes_no_event() -> None:
    assert answer(replace(QUERY, subjects=())) == []


def test_a_meter_may_take_every_type_and_start_late() -> None:
    every = replace(QUERY.measure, event_type=None)
    assert [value for *_, value in answer(replace(QUERY, measure=every))] == [Decimal("107.5")]
    late = replace(QUERY.measure, event_from=WEDNESDAY)
    assert [value for *_, value in answer(replace(QUERY, measure=late))] == [4]
