"""Windows of every zone, at every change of its clocks from 2012 to 2037."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import ARRAY, TIMESTAMP, Text, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.support.zones import changes, zone_names

from monometer.core.windows import WindowSize, floor, next_start, zone

INSTANT = timedelta(microseconds=1)
# Before and after a change: within its hour, its day, its week, its month.
AROUND = [
    timedelta(days=-31), timedelta(days=-1), timedelta(hours=-2), timedelta(minutes=-59),
    timedelta(minutes=-30), -INSTANT, timedelta(0), INSTANT, timedelta(seconds=30),
    timedelta(minutes=29), timedelta(minutes=30), timedelta(minutes=60), timedelta(minutes=90),
    timedelta(hours=23), timedelta(days=8),
]  # fmt: skip

EACH_SIZE = pytest.mark.parametrize("size", WindowSize)


def _distinct_changes() -> list[tuple[str, tuple[datetime, ...]]]:
    """One zone for each history of changes: many names mean the same clocks."""
    found: dict[tuple[object, ...], str] = {}
    for name in sorted(zone_names()):
        at = changes(name)
        found.setdefault((at, *(one.astimezone(zone(name)).utcoffset() for one in at)), name)
    return [(name, changes(name)) for name in found.values()]


@EACH_SIZE
def test_windows_hold_their_instants_and_touch(size: WindowSize) -> None:
    for name, instants in _distinct_changes():
        in_zone = zone(name)
        for at in (change + delta for change in instants for delta in AROUND):
            _assert_lawful(at, size, in_zone)


def _assert_lawful(at: datetime, size: WindowSize, in_zone: ZoneInfo) -> None:
    start = floor(at, size, in_zone)
    end = next_start(start, size, in_zone)
    assert start <= at < end, (at, in_zone)
    assert floor(start, size, in_zone) == start, (at, in_zone)
    assert floor(end - INSTANT, size, in_zone) == start, (at, in_zone)
    assert floor(end, size, in_zone) == end, (at, in_zone)


@EACH_SIZE
async def test_postgresql_tells_the_same_windows_apart(
    engine: AsyncEngine, agreed_changes: dict[str, list[datetime]], size: WindowSize
) -> None:
    """`date_trunc` names each window once, in order, and mostly by its start.

    Not by its start where the clocks change inside an hour, and where midnight comes twice:
    then it names the second one (Havana). So SQL only groups by it.
    """
    async with engine.connect() as connection:
        for name, instants in agreed_changes.items():
            in_zone = zone(name)
            asked = sorted({at + delta for at in instants for delta in AROUND})
            labels = await _labels(connection, asked, size, in_zone)
            starts = [floor(at, size, in_zone) for at in asked]
            pairs = sorted(set(zip(starts, labels, strict=True)))
            assert len({start for start, _ in pairs}) == len(pairs), name
            assert [label for _, label in pairs] == sorted({label for _, label in pairs}), name
            for start, label in pairs:
                assert start == label or _named_otherwise(start, label, size, in_zone), name


async def _labels(
    connection: AsyncConnection, asked: list[datetime], size: WindowSize, in_zone: ZoneInfo
) -> list[datetime]:
    instants = func.unnest(literal(asked, ARRAY(TIMESTAMP(timezone=True)))).column_valued("at")
    label = func.date_trunc(literal(size.lower(), Text), instants, literal(in_zone.key, Text))
    return list((await connection.execute(select(label))).scalars())


def _named_otherwise(start: datetime, label: datetime, size: WindowSize, in_zone: ZoneInfo) -> bool:
    if size in {WindowSize.MINUTE, WindowSize.HOUR}:  # an hour that a change cut short
        local = start.astimezone(in_zone)
        return (local.minute, local.second) != (0, 0) and label < start
    second_midnight = label.astimezone(in_zone).replace(tzinfo=None)
    return second_midnight == start.astimezone(in_zone).replace(tzinfo=None) and start < label


def test_most_zones_are_compared(agreed_changes: dict[str, list[datetime]]) -> None:
    """The comparison above means something: few years are left out for old time zone data."""
    known = sum(len(changes(name)) for name in agreed_changes)
    compared = sum(len(instants) for instants in agreed_changes.values())
    assert compared > 0.9 * known
