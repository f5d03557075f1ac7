"""When the clocks of a zone change: the instants at which windows go wrong, if they do."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

FIRST_YEAR = 2012
LAST_YEAR = 2037

# No zone has changed its offset twice within so few days in these years.
_STEP = timedelta(days=5)


@cache
def transitions(name: str, first: int = FIRST_YEAR, last: int = LAST_YEAR) -> tuple[datetime, ...]:
    """The instants, to the second, from which a new offset holds, in the years `first` to `last`.

    As Python's time zone data knows them.
    """
    zone = ZoneInfo(name)
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    found = []
    while at < end:
        if _offset(at, zone) != _offset(at + _STEP, zone):
            found.append(_first_with_new_offset(at, at + _STEP, zone))
        at += _STEP
    return tuple(found)


def _first_with_new_offset(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _offset(middle, zone) == _offset(before, zone):
            before = middle
        else:
            after = middle
    return after


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
