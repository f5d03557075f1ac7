"""The usage of many periods, for many measures, as one SELECT.

Each question is answered from cells of whole hours, rows at the ragged edges of its periods, and
the tail, the rows stored since the watermark. Without cells a period is all edge.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    Select,
    Text,
    any_,
    cast,
    column,
    func,
    literal,
    select,
    true,
    union_all,
)

from monometer.core.aggregation import Aggregation
from monometer.core.meter import Measure
from monometer.store.cells_sql import NO_VALUE
from monometer.store.horizon import CLUSTER
from monometer.store.sample_sql import digest, measured, value_of
from monometer.store.statements import parameter
from monometer.store.tables import INSTANT, TEXT, XID8, cohort, event, hourly_by_subject, projection

# Instants of a period: its start and end, and between them the whole hours that cells answer.
BOUNDS = ("start", "hours_start", "hours_end", "end")


class _Question:
    """The parameters of one question, told apart from those of the others by its number."""

    def __init__(self, number: int, namespace: str, measure: Measure) -> None:
        self.number = number
        self.measure = measure
        self._taken = measured(namespace, measure)
        self.subjects = parameter(f"subjects_{number}", ARRAY(TEXT))
        self.projection = parameter(f"projection_{number}", BigInteger())
        self.watermark = parameter(f"watermark_{number}", XID8)
        bounds = [parameter(f"{name}_{number}", ARRAY(INSTANT)) for name in BOUNDS]
        columns = [column(name, INSTANT) for name in BOUNDS]
        unnested = func.unnest(*bounds).table_valued(*columns, with_ordinality="number")
        self.periods = unnested.render_derived(f"period_{number}")
        self.period = self.periods.c

    def events(self, *conditions: ColumnElement[bool]) -> list[ColumnElement[bool]]:
        return [*self._taken, event.c.subject == any_(self.subjects), *conditions]

    @property
    def value(self) -> ColumnElement[Any]:
        """What an event counts for."""
        if self.measure.aggregation is Aggregation.COUNT:
            return literal(1, BigInteger)
        return value_of(self.measure)


def periods_select(questions: Sequence[tuple[str, Measure, bool]]) -> CompoundSelect[Any]:
    """Rows (question, period, value, fresh), both numbered, periods from 1; value is text.

    A question is a namespace, a measure and whether there are cells. Where `fresh` is false the
    watermark has moved since it was looked up, and the value means nothing. A period without usage
    may have no value, and a level no row.
    """
    parts = []
    for number, (namespace, measure, has_cells) in enumerate(questions):
        one = _Question(number, namespace, measure)
        values = _fold(one, has_cells=has_cells).subquery(f"answer_{number}")
        parts.append(
            select(
                literal(number, Integer).label("question"), values.c.period,
                cast(values.c.value, Text).label("value"),
                (_fresh(one) if has_cells else true()).label("fresh"),
            )
        )  # fmt: skip
    return union_all(*parts)


def _fresh(one: _Question) -> ColumnElement[bool]:
    return (
        select(true())
        .select_from(projection.join(cohort))
        .where(
            projection.c.id == one.projection,
            cohort.c.cluster == CLUSTER,
            cohort.c.watermark == one.watermark,
            ~projection.c.sparse,
        )
        .exists()
    )


def _fold(one: _Question, *, has_cells: bool) -> Select[Any]:
    match one.measure.aggregation:
        case Aggregation.LATEST:
            return _latest(one)
        case Aggregation.UNIQUE_COUNT:
            rows = _rows(one, has_cells=has_cells)
            return _by_period(rows, func.count(rows.c.value.distinct()))
        case Aggregation.SUM | Aggregation.COUNT:
            rows = _rows(one, has_cells=has_cells)
            return _by_period(rows, func.sum(rows.c.value))
        case _:
            raise ValueError(f"{one.measure.aggregation} does not add up over periods")


def _by_period(rows: FromClause, value: ColumnElement[Any]) -> Select[Any]:
    return select(rows.c.period, value.label("value")).group_by(rows.c.period)


def _rows(one: _Question, *, has_cells: bool) -> FromClause:
    """(period, value): sums, counts or digests of values, to be put together by period."""
    period = one.period
    parts = [_edge(one, period.start, period.hours_start if has_cells else period.end)]
    if has_cells:
        parts += [_edge(one, period.hours_end, period.end), _cells(one), _tail(one)]
    return union_all(*parts).subquery(f"rows_{one.number}")


def _edge(one: _Question, start: ColumnElement[Any], end: ColumnElement[Any]) -> Select[Any]:
    """Events from `start` to `end`: looked up for each period along the index.

    Each period has a row at least, which tells whether the answer is fresh.
    """
    inside = one.events(event.c.time >= start, event.c.time < end)
    edge = select(_merged(one, one.value).label("value")).where(*inside).lateral()
    return select(one.period.number.label("period"), edge.c.value).join_from(
        one.periods, edge, true(), isouter=True
    )


def _cells(one: _Question) -> Select[Any]:
    cell, period = hourly_by_subject.c, one.period
    match one.measure.aggregation:
        case Aggregation.COUNT:
            value: ColumnElement[Any] = func.sum(cell.events)
        case Aggregation.UNIQUE_COUNT:
            value = func.nullif(cell.value, NO_VALUE)
        case _:
            value = func.sum(cell.sum)
    cells = (
        select(value.label("value"))
        .where(
            cell.projection_id == one.projection,
            cell.subject == any_(one.subjects),
            cell.hour >= period.hours_start,
            cell.hour < period.hours_end,
        )
        .lateral()
    )
    return select(period.number, cells.c.value).join_from(one.periods, cells, true())


def _tail(one: _Question) -> Select[Any]:
    """What cells do not hold yet: looked up once, since all periods may share it."""
    tail = (
        select(event.c.time, one.value.label("value"))
        .where(*one.events(event.c.xid >= one.watermark))
        .cte(f"tail_{one.number}")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    period = one.period
    value = _key(one, tail.c.value)
    inside = (tail.c.time >= period.hours_start) & (tail.c.time < period.hours_end)
    return select(period.number, value).join_from(one.periods, tail, inside)


def _merged(one: _Question, value: ColumnElement[Any]) -> ColumnElement[Any]:
    if one.measure.aggregation is Aggregation.UNIQUE_COUNT:
        return _key(one, value)
    return func.count() if one.measure.aggregation is Aggregation.COUNT else func.sum(value)


def _key(one: _Question, value: ColumnElement[Any]) -> ColumnElement[Any]:
    return digest(value) if one.measure.aggregation is Aggregation.UNIQUE_COUNT else value


def _latest(one: _Question) -> Select[Any]:
    """The last value of each subject is the first one along the index; of these the last counts."""
    period, value = one.period, one.value
    rank = (event.c.time, event.c.stored_at, event.c.id, event.c.source)
    subjects = func.unnest(one.subjects).table_valued(column("subject", TEXT))
    subjects = subjects.render_derived(f"subjects_{one.number}")
    of_subject = (
        select(value.label("value"), *rank)
        .where(
            *one.events()[:-1],
            event.c.subject == subjects.c.subject,
            event.c.time >= period.start,
            event.c.time < period.end,
            value.is_not(None),
        )
        .order_by(*(of.desc() for of in rank))
        .limit(1)
        .correlate(one.periods, subjects)  # periods are two levels up: not found unless told
        .lateral()
    )
    newest = (
        select(of_subject.c.value)
        .select_from(subjects.join(of_subject, true()))
        .order_by(*(of_subject.c[of.name].desc() for of in rank))
        .limit(1)
        .lateral()
    )
    return select(period.number.label("period"), newest.c.value).join_from(
        one.periods, newest, true()
    )
