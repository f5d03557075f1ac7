"""A query answered from cells, and from the rows of events that no cell holds.

Read in one statement: cells of whole hours, rows at the ragged edges of the period, and the tail,
the rows stored since the watermark. All three come in as partial folds and are merged.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    any_,
    case,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy import distinct as sql_distinct

from monometer.core.aggregation import Aggregation
from monometer.core.usage import Tumbling, UsageQuery
from monometer.store.cells import CellSource, group_names, whole_hours
from monometer.store.expression_sql import SqlReader
from monometer.store.sample_sql import digest, sample_select, window_of
from monometer.store.tables import INSTANT, TEXT, XID8, event

NO_VALUE = literal(b"", LargeBinary)


def fold_of_cells(query: UsageQuery, source: CellSource) -> Select[Any]:
    """The same rows as the fold over every event."""
    hours = whole_hours(query)
    assert hours is not None  # noqa: S101 - whoever chose the source has asked
    cells, events = _from_cells(query, source, *hours), _from_events(query, source, *hours)
    partial = union_all(cells, events).cte("partial")
    keys = [partial.c[f"group_{i}"] for i in range(len(query.group_by))]
    if isinstance(query.axis, Tumbling):
        keys.append(partial.c.window_start)
    value, counted = _merged(query.measure.aggregation, partial)
    fold = select(
        func.min(partial.c.first).label("first"), func.max(partial.c.last).label("last"),
        partial.c.subject if query.by_subject else null().label("subject"),
        *keys, value.label("value"), counted.label("counted"),
    )  # fmt: skip
    grouping = [*keys, partial.c.subject] if query.by_subject else keys
    fold = fold.group_by(*grouping).having(func.sum(partial.c.events) > 0)
    if query.measure.aggregation not in {Aggregation.COUNT, Aggregation.UNIQUE_COUNT}:
        fold = fold.having(func.sum(partial.c.counted) > 0)
    return fold


def _merged(
    aggregation: Aggregation, partial: CTE
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    counted = func.sum(partial.c.counted)
    match aggregation:
        case Aggregation.COUNT:
            return func.sum(partial.c.events), null()
        case Aggregation.UNIQUE_COUNT:
            return func.count(sql_distinct(func.nullif(partial.c.value, NO_VALUE))), null()
        case Aggregation.MIN:
            return func.min(partial.c.amount), null()
        case Aggregation.MAX:
            return func.max(partial.c.amount), null()
        case _:
            return func.sum(partial.c.amount), counted


def _from_cells(
    query: UsageQuery, source: CellSource, start: datetime | None, end: datetime | None
) -> Select[Any]:
    cell = source.kind.table.c
    names = group_names(query.measure)
    stored = {name: cell.groups[names.index(name) + 1] for name in names}
    known = {query.measure.groups[name]: column for name, column in stored.items()}
    groups = [stored[name].label(f"group_{i}") for i, name in enumerate(query.group_by)]
    conditions = [
        cell.projection_id == source.projection_id,
        SqlReader(known).predicate(query.where),
        *_between(cell.hour, start, end),
    ]
    if query.subjects is not None:
        conditions.append(cell.subject == any_(literal(list(query.subjects), ARRAY(TEXT))))
    amount = {Aggregation.MIN: cell.min, Aggregation.MAX: cell.max}.get(
        query.measure.aggregation, cell.sum
    )
    return select(
        *_times(query, cell.hour, cell.first, cell.last),
        *([cell.subject] if query.by_subject else []),
        *groups,
        cell.events, cell.counted, amount.label("amount"), cell.value,
    ).where(*conditions)  # fmt: skip


def _from_events(
    query: UsageQuery, source: CellSource, start: datetime | None, end: datetime | None
) -> Select[Any]:
    edges = []
    if start is not None and start != query.start:
        edges.append(sample_select(query, event.c.time < literal(start, INSTANT)))
    if end is not None and end != query.end:
        edges.append(sample_select(query, event.c.time >= literal(end, INSTANT)))
    unfolded = event.c.xid >= literal(source.watermark, XID8)
    tail = sample_select(query, unfolded, *_between(event.c.time, start, end))
    sample = union_all(*edges, tail).cte("sample")
    unique = query.measure.aggregation is Aggregation.UNIQUE_COUNT
    value = sample.c.value
    has_value = case((value.is_not(None), literal(1, Integer)), else_=literal(0, Integer))
    return select(
        *_times(query, sample.c.time, sample.c.time, sample.c.time),
        *([sample.c.subject] if query.by_subject else []),
        *(sample.c[f"group_{i}"] for i in range(len(query.group_by))),
        literal(1, Integer).label("events"),
        has_value.label("counted"),
        (null() if unique else value).label("amount"),
        (func.coalesce(digest(value), NO_VALUE) if unique else NO_VALUE).label("value"),
    )


def _times(
    query: UsageQuery, at: ColumnElement[Any], first: ColumnElement[Any], last: ColumnElement[Any]
) -> list[ColumnElement[Any]]:
    times: list[ColumnElement[Any]] = [first.label("first"), last.label("last")]
    if isinstance(query.axis, Tumbling):
        times.append(window_of(query.axis, at).label("window_start"))
    return times


def _between(
    column: ColumnElement[Any], start: datetime | None, end: datetime | None
) -> list[ColumnElement[bool]]:
    conditions = [] if start is None else [column >= literal(start, INSTANT)]
    return conditions if end is None else [*conditions, column < literal(end, INSTANT)]
