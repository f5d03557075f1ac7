"""The query core: a UsageQuery as one SELECT over raw events. The only place that aggregates.

The shape is *sample → fold*: `sample` names each expression once, so that SELECT and GROUP BY mean
the same thing although JSON paths travel as bound parameters.
"""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, func, null, select
from sqlalchemy import distinct as sql_distinct

from monometer.core.aggregation import Aggregation
from monometer.core.usage import Tumbling, UsageQuery
from monometer.store.cells import CellSource
from monometer.store.cells_sql import fold_of_cells
from monometer.store.latest_sql import can_hop, latest_by_subject
from monometer.store.sample_sql import sample_select

GROUPS_FROM = 7  # where the groups begin in a row of usage_select


def usage_select(
    query: UsageQuery, *, rows_max: int, source: CellSource | None = None
) -> Select[Any]:
    """Rows (window_start, first, last, subject, value, counted, total, group 0, …) in answer order.

    `first` and `last` are the times of the earliest and the latest event of the row: any of them
    tells the row's window; `window_start` only tells windows apart. `counted` is the number of
    values, for AVG. `total` is the number of rows of the answer, at most rows_max + 1. With a
    `source`, events that its cells hold are not read again.
    """
    answer = _choose(query, source).limit(rows_max + 1).subquery("answer")
    names = [f"group_{i}" for i in range(len(query.group_by))]
    window = answer.c.window_start if isinstance(query.axis, Tumbling) else null()
    order = [answer.c.window_start] if isinstance(query.axis, Tumbling) else []
    return select(
        window.label("window_start"), answer.c.first, answer.c.last,
        answer.c.subject, answer.c.value, answer.c.counted,
        func.count().over().label("total"), *(answer.c[name] for name in names),
    ).order_by(*order, answer.c.subject, *(answer.c[name] for name in names))  # fmt: skip


def _choose(query: UsageQuery, source: CellSource | None) -> Select[Any]:
    if source is not None:
        return fold_of_cells(query, source)
    return latest_by_subject(query) if can_hop(query) else _fold(query)


def _fold(query: UsageQuery) -> Select[Any]:
    sample = sample_select(query).cte("sample")
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
