"""Windows a reader can check with a calendar. Every zone and change: tests/property."""

from datetime import UTC, datetime, timedelta

import pytest

from monometer.core.errors import InvalidInput
from monometer.core.windows import Period, WindowSize, floor, window, zone

NEW_YORK, HAVANA, KOLKATA = "America/New_York", "America/Havana", "Asia/Kolkata"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "start", "end"),
    [
        (WindowSize.MINUTE, "2024-05-15 13:45:00", "2024-05-15 13:46:00"),
        (WindowSize.HOUR, "2024-05-15 13:00:00", "2024-05-15 14:00:00"),
        (WindowSize.DAY, "2024-05-15 00:00:00", "2024-05-16 00:00:00"),
        (WindowSize.WEEK, "2024-05-13 00:00:00", "2024-05-20 00:00:00"),
        (WindowSize.MONTH, "2024-05-01 00:00:00", "2024-06-01 00:00:00"),
        (WindowSize.YEAR, "2024-01-01 00:00:00", "2025-01-01 00:00:00"),
    ],
)
def test_a_window_holds_its_instant(size: WindowSize, start: str, end: str) -> None:
    at = utc("2024-05-15 13:45:59.999999")
    assert window(at, size, zone("UTC")) == Period(utc(start), utc(end))


@pytest.mark.parametrize("size", WindowSize)
def test_the_end_of_a_window_is_the_start_of_the_next(size: WindowSize) -> None:
    first = window(utc("2024-05-15 13:45"), size, zone("UTC"))
    assert floor(first.end - timedelta(microseconds=1), size, zone("UTC")) == first.start
    assert floor(first.end, size, zone("UTC")) == first.end


def test_an_instant_may_be_given_in_any_zone() -> None:
    at = datetime(2024, 5, 15, 1, tzinfo=zone("Asia/Tokyo"))
    assert floor(at, WindowSize.DAY, zone("UTC")) == utc("2024-05-14 00:00")


@pytest.mark.parametrize(
    ("name", "at", "start", "end", "hours"),
    [
        # Clocks jump from 02:00 to 03:00: a day of 23 hours.
        (NEW_YORK, "2024-03-10 12:00", "2024-03-10 05:00", "2024-03-11 04:00", 23),
        # Clocks go back from 02:00 to 01:00: a day of 25 hours.
        (NEW_YORK, "2024-11-03 12:00", "2024-11-03 04:00", "2024-11-04 05:00", 25),
        # Half an hour only.
        ("Australia/Lord_Howe", "2024-04-07 00:00", "2024-04-06 13:00", "2024-04-07 13:30", 24.5),
        # Midnight is skipped: the day starts at 01:00.
        (HAVANA, "2024-03-10 12:00", "2024-03-10 05:00", "2024-03-11 04:00", 23),
        # Midnight comes twice: the day starts with the first.
        (HAVANA, "2024-11-03 12:00", "2024-11-03 04:00", "2024-11-04 05:00", 25),
        (HAVANA, "2024-11-03 04:30", "2024-11-03 04:00", "2024-11-04 05:00", 25),
        # The evening before comes twice: clocks go back from midnight to 23:00.
        ("America/Sao_Paulo", "2018-02-18 02:30", "2018-02-17 02:00", "2018-02-18 03:00", 25),
        # A day that never was: Samoa went from 29 to 31 December 2011.
        ("Pacific/Apia", "2011-12-30 09:00", "2011-12-29 10:00", "2011-12-30 10:00", 24),
        ("Pacific/Apia", "2011-12-30 11:00", "2011-12-30 10:00", "2011-12-31 10:00", 24),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(
    name: str, at: str, start: str, end: str, hours: float
) -> None:
    day = window(utc(at), WindowSize.DAY, zone(name))
    assert day == Period(utc(start), utc(end))
    assert day.end - day.start == timedelta(hours=hours)


def test_the_repeated_hour_is_two_windows() -> None:
    in_zone = zone(NEW_YORK)
    first, second = utc("2024-11-03 05:30"), utc("2024-11-03 06:30")  # 01:30, twice
    assert floor(first, WindowSize.HOUR, in_zone) == utc("2024-11-03 05:00")
    assert floor(second, WindowSize.HOUR, in_zone) == utc("2024-11-03 06:00")


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        # 01:00 to 02:00 summer time, then 01:30 to 02:00 once more.
        ("2024-04-06 14:59", "2024-04-06 14:00", "2024-04-06 15:00"),
        ("2024-04-06 15:00", "2024-04-06 15:00", "2024-04-06 15:30"),
        ("2024-04-06 15:30", "2024-04-06 15:30", "2024-04-06 16:30"),
        # 01:00 to 02:00, then at once 02:30 to 03:00.
        ("2024-10-05 15:29", "2024-10-05 14:30", "2024-10-05 15:30"),
        ("2024-10-05 15:30", "2024-10-05 15:30", "2024-10-05 16:00"),
        ("2024-10-05 16:00", "2024-10-05 16:00", "2024-10-05 17:00"),
    ],
)
def test_a_change_by_half_an_hour_cuts_an_hour(at: str, start: str, end: str) -> None:
    found = window(utc(at), WindowSize.HOUR, zone("Australia/Lord_Howe"))
    assert found == Period(utc(start), utc(end))


