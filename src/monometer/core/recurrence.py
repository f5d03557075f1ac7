"""An interval repeated from an anchor: its occurrences, and the periods between them.

Occurrence n is `anchor + n * interval`, always counted from the anchor, so that a month that is too
short for its day changes nothing for the months after it. All times are UTC; intervals are whole
minutes.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta

from monometer.core.errors import InvalidInput
from monometer.core.event import TIME_END, TIME_MIN
from monometer.core.minutes import LAST_MINUTE
from monometer.core.windows import Period

INTERVAL_YEARS_MAX = 1_000
INTERVAL_MINUTES_MIN = 60

_NAMED = {"DAY": "P1D", "WEEK": "P1W", "MONTH": "P1M", "YEAR": "P1Y"}
_ISO = re.compile(
    r"P(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)
_DAY_MINUTES = 24 * 60
_MONTH_MINUTES = 146_097 * _DAY_MINUTES / 4_800  # the mean over the 400 years that repeat


@dataclass(frozen=True, slots=True)
class Interval:
    """A step on the calendar: `months`, then `minutes`. `iso` is how it was written, normalised."""

    months: int
    minutes: int
    iso: str

    @property
    def name(self) -> str:
        """DAY, WEEK, MONTH or YEAR when it is exactly that, however written; else the ISO text."""
        return _NAMES.get((self.months, self.minutes), self.iso)


def parse_interval(text: str) -> Interval:
    """DAY, WEEK, MONTH, YEAR or an ISO 8601 duration such as `P2W`, in any case.

    Whole numbers only; from one hour to 1 000 years, in whole minutes. Raises InvalidInput.
    """
    # ASCII only: other scripts have letters that upper() turns into these.
    iso = text.upper() if text.isascii() else ""
    interval = _of_iso(_NAMED.get(iso, iso))
    if interval is None:
        raise InvalidInput(
            f"invalid interval: {text[:50]!r} is neither DAY, WEEK, MONTH or YEAR "
            "nor an ISO 8601 duration of whole numbers"
        )
    return interval


def _of_iso(text: str) -> Interval | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(n or 0) for n in match.groups())
    months_all = years * 12 + months
    seconds_all = ((weeks * 7 + days) * _DAY_MINUTES + hours * 60 + minutes) * 60 + seconds
    if seconds_all % 60:
        raise InvalidInput("invalid interval: it must be a whole number of minutes")
    minutes_all = seconds_all // 60
    if months_all == 0 and minutes_all < INTERVAL_MINUTES_MIN:
        raise InvalidInput("UsagePeriod must be at least 1 hour")
    if months_all * _MONTH_MINUTES + minutes_all > INTERVAL_YEARS_MAX * 12 * _MONTH_MINUTES:
        raise InvalidInput(f"invalid interval: it must be at most {INTERVAL_YEARS_MAX} years")
    return Interval(months_all, minutes_all, _print(match))


def _print(match: re.Match[str]) -> str:
    parts = [
        f"{int(n)}{unit}" if n and int(n) else ""
        for n, unit in zip(match.groups(), "YMWDHMS", strict=True)
    ]
    date, time = "".join(parts[:4]), "".join(parts[4:])
    return f"P{date}T{time}" if time else f"P{date}"


_NAMES = {
    (0, _DAY_MINUTES): "DAY",
    (0, 7 * _DAY_MINUTES): "WEEK",
    (1, 0): "MONTH",
    (12, 0): "YEAR",
}


@dataclass(frozen=True, slots=True)
class Recurrence:
    """`interval` repeated from `anchor`, a whole minute in UTC, into the past and the future.

    A month step from the 29th to the 31st lands on the last day of a shorter month. Occurrences
    outside the years that events may have count as their first and last instant.
    """

    interval: Interval
    anchor: datetime

    def occurrence(self, n: int) -> datetime:
        return later(self.anchor, n * self.interval.months, n * self.interval.minutes)

    def index_at(self, at: datetime) -> int:
        """The largest n whose occurrence is not after `at`. Found by estimate, not by search."""
        at = max(TIME_MIN, min(at, LAST_MINUTE))
        step = self.interval.months * _MONTH_MINUTES + self.interval.minutes
        n = int((at - self.anchor) / timedelta(minutes=step))
        while self.occurrence(n) > at:
            n -= 1
        while self.occurrence(n + 1) <= at:
            n += 1
        return n

    def period_at(self, at: datetime) -> Period:
        n = self.index_at(at)
        return Period(self.occurrence(n), self.occurrence(n + 1))

    def next_from(self, at: datetime) -> datetime:
        """The first occurrence that is not before `at`."""
        n = self.index_at(at)
        found = self.occurrence(n)
        return found if found >= at else self.occurrence(n + 1)

    def count(self, first: datetime, last: datetime) -> int:
        """How many occurrences there are from `first` to `last`, both included."""
        return len(self._indexes(first, last))

    def occurrences(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """The occurrences from `first` to `last`, both included, in order."""
        return map(self.occurrence, self._indexes(first, last))

    def _indexes(self, first: datetime, last: datetime) -> range:
        if last < first:
            return range(0)
        n = self.index_at(first)
        return range(n if self.occurrence(n) >= first else n + 1, self.index_at(last) + 1)


def later(at: datetime, months: int, minutes: int) -> datetime:
    """`at` moved by months, kept inside the month that is reached, and then by minutes."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return TIME_END if year > MAXYEAR else TIME_MIN
    day = min(at.day, monthrange(year, month + 1)[1])
    return moved(at.replace(year=year, month=month + 1, day=day), timedelta(minutes=minutes))


def moved(at: datetime, by: timedelta) -> datetime:
    """`at + by`, kept within the years that events may have."""
    try:
        return max(TIME_MIN, min(at + by, TIME_END))
    except OverflowError:
        return TIME_END if by > timedelta(0) else TIME_MIN
