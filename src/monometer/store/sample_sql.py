"""The events that a query takes, with everything that it wants to know of each."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Interval,
    Numeric,
    Select,
    TableValuedAlias,
    any_,
    cast,
    column,
    func,
    literal,
    null,
    select,
)

from monometer.core.aggregation import Aggregation
from monometer.core.meter import Measure
from monometer.core.usage import Tumbling, UsageQuery
from monometer.core.windows import WindowSize, zone
from monometer.store.expression_sql import predicate_sql, value_sql
from monometer.store.statements import parameter
from monometer.store.tables import INSTANT, TEXT, event

DIGEST_BYTES = 16

# What differs between queries of one shape stands in a statement as a parameter with a name.
START, END = parameter("start", INSTANT), parameter("end", INSTANT)
SUBJECTS = parameter("subjects", ARRAY(TEXT))
# Beside each other, so that attributing a thousand subjects takes two parameters.
ATTRIBUTED, CUSTOMERS = (parameter(name, ARRAY(TEXT)) for name in ("attributed", "customers"))

# A window of UTC is a bin, found in half the time that date_trunc with a zone takes.
_BINS = {
    WindowSize.MINUTE: timedelta(minutes=1),
    WindowSize.HOUR: timedelta(hours=1),
    WindowSize.DAY: timedelta(days=1),
    WindowSize.WEEK: timedelta(weeks=1),
}
_BINS_FROM = datetime(1, 1, 8, tzinfo=UTC)  # a Monday before any event


def sample_select(query: UsageQuery, *conditions: ColumnElement[bool]) -> Select[Any]:
    """The value of each event that is taken, of those for which `conditions` hold as well.

    As the query needs them also first, last, window_start, time, stored_at, id, source, subject,
    customer, group_0, group_1, …
    """
    measure = query.measure
    columns = [*needed_times(query, event.c.time, event.c.time)]
    columns.append(value_of(measure).label("value"))
    if isinstance(query.axis, Tumbling):
        columns.append(window_of(query.axis, event.c.time).label("window_start"))
    if measure.aggregation is Aggregation.LATEST:
        columns += [event.c.time, event.c.stored_at, event.c.id, event.c.source]
    if query.by_subject:
        columns.append(event.c.subject)
    attributed = attribution() if query.attribution is not None else None
    if attributed is not None:
        columns.append(attributed.c.customer)
    columns += [
        value_sql(measure.groups[name]).label(f"group_{i}") for i, name in enumerate(query.group_by)
    ]
    rows = event if attributed is None else attributed_rows(event, event.c.subject, attributed)
    return select(*columns).select_from(rows).where(*taken(query), *conditions)


def attribution() -> TableValuedAlias:
    """The pairs of a query's attribution, as rows (subject, customer)."""
    pairs = func.unnest(ATTRIBUTED, CUSTOMERS)
    return pairs.table_valued(column("subject", TEXT), column("customer", TEXT)).render_derived(
        "attribution"
    )


def attributed_rows(
    rows: FromClause, subject: ColumnElement[Any], pairs: TableValuedAlias
) -> FromClause:
    """The rows, each with the customer of its subject; NULL where it has none."""
    return rows.outerjoin(pairs, pairs.c.subject == subject)


def needed_times(
    query: UsageQuery, first: ColumnElement[Any], last: ColumnElement[Any]
) -> list[ColumnElement[Any]]:
    """What tells the period of a row: any instant of a window, else the sides that are open."""
    if isinstance(query.axis, Tumbling):
        return [first.label("first")]
    times: list[ColumnElement[Any]] = [] if query.start is not None else [first.label("first")]
    return times if query.end is not None else [*times, last.label("last")]


def taken(query: UsageQuery) -> list[ColumnElement[bool]]:
    """What an event must fulfil to be taken by the query."""
    conditions = measured(query.namespace, query.measure)
    if query.subjects is not None:
        conditions.append(event.c.subject == any_(SUBJECTS))
    if query.start is not None:
        conditions.append(event.c.time >= START)
    if query.end is not None:
        conditions.append(event.c.time < END)
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
    if axis.zone == "UTC" and axis.size in _BINS:
        size, origin = literal(_BINS[axis.size], Interval), literal(_BINS_FROM, INSTANT)
        return func.date_bin(size, time, origin, type_=INSTANT)
    size, in_zone = literal(axis.size.lower()), literal(zone(axis.zone).key)
    return func.date_trunc(size, time, in_zone, type_=INSTANT)


def digest(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """128 bits that nobody can make collide."""
    return func.substr(func.sha256(func.convert_to(cast(text, TEXT), "UTF8")), 1, DIGEST_BYTES)
