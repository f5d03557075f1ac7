"""Occurrences against a naive loop, and found without one."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from monometer.core import recurrence as module
from monometer.core.event import TIME_END, TIME_MIN
from monometer.core.recurrence import Interval, Recurrence, later

NEAR = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1)).map(  # noqa: DTZ001 - made aware
    lambda naive: naive.replace(second=0, microsecond=0, tzinfo=UTC)
)
FAR = st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 31)).map(  # noqa: DTZ001 - made aware
    lambda naive: naive.replace(second=0, microsecond=0, tzinfo=UTC)
)
INTERVALS = st.builds(Interval, st.integers(0, 40), st.integers(0, 60_000), st.just("P…")).filter(
    lambda interval: interval.months > 0 or interval.minutes >= 60
)


@given(interval=INTERVALS, anchor=NEAR, at=NEAR)
def test_period_is_the_one_that_a_loop_finds(
    interval: Interval, anchor: datetime, at: datetime
) -> None:
    recurrence = Recurrence(interval, anchor)
    # A loop of hours over twelve years is too long for a test: come near by a coarse step.
    n = 0
    for step in (4096, 64, 1):
        while recurrence.occurrence(n) <= at:
            n += step
        while recurrence.occurrence(n) > at:
            n -= step
    assert recurrence.period_at(at) == (recurrence.occurrence(n), recurrence.occurrence(n + 1))


@given(anchor=NEAR, months=st.integers(-200, 200))
def test_month_step_reaches_the_day_or_the_last_one(anchor: datetime, months: int) -> None:
    year, month = anchor.year, anchor.month
    for _ in range(abs(months)):
        month += 1 if months > 0 else -1
        if month in {0, 13}:
            year, month = (year - 1, 12) if month == 0 else (year + 1, 1)
    day = min(anchor.day, monthrange(year, month)[1])
    assert later(anchor, months, 0) == anchor.replace(year=year, month=month, day=day)


@given(interval=INTERVALS, anchor=NEAR, first=NEAR, days=st.integers(0, 90))
def test_occurrences_are_those_in_between(
    interval: Interval, anchor: datetime, first: datetime, days: int
) -> None:
    recurrence, last = Recurrence(interval, anchor), first + timedelta(days=days)
    found = list(recurrence.occurrences(first, last))
    expected, at = [], recurrence.next_from(first)
    while at <= last:
        expected.append(at)
        at = recurrence.next_from(at + timedelta(minutes=1))
    assert found == expected
    assert recurrence.count(first, last) == len(found)


@given(interval=INTERVALS, anchor=FAR, at=FAR)
def test_period_is_found_in_a_few_steps_however_far_the_anchor(
    interval: Interval, anchor: datetime, at: datetime
) -> None:
    with patch.object(module, "later", wraps=later) as steps:
        start, end = Recurrence(interval, anchor).period_at(at)
    assert steps.call_count <= 10
    assert TIME_MIN <= start <= at < end <= TIME_END
