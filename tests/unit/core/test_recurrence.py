"""Intervals as text, and occurrences counted from the anchor."""

from datetime import UTC, datetime, timedelta

import pytest

from monometer.core.errors import InvalidInput
from monometer.core.event import TIME_END, TIME_MIN
from monometer.core.recurrence import Recurrence, parse_interval


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "name", "iso"),
    [
        ("DAY", "DAY", "P1D"),
        ("week", "WEEK", "P1W"),
        ("Month", "MONTH", "P1M"),
        ("YEAR", "YEAR", "P1Y"),
        ("P1D", "DAY", "P1D"),
        ("P7D", "WEEK", "P7D"),
        ("P12M", "YEAR", "P12M"),
        ("PT24H", "DAY", "PT24H"),
        ("P2W", "P2W", "P2W"),
        ("pt6h", "PT6H", "PT6H"),
        ("PT90M", "PT90M", "PT90M"),
        ("PT3600S", "PT3600S", "PT3600S"),
        ("P01Y0M2DT0H3M", "P1Y2DT3M", "P1Y2DT3M"),
        ("P1000Y", "P1000Y", "P1000Y"),
    ],
)
def test_interval_is_named_if_it_has_a_name_and_else_written_in_iso(
    text: str, name: str, iso: str
) -> None:
    interval = parse_interval(text)
    assert (interval.name, interval.iso) == (name, iso)
    assert parse_interval(interval.iso) == interval


@pytest.mark.parametrize(
    "text",
    [
        "", "P", "PT", "P1", "1D", "P1DT", "P-1D", "-P1D", "+P1D", "P1.5D", "P1,5D", "P1D ", " P1D",
        "P1H", "PT1D", "P1D1M", "P1M1Y", "PT1S1H", "HOUR", "MINUTE", "DAYS", "P\u0661D", "P1\uff24",
        "P1D\n", "P1D\x00", "P9999999999D", "P1D\u017f", "\u017f", "P0D", "PT0S",
        "P0Y0M0W0DT0H0M0S", "P1001Y", "P12001M", "P999999999Y", "PT30M", "PT59M", "PT3601S",
        "PT90S", "x" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_usable_interval_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_interval(text)
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("interval", "anchor", "n", "occurrence"),
    [
        ("MONTH", "2024-01-31T00:00", 1, "2024-02-29T00:00"),
        ("MONTH", "2024-01-31T00:00", 2, "2024-03-31T00:00"),
        ("MONTH", "2024-01-31T00:00", 13, "2025-02-28T00:00"),
        ("MONTH", "2024-01-31T00:00", -2, "2023-11-30T00:00"),
        ("YEAR", "2024-02-29T00:00", 1, "2025-02-28T00:00"),
        ("YEAR", "2024-02-29T00:00", 4, "2028-02-29T00:00"),
        ("P1Y1M", "2024-02-29T00:00", 1, "2025-03-29T00:00"),
        ("P1MT1H", "2024-01-31T23:30", 1, "2024-03-01T00:30"),
        ("P1W", "2024-02-26T00:00", 1, "2024-03-04T00:00"),
        ("PT36H", "2024-02-28T12:00", 1, "2024-03-01T00:00"),
    ],
)
def test_occurrence_counts_from_the_anchor(
    interval: str, anchor: str, n: int, occurrence: str
) -> None:
    recurrence = Recurrence(parse_interval(interval), utc(anchor))
    assert recurrence.occurrence(n) == utc(occurrence)


def test_next_occurrence_is_the_instant_itself_or_a_later_one() -> None:
    recurrence = Recurrence(parse_interval("MONTH"), utc("2024-01-31T00:00"))
    assert recurrence.next_from(utc("2024-02-29T00:00")) == utc("2024-02-29T00:00")
    assert recurrence.next_from(utc("2024-02-29T00:01")) == utc("2024-03-31T00:00")


def test_occurrences_include_both_bounds() -> None:
    days = Recurrence(parse_interval("DAY"), utc("2024-01-10T00:00"))
    first, last = utc("2024-01-01T00:00"), utc("2024-01-03T00:00")
    assert list(days.occurrences(first, last)) == [first, utc("2024-01-02T00:00"), last]
    assert days.count(first, last) == 3
    assert days.count(first + timedelta(minutes=1), last - timedelta(minutes=1)) == 1
    assert days.count(last, first) == 0


@pytest.mark.parametrize("interval", ["PT1H", "P1M", "P1000Y", "P1M1DT2H"])
@pytest.mark.parametrize("anchor", [TIME_MIN, utc("2024-02-29T00:00"), utc("9998-12-31T23:59")])
@pytest.mark.parametrize("at", [TIME_MIN, utc("2024-02-29T00:00"), utc("9998-12-31T23:59")])
def test_the_ends_of_time_are_inside_a_period(
    interval: str, anchor: datetime, at: datetime
) -> None:
    start, end = Recurrence(parse_interval(interval), anchor).period_at(at)
    assert TIME_MIN <= start <= at < end <= TIME_END
