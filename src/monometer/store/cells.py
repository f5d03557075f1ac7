"""What a projection's cells can answer.

A cell is the partial fold of one UTC hour's events, by the measure's groups without subject, or
by subject without groups.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Table

from monometer.core.aggregation import Aggregation
from monometer.core.event import TIME_END
from monometer.core.expression import EVERYTHING, leaves
from monometer.core.meter import Measure
from monometer.core.usage import Tumbling, UsageQuery
from monometer.core.windows import WindowSize, whole_hours_since
from monometer.store.tables import hourly_by_group, hourly_by_subject

HOUR = timedelta(hours=1)
FORMAT = 1  # of the cells; another one makes another projection


class Kind(StrEnum):
    GROUP = "group"
    SUBJECT = "subject"

    @property
    def table(self) -> Table:
        return hourly_by_group if self is Kind.GROUP else hourly_by_subject


@dataclass(frozen=True, slots=True)
class CellSource:
    """Cells to read: those of one projection, which hold every event below the watermark."""

    projection_id: int
    kind: Kind
    watermark: int


def fingerprint(kind: Kind, measure: Measure) -> bytes:
    """Equal for measures whose cells of that kind are the same.

    One set of cells serves SUM, COUNT, AVG, MIN and MAX of a value alike.
    """
    groups = sorted(measure.groups.items()) if kind is Kind.GROUP else ()
    unique = measure.aggregation is Aggregation.UNIQUE_COUNT
    told = (FORMAT, measure.event_type, measure.value, measure.where, measure.event_from)
    return hashlib.sha256(repr((*told, unique, groups)).encode()).digest()


def group_names(measure: Measure) -> list[str]:
    """The measure's groups in the order in which cells keep them."""
    return sorted(measure.groups)


def kinds_for(query: UsageQuery) -> list[Kind]:
    """The kinds of cells that can answer `query`, together with the rows that they do not hold."""
    measure, axis = query.measure, query.axis
    if measure.aggregation is Aggregation.LATEST or measure.event_type is None:
        return []  # its index answers it faster than cells would
    if isinstance(axis, Tumbling) and not _made_of_hours(axis):
        return []
    of_subjects = query.by_subject or query.attribution is not None
    by_group = query.subjects is None and not of_subjects
    by_subject = not query.group_by and query.where == EVERYTHING
    known = set(measure.groups.values())
    told_by_groups = all(leaf in known for leaf in leaves(query.where))
    kinds = [Kind.GROUP] if by_group and told_by_groups else []
    return [*kinds, Kind.SUBJECT] if by_subject else kinds


def _made_of_hours(axis: Tumbling) -> bool:
    return axis.size is not WindowSize.MINUTE and whole_hours_since(axis.zone) is not None


def whole_hours(query: UsageQuery) -> tuple[datetime | None, datetime | None] | None:
    """The part of the query's period that cells can answer: [from, to), None for an open side.

    None when there is no whole hour in it.
    """
    starts = [] if query.start is None else [_up(query.start)]
    if isinstance(query.axis, Tumbling) and query.axis.zone != "UTC":
        since = whole_hours_since(query.axis.zone)
        starts += [] if since is None else [since]
    start = max(starts, default=None)
    end = None if query.end is None else _down(query.end)
    if start is not None and end is not None and start >= end:
        return None
    return start, end


def _down(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _up(at: datetime) -> datetime:
    hour = _down(at)
    return hour if hour == at or at >= TIME_END else hour + HOUR
