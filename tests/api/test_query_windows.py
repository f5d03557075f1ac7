"""Windows of a meter query, to the microsecond and through every change of the clocks."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.support.metering import Meter, Metering, Params, at, instant

NEW_YORK = "America/New_York"


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


def counted(api: Metering, *times: str) -> Meter:
    """A COUNT meter with one event at each time."""
    meter = api.create()
    api.send(meter, *map(at, times))
    return meter


def windows(api: Metering, meter: Meter, size: str, zone: str = "UTC", **bounds: str) -> list[str]:
    """Rows as "start/end value"."""
    params: Params = {
        "windowSize": size,
        "windowTimeZone": zone,
        **{name.rstrip("_"): bound for name, bound in bounds.items()},
    }
    return [f"{row.start}/{row.end} {row.value}" for row in api.rows(meter, params)]


@pytest.fixture(scope="module")
def spring(api: Metering) -> Meter:
    """New York's clocks go from 2:00 to 3:00 on 10 March: its day begins 05:00Z, ends 04:00Z."""
    return counted(
        api,
        "2024-03-10T04:59:59.999999Z",
        "2024-03-10T05:00:00Z",
        "2024-03-10T06:59:59.999999Z",
        "2024-03-10T07:00:00Z",
        "2024-03-11T03:59:59.999999Z",
        "2024-03-11T04:00:00Z",
    )


@pytest.fixture(scope="module")
def autumn(api: Metering) -> Meter:
    """New York's clocks go from 2:00 back to 1:00 on 3 November, at 06:00Z."""
    return counted(
        api,
        "2024-11-03T04:00:00Z",
        "2024-11-03T05:30:00Z",
        "2024-11-03T06:30:00Z",
        "2024-11-04T04:59:59.999999Z",
        "2024-11-04T05:00:00Z",
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("MINUTE", "2024-06-15T12:34:00Z/2024-06-15T12:35:00Z 1"),
        ("HOUR", "2024-06-15T12:00:00Z/2024-06-15T13:00:00Z 1"),
        ("DAY", "2024-06-15T00:00:00Z/2024-06-16T00:00:00Z 1"),
        ("MONTH", "2024-06-01T00:00:00Z/2024-07-01T00:00:00Z 1"),
    ],
)
def test_event_lies_in_the_calendar_window_of_its_time(
    api: Metering, size: str, expected: str
) -> None:
    meter = counted(api, "2024-06-15T12:34:56.789Z")
    assert windows(api, meter, size) == [expected]


def test_day_in_spring_has_23_hours(api: Metering, spring: Meter) -> None:
    assert windows(api, spring, "DAY", NEW_YORK) == [
        "2024-03-09T00:00:00-05:00/2024-03-10T00:00:00-05:00 1",
        "2024-03-10T00:00:00-05:00/2024-03-11T00:00:00-04:00 4",
        "2024-03-11T00:00:00-04:00/2024-03-12T00:00:00-04:00 1",
    ]


def test_skipped_hour_has_no_window(api: Metering, spring: Meter) -> None:
    day = {"from_": "2024-03-10T05:00:00Z", "to": "2024-03-11T04:00:00Z"}
    assert windows(api, spring, "HOUR", NEW_YORK, **day) == [
        "2024-03-10T00:00:00-05:00/2024-03-10T01:00:00-05:00 1",
        "2024-03-10T01:00:00-05:00/2024-03-10T03:00:00-04:00 1",
        "2024-03-10T03:00:00-04:00/2024-03-10T04:00:00-04:00 1",
        "2024-03-10T23:00:00-04:00/2024-03-11T00:00:00-04:00 1",
    ]


def test_day_in_autumn_has_25_hours(api: Metering, autumn: Meter) -> None:
    assert windows(api, autumn, "DAY", NEW_YORK) == [
        "2024-11-03T00:00:00-04:00/2024-11-04T00:00:00-05:00 4",
        "2024-11-04T00:00:00-05:00/2024-11-05T00:00:00-05:00 1",
    ]


def test_repeated_hour_is_two_windows_of_an_hour_each(api: Metering, autumn: Meter) -> None:
    hours = windows(api, autumn, "HOUR", NEW_YORK, to="2024-11-03T07:00:00Z")
    assert hours == [
        "2024-11-03T00:00:00-04:00/2024-11-03T01:00:00-04:00 1",
        "2024-11-03T01:00:00-04:00/2024-11-03T01:00:00-05:00 1",
        "2024-11-03T01:00:00-05:00/2024-11-03T02:00:00-05:00 1",
    ]


