"""Instants and durations of ISO 8601 as texts of a rule say them, in exact seconds."""

import re
from datetime import UTC, datetime
from decimal import Decimal

from monometer.core.errors import InvalidInput
from monometer.core.event import TIME_END, TIME_MIN

DURATION_MAX_S = Decimal(1_000 * 366 * 86_400)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>[0-9]{1,9})W)?(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?"
    r"(?:(?P<seconds>[0-9]{1,12}(?:\.[0-9]{1,6})?)S)?)?"
)
SECONDS = {
    "weeks": Decimal(604_800), "days": Decimal(86_400), "hours": Decimal(3_600),
    "minutes": Decimal(60), "seconds": Decimal(1),
}  # fmt: skip


def seconds_of_instant(text: str) -> Decimal:
    """Seconds from 1970. Without an offset it is UTC; a date alone is its first instant.

    Raises InvalidInput for what is no instant of the years that events are of.
    """
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{text[:50]!r} is no date, as 2026-01-31T12:00:00Z is") from None
    if not TIME_MIN <= at < TIME_END:
        raise InvalidInput(f"{text[:50]!r} is not within the years of events")
    since = at - _EPOCH
    return (since.days * SECONDS["days"]) + since.seconds + Decimal(since.microseconds).scaleb(-6)


def seconds_of_duration(text: str) -> Decimal:
    """Seconds. Raises InvalidInput for what is no duration, or has years or months."""
    found = _DURATION.fullmatch(text)
    parts = {} if found is None else {name: found[name] for name in SECONDS if found[name]}
    if not parts:
        raise InvalidInput(f"{text[:50]!r} is no duration as P1DT12H is: made of W, D, H, M and S")
    seconds = sum((Decimal(value) * SECONDS[name] for name, value in parts.items()), Decimal(0))
    if seconds > DURATION_MAX_S:
        raise InvalidInput(f"{text[:50]!r} is longer than 1 000 years")
    return -seconds if found is not None and found["sign"] == "-" else seconds
