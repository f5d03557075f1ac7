"""Points: steps of the wall clock from a start."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from monometer.core.aggregation import Aggregation
from monometer.core.meter import Measure
from monometer.core.quantities import QuantitiesQuery, fold_numbers, points
from monometer.core.usage import UsageQuery
from monometer.core.windows import WindowSize, zone


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "size", "in_zone", "expected"),
    [
        ("2024-06-01", "2024-06-01", "DAY", "UTC", ["2024-06-01"]),
        ("2024-06-01T10:30", "2024-06-03T10:29", "DAY", "UTC",
         ["2024-06-01T10:30", "2024-06-02T10:30"]),
        ("2024-03-30T23:00", "2024-03-31T22:00", "DAY", "Europe/Berlin",
         ["2024-03-30T23:00", "2024-03-31T22:00"]),
        ("2024-03-09T07:30", "2024-03-11T06:30", "DAY", "America/New_York",
         ["2024-03-09T07:30", "2024-03-10T07:30", "2024-03-11T06:30"]),
        ("2024-11-03T05:00", "2024-11-03T07:00", "HOUR", "America/New_York",
         ["2024-11-03T05:00", "2024-11-03T06:00", "2024-11-03T07:00"]),
        ("2024-01-31", "2024-03-31", "MONTH", "UTC", ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("2024-02-29", "2028-02-29", "YEAR", "UTC",
         ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2024-06-05", "2024-06-19", "WEEK", "UTC", ["2024-06-05", "2024-06-12", "2024-06-19"]),
    ],
)  # fmt: skip
def test_points_are_whole_steps_from_the_start(
    start: str, end: str, size: str, in_zone: str, expected: list[str]
) -> None:
    found = points(at(start), at(end), WindowSize(size), zone(in_zone))
    assert found == [at(text) for text in expected]


def test_a_bucket_that_clocks_cut_short_may_have_no_point() -> None:
    """On Lord Howe an hour of 30 minutes lies between two points, and counts for neither."""
    usage = UsageQuery(
        namespace="ns", measure=Measure(aggregation=Aggregation.AVG, event_type=None)
    )
    query = QuantitiesQuery(
        usage=usage, start=at("2024-04-06T13:45"), end=at("2024-04-06T16:45"),
        size=WindowSize.HOUR, zone="Australia/Lord_Howe",
    )  # fmt: skip
    buckets = query.buckets()
    assert len(buckets) == len(query.points()) == 4
    gaps = [b for a, b in pairwise(buckets) if a.end < b.start]
    assert (query.by_bucket().where == usage.where) is (gaps == [])


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("COUNT", 3), ("SUM", 5), ("MIN", 1), ("MAX", 2), ("UNIQUE_COUNT", 2),
        ("AVG", "1.666666666666666666666666666666667"),
    ],
)  # fmt: skip
def test_numbers_are_folded_as_values_are(aggregation: str, expected: object) -> None:
    numbers = [Decimal(1), Decimal(2), Decimal(2)]
    assert fold_numbers(Aggregation(aggregation), numbers) == Decimal(str(expected))
