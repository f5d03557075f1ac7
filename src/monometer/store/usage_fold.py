"""The fold itself, over whatever holds values: events, or cells together with events."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Select, func, select
from sqlalchemy.sql.base import ColumnCollection

from monometer.core.aggregation import Aggregation
from monometer.core.usage import Tumbling, UsageQuery

Columns: TypeAlias = ColumnCollection[str, ColumnElement[Any]]

_ZERO_IS_A_VALUE = frozenset({Aggregation.COUNT, Aggregation.UNIQUE_COUNT})


def fold(
    query: UsageQuery,
    rows: FromClause,
    value: ColumnElement[Any],
    counted: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """A row for each key that has a value: the key, value, counted, and first and last.

    `value` and `counted` aggregate `rows`, which have first and last where the query needs them.
    """
    keys = keys_of(query, rows.c)
    columns = [*_extremes(rows), *keys, value.label("value")]
    columns += [] if counted is None else [counted.label("counted")]
    folded = select(*columns).select_from(rows)  # said, since a count names no column of theirs
    # Grouped by nothing, SQL would answer one row even over no event; the fold has none.
    folded = folded.group_by(*keys) if keys else folded.having(func.count() > 0)
    if query.measure.aggregation not in _ZERO_IS_A_VALUE:
        folded = folded.having(value.is_not(None))
    return folded


def count_of_values(query: UsageQuery, rows: FromClause) -> Select[Any]:
    """The fold of UNIQUE_COUNT. Values are hashed, as a rule, where count(DISTINCT) would sort."""
    keys = keys_of(query, rows.c)
    each = select(*_extremes(rows), *keys, rows.c.value).group_by(*keys, rows.c.value)
    values = each.subquery("distinct_values")
    return fold(query, values, func.count(values.c.value))


def keys_of(query: UsageQuery, columns: Columns) -> list[ColumnElement[Any]]:
    """Those that tell one row of the answer from another, in the order of the answer."""
    names = ["window_start"] if isinstance(query.axis, Tumbling) else []
    names += ["subject"] if query.by_subject else []
    names += ["customer"] if query.attribution is not None else []
    names += [f"group_{i}" for i in range(len(query.group_by))]
    return [columns[name] for name in names]


def _extremes(rows: FromClause) -> Sequence[ColumnElement[Any]]:
    first = [func.min(rows.c.first).label("first")] if "first" in rows.c else []
    return [*first, func.max(rows.c.last).label("last")] if "last" in rows.c else first