def test_repeated_minute_is_two_windows(api: Metering, autumn: Meter) -> None:
    bounds = {"from_": "2024-11-03T05:30:00Z", "to": "2024-11-03T06:31:00Z"}
    assert windows(api, autumn, "MINUTE", NEW_YORK, **bounds) == [
        "2024-11-03T01:30:00-04:00/2024-11-03T01:31:00-04:00 1",
        "2024-11-03T01:30:00-05:00/2024-11-03T01:31:00-05:00 1",
    ]


def test_month_ends_in_the_offset_of_its_own_end(api: Metering, autumn: Meter) -> None:
    assert windows(api, autumn, "MONTH", NEW_YORK) == [
        "2024-11-01T00:00:00-04:00/2024-12-01T00:00:00-05:00 5"
    ]


@pytest.mark.parametrize(
    ("size", "border"),
    [
        ("MINUTE", "2024-03-31T03:00:00+02:00"),
        ("HOUR", "2024-03-31T03:00:00+02:00"),
        ("DAY", "2024-04-01T00:00:00+02:00"),
        ("MONTH", "2024-04-01T00:00:00+02:00"),
    ],
)
def test_windows_touch_across_a_change_of_the_clocks(api: Metering, size: str, border: str) -> None:
    just_before = {"MINUTE": "00:59:59.999999", "HOUR": "00:00:00"}.get(size, "21:59:59.999999")
    just_after = "01:00:00" if size in {"MINUTE", "HOUR"} else "22:00:00"
    meter = counted(api, f"2024-03-31T{just_before}Z", f"2024-03-31T{just_after}Z")
    first, second = api.rows(meter, {"windowSize": size, "windowTimeZone": "Europe/Berlin"})
    assert (first.end, second.start) == (border, border)


@pytest.mark.parametrize("size", ["MINUTE", "HOUR"])
def test_minutes_and_hours_have_one_length(api: Metering, autumn: Meter, size: str) -> None:
    rows = api.rows(autumn, {"windowSize": size, "windowTimeZone": NEW_YORK})
    length = {"MINUTE": timedelta(minutes=1), "HOUR": timedelta(hours=1)}[size]
    assert {instant(row.end) - instant(row.start) for row in rows} == {length}


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Kolkata", "2024-06-15T18:00:00+05:30/2024-06-15T19:00:00+05:30 2"),
        ("Asia/Kathmandu", "2024-06-15T18:00:00+05:45/2024-06-15T19:00:00+05:45 2"),
        ("America/St_Johns", "2024-06-15T10:00:00-02:30/2024-06-15T11:00:00-02:30 2"),
    ],
)
def test_hours_follow_the_clock_of_zones_off_the_full_hour(
    api: Metering, zone: str, expected: str
) -> None:
    meter = counted(api, "2024-06-15T12:31:00Z", "2024-06-15T13:10:00Z")
    assert windows(api, meter, "HOUR", zone) == [expected]


def test_clocks_set_back_by_half_an_hour_leave_two_windows(api: Metering) -> None:
    meter = counted(api, "2024-04-06T14:40:00Z", "2024-04-06T15:10:00Z")  # 1:40 and 1:40 again
    assert windows(api, meter, "HOUR", "Australia/Lord_Howe") == [
        "2024-04-07T01:00:00+11:00/2024-04-07T01:30:00+10:30 1",
        "2024-04-07T01:30:00+10:30/2024-04-07T02:00:00+10:30 1",
    ]


def test_day_that_begins_at_one_in_the_morning_is_a_day(api: Metering) -> None:
    meter = counted(api, "2024-03-10T05:00:00Z")  # Havana skips midnight of 10 March
    assert windows(api, meter, "DAY", "America/Havana") == [
        "2024-03-10T01:00:00-04:00/2024-03-11T00:00:00-04:00 1"
    ]


