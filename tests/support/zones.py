"""When the clocks of a zone change: the instants at which windows go wrong, if they do.

Python and PostgreSQL each bring their own copy of the time zone database, perhaps of different
years. A government's latest decision is in one and not in the other; nothing of ours can mend
that. So tests that compare the two keep to the years in which both say the same.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import ARRAY, TIMESTAMP, Text, func, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.errors import InvalidInput
from monometer.core.windows import zone

FIRST_YEAR = 2012
LAST_YEAR = 2037

# No zone has changed its offset twice within so few days in these years.
_STEP = timedelta(days=5)
_SECOND = timedelta(seconds=1)


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones that a query may ask for."""
    return frozenset(name for name in available_timezones() if _is_zone(name))


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except InvalidInput:
        return False
    return True


@cache
def changes(name: str, first: int = FIRST_YEAR, last: int = LAST_YEAR) -> tuple[datetime, ...]:
    """The instants from which a new offset holds, in the years `first` to `last`.

    As Python's time zone data knows them.
    """
    in_zone = zone(name)
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    found = []
    while at < end:
        if _offset(at, in_zone) != _offset(at + _STEP, in_zone):
            found.append(_first_with_new_offset(at, at + _STEP, in_zone))
        at += _STEP
    return tuple(found)


def _first_with_new_offset(before: datetime, after: datetime, in_zone: ZoneInfo) -> datetime:
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _offset(middle, in_zone) == _offset(before, in_zone):
            before = middle
        else:
            after = middle
    return after


def _offset(at: datetime, in_zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(in_zone).utcoffset()


async def years_apart(engine: AsyncEngine, name: str) -> set[int]:
    """The years in which PostgreSQL's clock in that zone shows something else than Python's.

    Looked at: before and after every change that Python knows, and the start of every month, so
    that a change which PostgreSQL alone knows shows too.
    """
    in_zone = zone(name)
    asked = [at for change in changes(name) for at in (change - _SECOND, change)]
    years, months = range(FIRST_YEAR, LAST_YEAR + 1), range(1, 13)
    asked += [datetime(year, month, 1, tzinfo=UTC) for year in years for month in months]
    instants = func.unnest(literal(asked, ARRAY(TIMESTAMP(timezone=True)))).column_valued("at")
    local = func.timezone(literal(in_zone.key, Text), instants, type_=TIMESTAMP())
    async with engine.connect() as connection:
        shown = (await connection.execute(select(instants, local))).all()
    return {at.year for at, wall in shown if at.astimezone(in_zone).replace(tzinfo=None) != wall}
