"""The time of an event: any RFC 3339 date-time, kept in UTC to the microsecond."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.metering import instant
from tests.support.sending import Event, Sender, event, with_member

FORM = "must be an RFC 3339 date-time with an offset"
BOUNDS = "must be from year 1000 on and before 9999"


def time_of(sender: Sender, sent: Event | str) -> str:
    sender.accept(sent)
    time: str = sender.one_of(sent)["time"]
    return time


@pytest.mark.parametrize(
    ("sent", "listed"),
    [
        ("2024-01-15T10:00:00Z", "2024-01-15T10:00:00Z"),
        ("2024-01-15t10:00:00z", "2024-01-15T10:00:00Z"),
        ("2024-01-15T10:00:00.000Z", "2024-01-15T10:00:00Z"),
        ("2024-01-15T10:00:00.250Z", "2024-01-15T10:00:00.25Z"),
        ("2024-01-15T10:00:00.123456Z", "2024-01-15T10:00:00.123456Z"),
        ("2024-01-15T10:00:00.000001Z", "2024-01-15T10:00:00.000001Z"),
        ("2024-01-15T10:00:00.1234567Z", "2024-01-15T10:00:00.123456Z"),
        ("2024-01-15T10:00:00.9999999Z", "2024-01-15T10:00:00.999999Z"),
        ("2024-01-15T10:00:00.00000099Z", "2024-01-15T10:00:00Z"),
        ("2024-01-15T10:00:00." + "9" * 32 + "Z", "2024-01-15T10:00:00.999999Z"),
        ("2024-01-15T10:00:00+00:00", "2024-01-15T10:00:00Z"),
        ("2024-01-15T10:00:00-00:00", "2024-01-15T10:00:00Z"),
        ("2024-01-15T10:00:00+05:30", "2024-01-15T04:30:00Z"),
        ("2024-01-15T10:00:00.5-23:59", "2024-01-16T09:59:00.5Z"),
        ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"),
        ("1000-01-01T00:00:00Z", "1000-01-01T00:00:00Z"),
        ("9998-12-31T23:59:59.999999Z", "9998-12-31T23:59:59.999999Z"),
        ("9999-01-01T00:30:00+01:00", "9998-12-31T23:30:00Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ],
)
def test_time_is_listed_in_utc_with_its_microseconds(
    sender: Sender, sent: str, listed: str
) -> None:
    assert time_of(sender, event(time=sent)) == listed


@pytest.mark.parametrize("absent", [True, False])
def test_without_a_time_it_is_now(sender: Sender, absent: bool) -> None:
    before = datetime.now(UTC)  # noqa: TID251 - compared with the server's clock
    listed = instant(time_of(sender, event() if absent else with_member("time", "null")))
    after = datetime.now(UTC)  # noqa: TID251 - same
    assert before - timedelta(milliseconds=1) <= listed <= after


def test_events_of_a_request_without_times_share_theirs(sender: Sender) -> None:
    subject = event()["subject"]
    sender.accept([event(subject=subject) for _ in range(10)])
    assert len({one["time"] for one in sender.of_subject(subject)}) == 1


@pytest.mark.parametrize(
    "time",
    [
        "", "now", "2024-01-15", "2024-01-15T10:00:00", "2024-01-15 10:00:00Z", "1705312800",
        "2024-01-15T10:00Z", "2024-01-15T10:00:00.Z", "2024-01-15T10:00:00,5Z",
        "2024-01-15T10:00:00+0100", "2024-01-15T10:00:00+01", "2024-01-15T10:00:00+24:00",
        "2024-01-15T10:00:00+00:60", "2024-01-15T10:00:00 +01:00", "2024-1-5T10:00:00Z",
        "24-01-15T10:00:00Z", "+2024-01-15T10:00:00Z", "12024-01-15T10:00:00Z",
        "-2024-01-15T10:00:00Z", " 2024-01-15T10:00:00Z", "2024-01-15T10:00:00Z\n",
        "20240115T100000Z", "2024-W03-1T10:00:00Z", "\N{FULLWIDTH DIGIT TWO}024-01-15T10:00:00Z",
        "2024-01-15T10:00:00[UTC]", "2024-01-15T10:00:00Z\0", "9" * 10_000,
        "2024-01-15T10:00:00." + "9" * 33 + "Z",
    ],
)  # fmt: skip
def test_what_is_not_rfc_3339_is_refused(sender: Sender, time: str) -> None:
    assert sender.reasons([event(), event(time=time)]) == {"/1/time": FORM}


@pytest.mark.parametrize(
    "time",
    [
        "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-15T24:00:00Z",
        "2024-01-15T10:60:00Z", "2024-01-15T10:00:61Z", "0000-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_time_that_never_was_is_refused(sender: Sender, time: str) -> None:
    assert list(sender.reasons(event(time=time))) == ["/time"]


def test_leap_second_is_refused(sender: Sender) -> None:
    """Neither Python nor PostgreSQL can keep it; OpenMeter refuses it too."""
    reasons = sender.reasons(event(time="2016-12-31T23:59:60Z"))
    assert reasons["/time"].startswith("second must be in 0..59")


@pytest.mark.parametrize(
    "time",
    [
        "0999-12-31T23:59:59.999999Z", "1000-01-01T00:30:00+01:00", "0001-01-02T00:00:00Z",
        "9999-01-01T00:00:00Z", "9998-12-31T23:30:00-01:00", "9999-12-30T00:00:00Z",
    ],
)  # fmt: skip
def test_time_outside_the_years_is_refused(sender: Sender, time: str) -> None:
    assert sender.reasons(event(time=time)) == {"/time": BOUNDS}


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_time_that_has_no_place_in_utc_is_refused(sender: Sender, time: str) -> None:
    assert sender.reasons(event(time=time)) == {"/time": "is outside the years 1 to 9999"}


@pytest.mark.parametrize("text", ["0", "1705312800", "true", "[]", "{}", "1.5"])
def test_time_is_a_string_or_null(sender: Sender, text: str) -> None:
    [(field, reason)] = sender.reasons(with_member("time", text)).items()
    assert field == "/time"
    assert reason.startswith("Expected `str | null`, got ")
