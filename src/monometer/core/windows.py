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
_INSTANT = timedelta(microseconds=1)


# PostgreSQL takes these names for abbreviations of a fixed offset, without summer time.
_RENAMED = {
    "CET": "Europe/Brussels",
    "MET": "Europe/Brussels",
    "EET": "Europe/Athens",
    "WET": "Europe/Lisbon",
}


@cache
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; its `key` is the name that PostgreSQL knows the same zone by.

    Names are compared exactly, case included, and only real zones count: not paths, nor the
    system's own `localtime`. Raises InvalidInput for an unknown one.
    """
    if name not in _names():
        raise InvalidInput(f"invalid time zone: unknown time zone {name}")
    return ZoneInfo(_RENAMED.get(name, name))


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory", "posixrules"})


def floor(at: datetime, size: WindowSize, in_zone: ZoneInfo) -> datetime:
    """Start of the window of `size` that holds `at`, on the wall clock of `in_zone`.

    `at` is aware; returns UTC. Minutes and hours keep the offset in force at `at`, so the repeated
    hour of an autumn day is two windows; where clocks change by half an hour (Lord Howe), one
    window ends and the next one starts. Longer windows start at the first instant of their local
    date, also where midnight is skipped or comes twice (Havana, the Azores).
    """
    local = at.astimezone(in_zone)
    match size:
        case WindowSize.MINUTE | WindowSize.HOUR:
            start = _even(local, size)
            if _in_step(start, at, size, in_zone):
                return start
            return _change(start, at.replace(microsecond=0), in_zone)
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
        end = _even(start.astimezone(in_zone), size) + _FIXED[size]
        in_step = _in_step(start, end - _INSTANT, size, in_zone)
        return end if in_step else _change(start, end, in_zone)
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


def _even(local: datetime, size: WindowSize) -> datetime:
    """The even minute or hour of a local time, by the offset in force then. Returns UTC."""
    wall = local.replace(second=0, microsecond=0, tzinfo=None)
    if size is WindowSize.HOUR:
        wall = wall.replace(minute=0)
    return (wall - (local.utcoffset() or timedelta())).replace(tzinfo=UTC)


def _midnight(day: datetime, in_zone: ZoneInfo) -> datetime:
    """First instant of a local date: of two midnights the first, of none where the clock jumps.

    A date that comes twice, because clocks went back over midnight from after it, starts the first
    time; no zone has done so since 2011.
    """
    wall = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=in_zone, fold=0)
    start = wall.astimezone(UTC)
    skipped = start.astimezone(in_zone).replace(tzinfo=None) != wall.replace(tzinfo=None)
    return _change(start - timedelta(days=1), start, in_zone) if skipped else start


def _in_step(a: datetime, b: datetime, size: WindowSize, in_zone: ZoneInfo) -> bool:
    """Whether clocks have changed between the two by whole windows, if at all."""
    return not (_offset(a, in_zone) - _offset(b, in_zone)) % _FIXED[size]


def _offset(at: datetime, in_zone: ZoneInfo) -> timedelta:
    return at.astimezone(in_zone).utcoffset() or timedelta()


def _change(before: datetime, after: datetime, in_zone: ZoneInfo) -> datetime:
    """The first instant of the offset that is in force at `after` but not at `before`.

    Clocks change on whole seconds, and the two are given so.
    """
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _offset(middle, in_zone) == _offset(after, in_zone):
            after = middle
        else:
            before = middle
    return after


HOURS_FROM = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS_UNTIL = datetime(2038, 1, 1, tzinfo=UTC)  # later years repeat the rules of the last ones


@cache
def whole_hours_since(name: str) -> datetime | None:
    """From when on every window of `name`, hours and longer, is made of whole UTC hours.

    None when it is not to be, as in Kolkata. Never before 1970, but for UTC: local mean times
    were off by minutes and seconds.
    """
    in_zone = zone(name)
    if name == "UTC":
        return datetime.min.replace(tzinfo=UTC)
    since: datetime | None = HOURS_FROM
    day, offset = HOURS_FROM, _offset(HOURS_FROM, in_zone)
    while day < _HOURS_UNTIL:
        following = day + timedelta(days=1)
        next_offset = _offset(following, in_zone)
        uneven = next_offset != offset and _change(day, following, in_zone).minute != 0
        if next_offset is None or next_offset % timedelta(hours=1):
            since = None
        elif uneven or since is None:
            since = following
        day, offset = following, next_offset
    # What was still wrong in the last year will be wrong again, every year.
    return None if since is None or since.year == _HOURS_UNTIL.year - 1 else since
