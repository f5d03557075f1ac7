"""The events that a query takes, with everything that it wants to know of each."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Numeric,
    Select,
    any_,
    cast,
    func,
    literal,
    null,
    select,
)

from monometer.core.aggregation import Aggregation
from monometer.core.meter import Measure
from monometer.core.usage import Tumbling, UsageQuery
from monometer.core.windows import zone
from monometer.store.expression_sql import predicate_sql, value_sql
from monometer.store.tables import INSTANT, TEXT, event

DIGEST_BYTES = 16


def sample_select(query: UsageQuery, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Columns time and value of the events taken, those for which `conditions` hold as well.

    As the query needs them also window_start, stored_at, id, source, subject, group_0, group_1, …
    """
    measure = query.measure
    columns: list[ColumnElement[Any]] = [event.c.time, value_of(measure).label("value")]
    if isinstance(query.axis, Tumbling):
        columns.append(window_of(query.axis, event.c.time).label("window_start"))
    if measure.aggregation is Aggregation.LATEST:
        columns += [event.c.stored_at, event.c.id, event.c.source]
    if query.by_subject:
        columns.append(event.c.subject)
    columns += [
        value_sql(measure.groups[name]).label(f"group_{i}") for i, name in enumerate(query.group_by)
    ]
    return select(*columns).where(*taken(query), *conditions)


def taken(query: UsageQuery) -> list[ColumnElement[bool]]:
    """What an event must fulfil to be taken by the query."""
    conditions = measured(query.namespace, query.measure)
    if query.subjects is not None:
        conditions.append(event.c.subject == any_(literal(list(query.subjects), ARRAY(TEXT))))
    if query.start is not None:
        conditions.append(event.c.time >= literal(query.start, INSTANT))
    if query.end is not None:
        conditions.append(event.c.time < literal(query.end, INSTANT))
    return [*conditions, predicate_sql(query.where)]


def measured(namespace: str, measure: Measure) -> list[ColumnElement[bool]]:
    """What an event must fulfil to be taken by the measure."""
    conditions = [event.c.namespace == namespace]
    if measure.event_type is not None:
        conditions.append(event.c.type == measure.event_type)
    if measure.event_from is not None:
        conditions.append(event.c.time >= literal(measure.event_from, INSTANT))
    return [*conditions, predicate_sql(measure.where)]


def value_of(measure: Measure) -> ColumnElement[Any]:
    return cast(null(), Numeric) if measure.value is None else value_sql(measure.value)


def window_of(axis: Tumbling, time: ColumnElement[Any]) -> ColumnElement[Any]:
    """Tells windows apart and in order, no more: core/windows.py says where they start."""
    size, in_zone = literal(axis.size.lower()), literal(zone(axis.zone).key)
    return func.date_trunc(size, time, in_zone, type_=INSTANT)


def digest(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """128 bits that nobody can make collide."""
    return func.substr(func.sha256(func.convert_to(cast(text, TEXT), "UTF8")), 1, DIGEST_BYTES)
