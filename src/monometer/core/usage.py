"""A question about usage, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from monometer.core.expression import EVERYTHING, Predicate
from monometer.core.meter import Measure
from monometer.core.windows import MINUTE, Period, WindowSize, window, zone

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Whole:
    """One answer a group over the whole period."""


@dataclass(frozen=True, slots=True)
class Tumbling:
    """One answer a group and window. Windows are aligned to the wall clock of `zone`."""

    size: WindowSize
    zone: str = "UTC"


Axis: TypeAlias = Whole | Tumbling


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """`start` is included, `end` excluded; None leaves that side open, the future included.

    `subjects` None takes every subject. Rows are grouped by the subject when `by_subject`, by the
    customer when there is an `attribution`, and by the measure's groups named in `group_by`, in
    that order. `attribution` says which customer a subject's usage is: subjects that it does not
    name have none, and are one group.
    """

    namespace: str
    measure: Measure
    axis: Axis = Whole()
    start: datetime | None = None
    end: datetime | None = None
    subjects: tuple[str, ...] | None = None
    where: Predicate = EVERYTHING
    by_subject: bool = False
    attribution: Mapping[str, str] | None = None
    group_by: tuple[str, ...] = ()


class UsageRow(NamedTuple):
    """`subject` is None unless grouped by it; `group` stands beside the query's `group_by`.

    `customer` is None unless grouped by it, and of subjects that have none.
    """

    period: Period
    subject: str | None
    group: tuple[str, ...]
    value: Decimal
    customer: str | None = None


def period_of(query: UsageQuery, first: datetime, last: datetime) -> Period:
    """The period of a row whose earliest event is at `first` and whose latest is at `last`.

    In windows, any event of the row tells its window. Over the whole period an open side takes
    the row's own first or last event, to the minute. Source: OpenMeter's meter query.
    """
    if isinstance(query.axis, Tumbling):
        return window(first, query.axis.size, zone(query.axis.zone))
    return Period(query.start or _minute(first), query.end or _minute(last) + MINUTE)


def _minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)
