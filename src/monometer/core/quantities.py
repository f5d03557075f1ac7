"""Usage by whole calendar buckets, one for each step of an interval from a start, zeros included.

Source: Polar's meter quantities.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from monometer.core.aggregation import MONOIDS, Aggregation
from monometer.core.expression import AllOf, AnyOf, Attribute, Compare, Literal
from monometer.core.meter import Measure
from monometer.core.usage import Tumbling, UsageQuery, UsageRow, Whole
from monometer.core.windows import Period, WindowSize, window, zone

ZERO = Decimal(0)

# Folded over the events of all buckets. Other totals come of the buckets themselves.
_OVER_EVENTS = frozenset({Aggregation.AVG, Aggregation.UNIQUE_COUNT, Aggregation.LATEST})
_OVER_BUCKETS = {
    Aggregation.COUNT: Aggregation.SUM, Aggregation.SUM: Aggregation.SUM,
    Aggregation.MIN: Aggregation.MIN, Aggregation.MAX: Aggregation.MAX,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantities:
    """Each point with the quantity of its bucket, and the total of them all."""

    points: Sequence[tuple[datetime, Decimal]]
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantitiesQuery:
    """`start` and `end` say which points there are, both included; buckets reach beyond them.

    `usage` says of what: its axis and period are not looked at. With `across`, each bucket is
    folded for each person apart, whoever that is, and `across` folds what comes out.
    """

    usage: UsageQuery
    start: datetime
    end: datetime
    size: WindowSize
    zone: str = "UTC"
    across: Aggregation | None = None

    @property
    def measure(self) -> Measure:
        return self.usage.measure

    def points(self) -> list[datetime]:
        return points(self.start, self.end, self.size, zone(self.zone))

    def buckets(self) -> list[Period]:
        """The bucket of each point."""
        return [window(at, self.size, zone(self.zone)) for at in self.points()]

    def by_bucket(self) -> UsageQuery:
        """What to ask for the buckets."""
        return replace(self._bounded(), axis=Tumbling(self.size, self.zone))

    def over_events(self) -> UsageQuery | None:
        """What to ask for the total, None when the buckets tell it."""
        return self._bounded() if self.measure.aggregation in _OVER_EVENTS else None

    def _bounded(self) -> UsageQuery:
        runs = _runs(self.buckets())
        where = self.usage.where if len(runs) == 1 else AllOf((self.usage.where, _in_one_of(runs)))
        period = Period(runs[0].start, runs[-1].end)
        return replace(self.usage, axis=Whole(), start=period.start, end=period.end, where=where)


def answer(
    query: QuantitiesQuery, usage: Iterable[UsageRow], over_events: Decimal | None
) -> Quantities:
    """`usage` has a row for each bucket, or for each bucket and person, that has events."""
    values: defaultdict[datetime, list[Decimal]] = defaultdict(list)
    for row in usage:
        values[row.period.start].append(row.value)
    folded = {start: _across(query.across, numbers) for start, numbers in values.items()}
    buckets = query.buckets()
    quantities = [folded.get(bucket.start, ZERO) for bucket in buckets]
    known = [folded[bucket.start] for bucket in buckets if bucket.start in folded]
    over = _OVER_BUCKETS.get(query.measure.aggregation)
    total = over_events if over is None else fold_numbers(over, known)
    points_ = list(zip(query.points(), quantities, strict=True))
    return Quantities(points_, ZERO if total is None else total)


def fold_numbers(aggregation: Aggregation, numbers: Iterable[Decimal]) -> Decimal | None:
    """The aggregation over numbers that stand for themselves."""
    monoid: Any = MONOIDS[aggregation]
    state = monoid.empty
    for number in numbers:
        state = monoid.merge(state, monoid.lift(number, None))
    finished: Decimal | None = monoid.finish(state)
    return finished


def points(start: datetime, end: datetime, size: WindowSize, in_zone: ZoneInfo) -> list[datetime]:
    """`start`, and whatever lies whole steps after it, not after `end`. Returns UTC.

    Days and longer are steps of the wall clock; a month's last days stand for those that it lacks.
    """
    found: list[datetime] = []
    at = start.astimezone(UTC)
    while at <= end:
        found.append(at)
        at = _stepped(start, len(found), size, in_zone)
    return found


def _stepped(start: datetime, steps: int, size: WindowSize, in_zone: ZoneInfo) -> datetime:
    wall = start.astimezone(in_zone).replace(tzinfo=None)
    match size:
        case WindowSize.MINUTE:
            return start.astimezone(UTC) + timedelta(minutes=steps)
        case WindowSize.HOUR:
            return start.astimezone(UTC) + timedelta(hours=steps)
        case WindowSize.DAY:
            wall += timedelta(days=steps)
        case WindowSize.WEEK:
            wall += timedelta(weeks=steps)
        case WindowSize.MONTH:
            wall = _months_later(wall, steps)
        case WindowSize.YEAR:
            wall = _months_later(wall, 12 * steps)
    return wall.replace(tzinfo=in_zone).astimezone(UTC)


def _months_later(wall: datetime, months: int) -> datetime:
    years, month = divmod(wall.month - 1 + months, 12)
    year, month = wall.year + years, month + 1
    return wall.replace(year=year, month=month, day=min(wall.day, monthrange(year, month)[1]))


def _runs(buckets: Sequence[Period]) -> list[Period]:
    """Touching buckets as one. All of them do, but where clocks change by half an hour."""
    runs = [buckets[0]]
    for bucket in buckets[1:]:
        if bucket.start <= runs[-1].end:
            runs[-1] = Period(runs[-1].start, bucket.end)
        else:
            runs.append(bucket)
    return runs


def _in_one_of(periods: Iterable[Period]) -> AnyOf:
    time = Attribute("time")
    return AnyOf(
        tuple(
            AllOf((Compare(">=", time, Literal(start)), Compare("<", time, Literal(end))))
            for start, end in periods
        )
    )


def _across(across: Aggregation | None, numbers: Sequence[Decimal]) -> Decimal:
    if across is None:
        (alone,) = numbers
        return alone
    return fold_numbers(across, numbers) or ZERO
