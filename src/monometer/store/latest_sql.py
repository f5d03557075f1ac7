"""LATEST by subject, hopping along the index from one subject to the next.

Two lookups a subject, instead of sorting every event: worth it since the latest value of each
subject is what gauges are asked for.
"""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, func, select, true

from monometer.core.aggregation import Aggregation
from monometer.core.expression import EVERYTHING
from monometer.core.usage import UsageQuery, Whole
from monometer.store.sample_sql import SUBJECTS, measured, needed_times, taken, value_of
from monometer.store.tables import TEXT, event


def can_hop(query: UsageQuery) -> bool:
    """Whether the index alone tells which events the query takes, and in which order."""
    measure = query.measure
    return (
        measure.aggregation is Aggregation.LATEST
        and measure.event_type is not None
        and measure.where == EVERYTHING == query.where
        and query.axis == Whole()
        and query.by_subject
        and query.attribution is None
        and not query.group_by
    )


def latest_by_subject(query: UsageQuery) -> Select[Any]:
    """Rows (subject, value) and the times that the query needs, one a subject with a value."""
    subjects = _all(query) if query.subjects is None else _given()
    of_subject = event.c.subject == subjects.c.subject
    newest_first = (
        event.c.time.desc(), event.c.stored_at.desc(), event.c.id.desc(), event.c.source.desc(),
    )  # fmt: skip
    value = value_of(query.measure)
    newest = (
        select(value.label("value"))
        .where(*taken(query), of_subject, value.is_not(None))
        .order_by(*newest_first)
        .limit(1)
        .lateral("newest")
    )
    found = subjects.join(newest, true())
    extremes = needed_times(query, func.min(event.c.time), func.max(event.c.time))
    if not extremes:
        return select(subjects.c.subject, newest.c.value).select_from(found)
    times = select(*extremes).where(*taken(query), of_subject).lateral("times")
    return select(*times.c, subjects.c.subject, newest.c.value).select_from(
        found.join(times, true())
    )


def _given() -> CTE:
    unnested = func.unnest(SUBJECTS, type_=TEXT)
    return select(unnested.label("subject")).distinct().cte("subjects")


def _all(query: UsageQuery) -> CTE:
    """Every subject with an event of the measure: from each to the next greater one."""
    of_measure = measured(query.namespace, query.measure)

    def least(*conditions: ColumnElement[bool]) -> Select[Any]:
        subject = select(event.c.subject).where(*of_measure, *conditions)
        return subject.order_by(event.c.subject).limit(1)

    first = select(least().scalar_subquery().label("subject"))
    found = first.cte("subjects", recursive=True)
    greater = least(event.c.subject > found.c.subject).scalar_subquery()
    return found.union_all(select(greater).where(found.c.subject.is_not(None)))