def test_date_that_a_zone_left_out_has_no_window(api: Metering) -> None:
    meter = counted(api, "2011-12-30T09:59:59.999999Z", "2011-12-30T10:00:00Z")
    assert windows(api, meter, "DAY", "Pacific/Apia") == [
        "2011-12-29T00:00:00-10:00/2011-12-31T00:00:00+14:00 1",
        "2011-12-31T00:00:00+14:00/2012-01-01T00:00:00+14:00 1",
    ]


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "Africa/Abidjan"])
def test_offset_of_nothing_is_z(api: Metering, zone: str) -> None:
    meter = counted(api, "2024-06-15T12:00:00Z")
    assert windows(api, meter, "DAY", zone) == ["2024-06-15T00:00:00Z/2024-06-16T00:00:00Z 1"]


def test_from_inside_a_window_leaves_the_window_whole(api: Metering) -> None:
    meter = counted(api, "2024-06-15T12:00:00Z", "2024-06-15T12:30:00Z")
    bounds = {"from_": "2024-06-15T12:15:00Z", "to": "2024-06-15T12:45:00Z"}
    assert windows(api, meter, "DAY", **bounds) == ["2024-06-15T00:00:00Z/2024-06-16T00:00:00Z 1"]


def test_empty_windows_have_no_row(api: Metering) -> None:
    meter = counted(api, "2024-06-15T12:00:00Z", "2024-06-17T12:00:00Z")
    bounds = {"from_": "2024-06-01T00:00:00Z", "to": "2024-07-01T00:00:00Z"}
    assert [day[:10] for day in windows(api, meter, "DAY", **bounds)] == [
        "2024-06-15",
        "2024-06-17",
    ]


def test_bounds_are_exact_to_the_microsecond(api: Metering) -> None:
    meter = counted(
        api,
        "2024-06-15T12:00:00.000001Z",
        "2024-06-15T12:00:00.000002Z",
        "2024-06-15T12:00:00.000003Z",
    )
    bounds = {"from": "2024-06-15T12:00:00.000002Z", "to": "2024-06-15T12:00:00.000003Z"}
    assert api.value(meter, bounds) == 1
    offset = {"from": "2024-06-15T14:00:00.000002+02:00", "to": "2024-06-15T06:30:00.000003-05:30"}
    assert api.value(meter, offset) == 1


def test_digits_of_a_bound_after_the_microseconds_do_not_count(api: Metering) -> None:
    meter = counted(api, "2024-06-15T12:00:00.123456Z")
    assert api.value(meter, {"from": "2024-06-15T12:00:00.123456999Z"}) == 1
    assert api.value(meter, {"to": "2024-06-15T12:00:00.123456999Z"}) == 0


def test_events_of_the_future_count_unless_to_excludes_them(api: Metering) -> None:
    meter = counted(api, "2999-01-01T00:00:00Z")
    assert windows(api, meter, "MONTH") == ["2999-01-01T00:00:00Z/2999-02-01T00:00:00Z 1"]
    assert windows(api, meter, "MONTH", to="2999-01-01T00:00:00Z") == []


def test_event_from_cuts_off_like_from(api: Metering) -> None:
    meter = api.create(eventFrom="2024-06-15T12:00:00.000001Z")
    api.send(meter, at("2024-06-15T12:00:00Z"), at("2024-06-15T12:00:00.000001Z"))
    assert windows(api, meter, "DAY") == ["2024-06-15T00:00:00Z/2024-06-16T00:00:00Z 1"]
    earlier = {"from_": "2024-06-15T11:00:00Z"}
    assert windows(api, meter, "HOUR", **earlier) == ["2024-06-15T12:00:00Z/2024-06-15T13:00:00Z 1"]


@pytest.mark.parametrize("size", ["MINUTE", "HOUR", "DAY", "MONTH"])
@pytest.mark.parametrize("zone", [NEW_YORK, "Pacific/Kiritimati", "Africa/Monrovia"])
def test_events_at_the_ends_of_time_have_windows_that_hold_them(
    api: Metering, size: str, zone: str
) -> None:
    times = ["1000-01-01T00:00:00Z", "1883-11-18T16:59:59Z", "9998-12-31T23:59:59.999999Z"]
    meter = counted(api, *times)
    rows = api.rows(meter, {"windowSize": size, "windowTimeZone": zone})
    assert len(rows) == 3
    for row, time in zip(rows, times, strict=True):
        assert instant(row.start) <= instant(time) < instant(row.end)
