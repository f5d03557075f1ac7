"""The query core: a UsageQuery as one SELECT. The only place, with its parts, that aggregates.

The shape is *sample → fold*: `sample` names each expression once, so that SELECT and GROUP BY mean
the same thing although JSON paths travel as bound parameters.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    cast,
    func,
    null,
    select,
)

from monometer.core.aggregation import Aggregation
from monometer.core.usage import UsageQuery
from monometer.store.cells import Kind
from monometer.store.cells_sql import fold_of_cells
from monometer.store.latest_sql import can_hop, latest_by_subject
from monometer.store.sample_sql import sample_select
from monometer.store.statements import parameter
from monometer.store.usage_fold import count_of_values, fold, keys_of

LIMIT = parameter("limit", BigInteger())


def usage_select(query: UsageQuery, kind: Kind | None = None) -> Select[Any]:
    """Rows (total, first, last, value, counted, subject, customer, group 0, …) in order.

    `first` and `last` are the times of the earliest and the latest event of the row, NULL where
    its period can be told without. Any event of a row in windows tells its window. `value` is
    text, which no driver has to take apart. `counted` is the number of values, for AVG. `total`
    is the number of rows of the answer, at most `limit`. With a `kind` of cells, events that
    cells hold are not read again.

    Its parameters are given by `usage_parameters`.
    """
    answer = _choose(query, kind).limit(LIMIT).subquery("answer")
    groups = [answer.c[f"group_{i}"] for i in range(len(query.group_by))]
    return select(
        func.count().over().label("total"),
        _or_null(answer, "first"), _or_null(answer, "last"),
        cast(answer.c.value, Text).label("value"), _or_null(answer, "counted"),
        _or_null(answer, "subject"), _or_null(answer, "customer"), *groups,
    ).order_by(*keys_of(query, answer.c))  # fmt: skip


def _choose(query: UsageQuery, kind: Kind | None) -> Select[Any]:
    if kind is not None:
        return fold_of_cells(query, kind)
    return latest_by_subject(query) if can_hop(query) else _fold(query)


def _fold(query: UsageQuery) -> Select[Any]:
    sample = sample_select(query).cte("sample")
    value = sample.c.value
    match query.measure.aggregation:
        case Aggregation.COUNT:
            return fold(query, sample, func.count())
        case Aggregation.UNIQUE_COUNT:
            return count_of_values(query, sample)
        case Aggregation.MIN:
            return fold(query, sample, func.min(value))
        case Aggregation.MAX:
            return fold(query, sample, func.max(value))
        case Aggregation.SUM:
            return fold(query, sample, func.sum(value))
        case Aggregation.AVG:
            return fold(query, sample, func.sum(value), func.count(value))
        case Aggregation.LATEST:
            return _latest(query, sample)


def _latest(query: UsageQuery, sample: CTE) -> Select[Any]:
    """The value of the last event that has one, as the first of its group in reverse order."""
    keys = keys_of(query, sample.c)
    group = keys or None
    newest = func.row_number().over(
        partition_by=group,
        order_by=(
            sample.c.value.is_(None), sample.c.time.desc(), sample.c.stored_at.desc(),
            sample.c.id.desc(), sample.c.source.desc(),
        ),
    )  # fmt: skip
    extremes = [
        of(sample.c[name]).over(partition_by=group).label(name)
        for name, of in (("first", func.min), ("last", func.max))
        if name in sample.c
    ]
    ranked = select(*extremes, *keys, sample.c.value, newest.label("newest")).subquery("ranked")
    columns = [column for column in ranked.c if column.name != "newest"]
    return select(*columns).where(ranked.c.newest == 1, ranked.c.value.is_not(None))


def _or_null(rows: FromClause, name: str) -> ColumnElement[Any]:
    return rows.c[name] if name in rows.c else null().label(name)
