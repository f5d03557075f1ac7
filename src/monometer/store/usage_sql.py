"""The query core: a UsageQuery as one SELECT over raw events. The only place that aggregates.

The shape is *sample → fold*: `sample` names each expression once, so that SELECT and GROUP BY mean
the same thing although JSON paths travel as bound parameters.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Select,
    any_,
    func,
    literal,
    null,
    select,
)
from sqlalchemy import distinct as sql_distinct

from monometer.core.aggregation import Aggregation
from monometer.core.usage import Tumbling, UsageQuery
from monometer.core.windows import zone
from monometer.store.expression_sql import predicate_sql, value_sql
from monometer.store.tables import INSTANT, TEXT, event

GROUPS_FROM = 6  # where the groups begin in a row of usage_select


def usage_select(query: UsageQuery, *, rows_max: int) -> Select[Any]:
    """Rows (first, last, subject, value, counted, total, group 0, group 1, …) in answer order.

    `first` and `last` are the times of the earliest and the latest event of the row: any of them
    tells the row's window. `counted` is the number of values, for AVG. `total` is the number of
    rows of the answer, at most rows_max + 1.
    """
    fold = _fold(query).limit(rows_max + 1).subquery("fold")
    names = [f"group_{i}" for i in range(len(query.group_by))]
    order = [fold.c.window_start] if isinstance(query.axis, Tumbling) else []
    return select(
        fold.c.first, fold.c.last, fold.c.subject, fold.c.value, fold.c.counted,
        func.count().over().label("total"), *(fold.c[name] for name in names),
    ).order_by(*order, fold.c.subject, *(fold.c[name] for name in names))  # fmt: skip


def _sample(query: UsageQuery) -> CTE:
    measure, axis = query.measure, query.axis
    columns: list[ColumnElement[Any]] = [event.c.time]
    value = null() if measure.value is None else value_sql(measure.value)
    columns.append(value.label("value"))
    if isinstance(axis, Tumbling):
        # Tells windows apart and in order, no more: core/windows.py says where they start.
        size, in_zone = literal(axis.size.lower()), literal(zone(axis.zone).key)
        columns.append(func.date_trunc(size, event.c.time, in_zone).label("window_start"))
    if measure.aggregation is Aggregation.LATEST:
        columns += [event.c.stored_at, event.c.id, event.c.source]
    if query.by_subject:
        columns.append(event.c.subject)
    columns += [
        value_sql(measure.groups[name]).label(f"group_{i}") for i, name in enumerate(query.group_by)
    ]
    return select(*columns).where(*_taken(query)).cte("sample")


def _taken(query: UsageQuery) -> list[ColumnElement[bool]]:
    measure = query.measure
    conditions = [event.c.namespace == query.namespace]
    if measure.event_type is not None:
        conditions.append(event.c.type == measure.event_type)
    if query.subjects is not None:
        conditions.append(event.c.subject == any_(literal(list(query.subjects), ARRAY(TEXT))))
    starts = [start for start in (query.start, measure.event_from) if start is not None]
    if starts:
        conditions.append(event.c.time >= literal(max(starts), INSTANT))
    if query.end is not None:
        conditions.append(event.c.time < literal(query.end, INSTANT))
    conditions += [predicate_sql(measure.where), predicate_sql(query.where)]
    return conditions


def _fold(query: UsageQuery) -> Select[Any]:
    sample = _sample(query)
    keys = _keys(query, sample)
    if query.measure.aggregation is Aggregation.LATEST:
        return _latest(query, sample, keys)
    value, count = _aggregate(query.measure.aggregation, sample.c.value)
    fold = select(
        func.min(sample.c.time).label("first"), func.max(sample.c.time).label("last"),
        _subject(query, sample), *keys, value.label("value"), count.label("counted"),
    )  # fmt: skip
    # Grouped by nothing, SQL would answer one row even over no event; the fold has none.
    fold = fold.group_by(*_grouping(query, sample, keys)).having(func.count() > 0)
    if query.measure.aggregation not in {Aggregation.COUNT, Aggregation.UNIQUE_COUNT}:
        fold = fold.having(func.count(sample.c.value) > 0)
    return fold


def _keys(query: UsageQuery, sample: CTE) -> list[ColumnElement[Any]]:
    """The columns that tell one row from another, but for the subject."""
    names = ["window_start"] if isinstance(query.axis, Tumbling) else []
    names += [f"group_{i}" for i in range(len(query.group_by))]
    return [sample.c[name] for name in names]


def _grouping(
    query: UsageQuery, sample: CTE, keys: list[ColumnElement[Any]]
) -> list[ColumnElement[Any]]:
    return [*keys, sample.c.subject] if query.by_subject else keys


def _subject(query: UsageQuery, sample: CTE) -> ColumnElement[Any]:
    return sample.c.subject if query.by_subject else null().label("subject")


def _aggregate(
    aggregation: Aggregation, value: ColumnElement[Any]
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    match aggregation:
        case Aggregation.COUNT:
            return func.count(), null()
        case Aggregation.UNIQUE_COUNT:
            return func.count(sql_distinct(value)), null()
        case Aggregation.MIN:
            return func.min(value), null()
        case Aggregation.MAX:
            return func.max(value), null()
        case _:
            return func.sum(value), func.count(value)


def _latest(query: UsageQuery, sample: CTE, keys: list[ColumnElement[Any]]) -> Select[Any]:
    """The value of the last event that has one, as the first of its group in reverse order."""
    group = _grouping(query, sample, keys) or None
    newest = func.row_number().over(
        partition_by=group,
        order_by=(
            sample.c.value.is_(None), sample.c.time.desc(), sample.c.stored_at.desc(),
            sample.c.id.desc(), sample.c.source.desc(),
        ),
    )  # fmt: skip
    ranked = select(
        func.min(sample.c.time).over(partition_by=group).label("first"),
        func.max(sample.c.time).over(partition_by=group).label("last"),
        _subject(query, sample), *keys,
        sample.c.value, null().label("counted"), newest.label("newest"),
    ).subquery("ranked")  # fmt: skip
    columns = [column for column in ranked.c if column.name != "newest"]
    return select(*columns).where(ranked.c.newest == 1, ranked.c.value.is_not(None))