def test_a_change_by_whole_hours_cuts_none() -> None:
    """Casey station set its clocks from 00:01 to 03:01."""
    at = utc("2020-10-03 16:30")
    found = window(at, WindowSize.HOUR, zone("Antarctica/Casey"))
    assert found == Period(utc("2020-10-03 16:00"), utc("2020-10-03 17:00"))


@pytest.mark.parametrize(
    ("name", "offset"),
    [(KOLKATA, "05:30"), ("Asia/Kathmandu", "05:45"), ("Pacific/Chatham", "12:45")],
)
def test_hours_follow_zones_that_are_not_whole_hours_away(name: str, offset: str) -> None:
    hours, minutes = offset.split(":")
    away = timedelta(hours=int(hours), minutes=int(minutes))
    at = utc("2024-06-15 12:00")
    assert (floor(at, WindowSize.HOUR, zone(name)) + away).minute == 0


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        ("2024-01-31 23:59", "2024-01-01 00:00", "2024-02-01 00:00"),
        ("2024-02-29 12:00", "2024-02-01 00:00", "2024-03-01 00:00"),
        ("2023-02-28 12:00", "2023-02-01 00:00", "2023-03-01 00:00"),
        ("2024-12-31 23:59", "2024-12-01 00:00", "2025-01-01 00:00"),
    ],
)
def test_months_have_their_own_lengths(at: str, start: str, end: str) -> None:
    assert window(utc(at), WindowSize.MONTH, zone("UTC")) == Period(utc(start), utc(end))


def test_a_month_and_a_year_start_on_the_local_clock() -> None:
    at, in_zone = utc("2024-01-01 04:59"), zone(NEW_YORK)  # still 31 December there
    assert floor(at, WindowSize.MONTH, in_zone) == utc("2023-12-01 05:00")
    assert floor(at, WindowSize.YEAR, in_zone) == utc("2023-01-01 05:00")
    assert window(at, WindowSize.YEAR, in_zone).end == utc("2024-01-01 05:00")


@pytest.mark.parametrize(
    ("at", "start"),
    [
        ("2024-05-13 00:00", "2024-05-13 00:00"),  # a Monday
        ("2024-05-19 23:59", "2024-05-13 00:00"),  # the Sunday after
        ("2024-01-03 00:00", "2024-01-01 00:00"),
        ("2023-01-01 00:00", "2022-12-26 00:00"),  # over the end of a year
    ],
)
def test_weeks_start_on_monday(at: str, start: str) -> None:
    assert floor(utc(at), WindowSize.WEEK, zone("UTC")) == utc(start)


def test_a_week_across_a_change_is_an_hour_longer() -> None:
    week = window(utc("2024-11-01 00:00"), WindowSize.WEEK, zone(NEW_YORK))
    assert week == Period(utc("2024-10-28 04:00"), utc("2024-11-04 05:00"))


@pytest.mark.parametrize(
    "name",
    ["", "utc", "europe/berlin", "Europe/Nowhere", "localtime", "Factory", "../UTC", "+02:00"],
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"unknown time zone {name}".replace("+", r"\+")):
        zone(name)


@pytest.mark.parametrize("name", ["CET", "MET", "EET", "WET"])
def test_a_zone_that_reads_like_an_abbreviation_has_its_summer_time(name: str) -> None:
    winter, summer = utc("2024-01-15 00:00"), utc("2024-07-15 00:00")
    offsets = [at.astimezone(zone(name)).utcoffset() for at in (winter, summer)]
    assert offsets[1] - offsets[0] == timedelta(hours=1)  # type: ignore[operator]
