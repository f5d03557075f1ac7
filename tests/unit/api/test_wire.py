"""Instants, numbers and texts as they go over the wire."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monometer.api.wire import (
    Instant,
    Text,
    instant_from_wire,
    instant_to_wire,
    json_response,
    number_to_wire,
)

NOON = datetime(2024, 6, 15, 12, tzinfo=UTC)
OFFSETS = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)
INSTANTS = st.datetimes(
    datetime(1, 1, 3), datetime(9999, 12, 29), timezones=OFFSETS  # noqa: DTZ001 - zones are drawn
)  # fmt: skip


@given(INSTANTS)
def test_instant_comes_back_with_its_offset(at: datetime) -> None:
    back = instant_from_wire(instant_to_wire(at))
    assert (back, back.utcoffset()) == (at, at.utcoffset())


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOON, "2024-06-15T12:00:00Z"),
        (NOON.replace(microsecond=500_000), "2024-06-15T12:00:00.5Z"),
        (NOON.replace(microsecond=1), "2024-06-15T12:00:00.000001Z"),
        (NOON.replace(microsecond=100), "2024-06-15T12:00:00.0001Z"),
        (
            NOON.astimezone(timezone(timedelta(hours=5, minutes=30))),
            "2024-06-15T17:30:00+05:30",
        ),
        (
            NOON.replace(microsecond=120_000).astimezone(timezone(timedelta(hours=-3))),
            "2024-06-15T09:00:00.12-03:00",
        ),
        # The offset of a local mean time has seconds, which RFC 3339 cannot say.
        (NOON.astimezone(timezone(timedelta(minutes=-1, seconds=-2))), "2024-06-15T12:00:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
)
def test_instant_is_written_with_a_trimmed_fraction_and_its_offset(at: datetime, text: str) -> None:
    assert instant_to_wire(at) == text


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-06-15T12:00:00Z", NOON),
        ("2024-06-15t12:00:00z", NOON),
        ("2024-06-15T12:00:00+00:00", NOON),
        ("2024-06-15T12:00:00-00:00", NOON),
        ("2024-06-15T14:00:00+02:00", NOON),
        ("2024-06-16T11:59:00+23:59", NOON),
        ("2024-06-15T12:00:00.5Z", NOON.replace(microsecond=500_000)),
        ("2024-06-15T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
        ("2024-06-15T12:00:00.0000009Z", NOON),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_instant_is_read(text: str, at: datetime) -> None:
    assert instant_from_wire(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "", "2024-06-15", "2024-06-15T12:00:00", "2024-06-15 12:00:00Z", "2024-06-15T12:00Z",
        "2024-06-15T12:00:00.Z", "2024-06-15T12:00:00,5Z", "2024-06-15T12:00:00+0200",
        "2024-06-15T12:00:00+02", "2024-06-15T12:00:00 Z", " 2024-06-15T12:00:00Z",
        "2024-06-15T12:00:00Z\n", "2024-W24-6T12:00:00Z", "20240615T120000Z",
        "24-06-15T12:00:00Z", "+2024-06-15T12:00:00Z", "2024-06-15T24:00:00Z",
        "2024-06-15T12:60:00Z", "2024-06-15T23:59:60Z", "2023-02-29T00:00:00Z",
        "2024-06-15T12:00:00+24:00", "2024-06-15T12:00:00-01:60", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "\uff12024-06-15T12:00:00Z",
        "2024-06-15T12:00:00.\u0661Z", "2024-06-15T12:00:00." + "1" * 33 + "Z",
    ],
)  # fmt: skip
def test_anything_else_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(?!Invalid isoformat)"):
        instant_from_wire(text)


@pytest.mark.parametrize("value", [1718452800, 1.5, None, True, [], {}])
def test_instant_is_a_text(value: object) -> None:
    with pytest.raises(ValidationError, match="must be an RFC 3339 date-time with an offset"):
        TypeAdapter(Instant).validate_python(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1", b"1"), ("1.0", b"1"), ("1.50", b"1.5"), ("-0", b"0"), ("-0.0", b"0"), ("0E+5", b"0"),
        ("1E+3", b"1000"), ("1E-7", b"0.0000001"), ("-1.5E-3", b"-0.0015"),
        ("9007199254740993", b"9007199254740993"), ("100", b"100"), ("0.10", b"0.1"),
    ],
)  # fmt: skip
def test_number_is_written_with_all_its_digits_and_no_exponent(number: str, text: bytes) -> None:
    assert bytes(number_to_wire(Decimal(number))) == text


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_number_is_the_same_number_on_the_wire(number: Decimal) -> None:
    text = bytes(number_to_wire(number)).decode()
    assert Decimal(text) == number
    assert set(text) <= set("-0123456789.")


@pytest.mark.parametrize("text", ["", "a", "é😀", "\n\t\u202e", "\ufffd", "\U0010ffff"])
def test_text_that_can_be_stored_passes(text: str) -> None:
    assert TypeAdapter(Text).validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [("a\0", "NUL character"), ("\ud800", "lone surrogate"), ("a\udfffb", "lone surrogate")],
)
def test_text_that_cannot_be_stored_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=f"must not contain a {reason}"):
        TypeAdapter(Text).validate_python(text)


@pytest.mark.parametrize("value", [1, None, b"a", ["a"]])
def test_text_is_a_text(value: object) -> None:
    with pytest.raises(ValidationError, match="Input should be a valid string"):
        TypeAdapter(Text).validate_python(value, strict=True)


def test_json_has_no_charset() -> None:
    response = json_response({"a": [1, "é", None, number_to_wire(Decimal("1.0"))]}, 201)
    assert response.headers["content-type"] == "application/json"
    assert bytes(response.body).decode() == '{"a":[1,"é",null,1]}'
    assert response.status_code == 201
