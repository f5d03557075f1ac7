"""A query answered from cells, and from the rows of events that no cell holds.

Read in one statement: cells of whole hours, rows at the ragged edges of the period, and the tail,
the rows stored since the watermark. All three come in as partial folds and are merged.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    LargeBinary,
    Select,
    any_,
    case,
    func,
    literal,
    select,
    union_all,
)

from monometer.core.aggregation import Aggregation
from monometer.core.usage import Tumbling, UsageQuery
from monometer.core.windows import WindowSize
from monometer.store.cells import Kind, group_names, whole_hours
from monometer.store.expression_sql import SqlReader
from monometer.store.sample_sql import (
    SUBJECTS,
    attributed_rows,
    attribution,
    digest,
    needed_times,
    sample_select,
    window_of,
)
from monometer.store.statements import parameter
from monometer.store.tables import INSTANT, XID8, event
from monometer.store.usage_fold import count_of_values, fold, keys_of

NO_VALUE = literal(b"", LargeBinary)

PROJECTION = parameter("projection", BigInteger())
WATERMARK = parameter("watermark", XID8)
# The whole hours of the period.
HOURS_START = parameter("hours_start", INSTANT)
HOURS_END = parameter("hours_end", INSTANT)

Columns = list[ColumnElement[Any]]


def fold_of_cells(query: UsageQuery, kind: Kind) -> Select[Any]:
    """The same rows as the fold over every event."""
    parts = [_from_cells(query, kind), _from_events(query)]
    if _hardly_merges(query, kind):
        parts = [part.order_by(*keys_of(query, part.selected_columns)) for part in parts]
    partial = union_all(*parts).cte("partial")
    match query.measure.aggregation:
        case Aggregation.COUNT:
            return fold(query, partial, func.sum(partial.c.events))
        case Aggregation.UNIQUE_COUNT:
            return count_of_values(query, partial)
        case Aggregation.MIN:
            return fold(query, partial, func.min(partial.c.amount))
        case Aggregation.MAX:
            return fold(query, partial, func.max(partial.c.amount))
        case Aggregation.AVG:
            return fold(query, partial, func.sum(partial.c.amount), func.sum(partial.c.counted))
        case _:
            return fold(query, partial, func.sum(partial.c.amount))


def _hardly_merges(query: UsageQuery, kind: Kind) -> bool:
    """Whether a group of the answer has hardly more than one cell.

    Sorted and merged, such groups stream along the index; to hash them costs more, in memory above
    all, and the planner cannot know it.
    """
    if not isinstance(query.axis, Tumbling) or query.axis.size is not WindowSize.HOUR:
        return False
    if query.measure.aggregation is Aggregation.UNIQUE_COUNT:
        return False
    if kind is Kind.SUBJECT:
        return query.by_subject
    return set(query.group_by) == set(query.measure.groups)


def _from_cells(query: UsageQuery, kind: Kind) -> Select[Any]:
    cell = kind.table.c
    names = group_names(query.measure)
    stored = {name: cell.groups[names.index(name) + 1] for name in names}
    known = {query.measure.groups[name]: column for name, column in stored.items()}
    conditions = [cell.projection_id == PROJECTION, SqlReader(known).predicate(query.where)]
    start, end = _hours(query)
    if start is not None:
        conditions.append(cell.hour >= HOURS_START)
    if end is not None:
        conditions.append(cell.hour < HOURS_END)
    if query.subjects is not None:
        conditions.append(cell.subject == any_(SUBJECTS))
    keys: Columns = []
    if isinstance(query.axis, Tumbling):
        of_hours = query.axis.size is WindowSize.HOUR
        window = cell.hour if of_hours else window_of(query.axis, cell.hour)
        keys.append(window.label("window_start"))
    if query.by_subject:
        keys.append(cell.subject)
    rows: FromClause = kind.table
    if query.attribution is not None:
        pairs = attribution()
        rows = attributed_rows(rows, cell.subject, pairs)
        keys.append(pairs.c.customer)
    keys += [stored[name].label(f"group_{i}") for i, name in enumerate(query.group_by)]
    amounts = _amounts_of_cells(query.measure.aggregation, cell)
    columns = [*needed_times(query, cell.first, cell.last), *keys, *amounts]
    return select(*columns).select_from(rows).where(*conditions)


def _amounts_of_cells(aggregation: Aggregation, cell: Any) -> Columns:
    match aggregation:
        case Aggregation.COUNT:
            return [cell.events]
        case Aggregation.UNIQUE_COUNT:
            return [func.nullif(cell.value, NO_VALUE).label("value")]
        case Aggregation.MIN:
            return [cell.min.label("amount")]
        case Aggregation.MAX:
            return [cell.max.label("amount")]
        case Aggregation.AVG:
            return [cell.sum.label("amount"), cell.counted]
        case _:
            return [cell.sum.label("amount")]


def _from_events(query: UsageQuery) -> Select[Any]:
    start, end = _hours(query)
    edges, inside = [], []
    if start is not None:
        inside.append(event.c.time >= HOURS_START)
        if start != query.start:
            edges.append(sample_select(query, event.c.time < HOURS_START))
    if end is not None:
        inside.append(event.c.time < HOURS_END)
        if end != query.end:
            edges.append(sample_select(query, event.c.time >= HOURS_END))
    tail = sample_select(query, event.c.xid >= WATERMARK, *inside)
    sample = union_all(*edges, tail).cte("sample")
    times = [sample.c[name] for name in ("first", "last") if name in sample.c]
    return select(*times, *keys_of(query, sample.c), *_amounts_of_events(query, sample))


def _amounts_of_events(query: UsageQuery, sample: CTE) -> Columns:
    value, one = sample.c.value, literal(1, BigInteger)
    match query.measure.aggregation:
        case Aggregation.COUNT:
            return [one.label("events")]
        case Aggregation.UNIQUE_COUNT:
            return [digest(value).label("value")]
        case Aggregation.AVG:
            counted = case((value.is_not(None), one), else_=literal(0, BigInteger))
            return [value.label("amount"), counted.label("counted")]
        case _:
            return [value.label("amount")]


def _hours(query: UsageQuery) -> tuple[datetime | None, datetime | None]:
    hours = whole_hours(query)
    assert hours is not None  # noqa: S101 - whoever chose the cells has asked
    return hours
