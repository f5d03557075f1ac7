"""Windows of time on a zone's wall clock: half-open, touching, exact across DST."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from monometer.core.errors import InvalidInput


class WindowSize(StrEnum):
    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"  # from Monday
    MONTH = "MONTH"
    YEAR = "YEAR"


class Period(NamedTuple):
    """The instants from `start`, included, to `end`, excluded. Both UTC."""

    start: datetime
    end: datetime


_FIXED = {WindowSize.MINUTE: timedelta(minutes=1), WindowSize.HOUR: timedelta(hours=1)}
MINUTE = _FIXED[WindowSize.MINUTE]


@cache
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises InvalidInput for an unknown one.

    Names are compared exactly, case included, and only real zones count: not paths, nor the
    system's own `localtime`.
    """
    if name not in _names():
        raise InvalidInput(f"invalid time zone: unknown time zone {name}")
    return ZoneInfo(name)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory", "posixrules"})


def floor(at: datetime, size: WindowSize, in_zone: ZoneInfo) -> datetime:
    """Start of the window of `size` that holds `at`, on the wall clock of `in_zone`.

    `at` is aware; returns UTC. Minutes and hours keep the offset in force at `at`, so the repeated
    hour of an autumn day is two windows. Longer windows start at the first instant of their local
    date, also where midnight is skipped or comes twice (Havana, the Azores).
    """
    local = at.astimezone(in_zone)
    match size:
        case WindowSize.MINUTE | WindowSize.HOUR:
            wall = local.replace(second=0, microsecond=0, tzinfo=None)
            if size is WindowSize.HOUR:
                wall = wall.replace(minute=0)
            return (wall - (local.utcoffset() or timedelta())).replace(tzinfo=UTC)
        case WindowSize.DAY:
            first = local
        case WindowSize.WEEK:
            first = local.replace(tzinfo=None) - timedelta(days=local.weekday())
        case WindowSize.MONTH:
            first = local.replace(day=1)
        case WindowSize.YEAR:
            first = local.replace(month=1, day=1)
    return _midnight(first, in_zone)


def next_start(start: datetime, size: WindowSize, in_zone: ZoneInfo) -> datetime:
    """Start of the window after the one that starts at `start`, which `floor` has returned."""
    if size in _FIXED:
        return start + _FIXED[size]
    local = start.astimezone(in_zone).replace(tzinfo=None)
    match size:
        case WindowSize.WEEK:
            following = local + timedelta(days=7)
        case WindowSize.MONTH:
            following = (local.replace(day=1) + timedelta(days=31)).replace(day=1)
        case WindowSize.YEAR:
            following = local.replace(year=local.year + 1)
        case _:
            following = local + timedelta(days=1)
    return _midnight(following, in_zone)


def window(at: datetime, size: WindowSize, in_zone: ZoneInfo) -> Period:
    """The window of `size` that holds `at`."""
    start = floor(at, size, in_zone)
    return Period(start, next_start(start, size, in_zone))


def _midnight(day: datetime, in_zone: ZoneInfo) -> datetime:
    """First instant of a local date.

    `fold=0` is the first of two midnights; of a skipped one it is where the clock jumps, as long
    as the jump starts at midnight, which is the only kind in use.
    """
    wall = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=in_zone, fold=0)
    return wall.astimezone(UTC)
