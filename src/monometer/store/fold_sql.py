"""The statement that folds events into the cells of several projections at once.

*sample → partial → cells*: the events are read once, with everything that any of the projections
wants to know of them; each projection groups this sample by its own keys and merges what comes out
into its cells.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Numeric,
    Select,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import Insert, array, insert

from monometer.core.aggregation import Aggregation
from monometer.core.expression import EVERYTHING, Expression, Predicate
from monometer.core.meter import Measure
from monometer.store.cells import Kind, group_names
from monometer.store.cells_sql import NO_VALUE
from monometer.store.expression_sql import predicate_sql, value_sql
from monometer.store.sample_sql import digest
from monometer.store.tables import INSTANT, TEXT, TID, event, place

STATEMENTS_MAX = 500  # kept, since making one takes as long as running it over few events


@dataclass(frozen=True, slots=True)
class Target:
    """A projection to fold into. Those of equal fingerprint have measures that fold equally."""

    id: int
    kind: Kind
    fingerprint: bytes
    measure: Measure = field(compare=False)

    @property
    def unique(self) -> bool:
        return self.measure.aggregation is Aggregation.UNIQUE_COUNT

    @property
    def groups(self) -> list[Expression]:
        """By what the cells are told apart, beside hour and subject."""
        if self.kind is Kind.SUBJECT:
            return []
        return [self.measure.groups[name] for name in group_names(self.measure)]


@dataclass(frozen=True, slots=True)
class _Sample:
    """The events, each expression once."""

    rows: CTE
    values: dict[Expression, str]
    taken: dict[Predicate, str]

    def value(self, expression: Expression | None) -> ColumnElement[Any]:
        return null() if expression is None else self.rows.c[self.values[expression]]

    def takes(self, measure: Measure) -> ColumnElement[bool]:
        """Whether a row of the sample counts for the measure."""
        taken: list[ColumnElement[bool]] = []
        if measure.where in self.taken:
            taken.append(self.rows.c[self.taken[measure.where]])
        if measure.event_from is not None:
            taken.append(self.rows.c.time >= literal(measure.event_from, INSTANT))
        return and_(true(), *taken)


@lru_cache(maxsize=STATEMENTS_MAX)
def fold_statement(targets: tuple[Target, ...]) -> CompoundSelect[Any]:
    """Rows (id, events, cells) for each of `targets`: what it took, and how many cells are new.

    The parameter `rows` names the events to fold, all of the targets' namespace and event type: a
    text that PostgreSQL reads as an array of tid. They keep their places for as long as the
    snapshot lives that saw them.
    """
    sample = _sample([target.measure for target in targets], targets)
    return union_all(*(_folded(target, i, sample) for i, target in enumerate(targets)))


def _sample(measures: list[Measure], targets: tuple[Target, ...]) -> _Sample:
    expressions = [one.value for one in measures if one.value is not None]
    expressions += [group for target in targets for group in target.groups]
    values = {one: f"value_{i}" for i, one in enumerate(dict.fromkeys(expressions))}
    predicates = dict.fromkeys(one.where for one in measures if one.where != EVERYTHING)
    taken = {one: f"taken_{i}" for i, one in enumerate(predicates)}
    rows = bindparam("rows", type_=TEXT)
    statement = select(
        event.c.time,
        func.date_trunc("hour", event.c.time, "UTC", type_=INSTANT).label("hour"),
        event.c.subject,
        *(value_sql(one).label(name) for one, name in values.items()),
        *(predicate_sql(one).label(name) for one, name in taken.items()),
    ).where(place == any_(cast(cast(rows, TEXT), ARRAY(TID))))
    return _Sample(statement.cte("sample"), values, taken)


def _folded(target: Target, number: int, sample: _Sample) -> Select[Any]:
    partial = _partial(target, sample).cte(f"partial_{number}")
    # xmax is 0 in a row that was inserted; in one that was updated it is who locked it.
    inserted: ColumnElement[bool] = literal_column("xmax = 0")
    merging = _merged(target.kind, partial).returning(inserted.label("inserted"))
    merged = merging.cte(f"merged_{number}")
    events = select(func.coalesce(func.sum(partial.c.events), 0)).scalar_subquery()
    new = select(func.count().filter(merged.c.inserted)).select_from(merged)
    cells: ColumnElement[int] = new.scalar_subquery()
    if target.unique:
        adding = _distinct_values(target, sample).returning(target.kind.table.c.hour)
        values = adding.cte(f"values_{number}")
        cells += select(func.count()).select_from(values).scalar_subquery()
    return select(
        literal(target.id, BigInteger).label("id"), events.label("events"), cells.label("cells")
    )


def _partial(target: Target, sample: _Sample) -> Select[Any]:
    """The cells of these events alone, in the order of the table's key."""
    value, rows = sample.value(target.measure.value), sample.rows
    amount = cast(null(), Numeric) if target.unique else value
    return _cells(target, sample, NO_VALUE).add_columns(
        func.count().label("events"),
        func.count(value).label("counted"),
        func.sum(cast(amount, Numeric)).label("sum"),
        func.min(cast(amount, Numeric)).label("min"),
        func.max(cast(amount, Numeric)).label("max"),
        func.min(rows.c.time).label("first"),
        func.max(rows.c.time).label("last"),
    )


def _cells(target: Target, sample: _Sample, value: ColumnElement[Any]) -> Select[Any]:
    """A row for each key of the target's table."""
    groups = [sample.value(group) for group in target.groups]
    texts: ColumnElement[Any] = array(groups, type_=TEXT)
    subject, hour = sample.rows.c.subject, sample.rows.c.hour
    by_subject = target.kind is Kind.SUBJECT
    key = subject.label("subject") if by_subject else digest(texts).label("key")
    return (
        select(
            literal(target.id, BigInteger).label("projection_id"),
            hour.label("hour"),
            key,
            value.label("value"),
            texts.label("groups"),
        )
        .where(sample.takes(target.measure))
        .group_by(hour, *([subject] if by_subject else groups))
        .order_by("hour", key.name)
    )


def _merged(kind: Kind, partial: CTE) -> Insert:
    """Insert the partial cells, or add them to the cells that are there."""
    table = kind.table
    adding = insert(table).from_select([column.name for column in partial.c], select(partial))
    old, new = table.c, adding.excluded
    return adding.on_conflict_do_update(
        constraint=table.primary_key,
        set_={
            "events": old.events + new.events,
            "counted": old.counted + new.counted,
            "sum": func.coalesce(old.sum + new.sum, old.sum, new.sum),
            "min": func.least(old.min, new.min),
            "max": func.greatest(old.max, new.max),
            "first": func.least(old.first, new.first),
            "last": func.greatest(old.last, new.last),
        },
    )


def _distinct_values(target: Target, sample: _Sample) -> Insert:
    """A cell for each value of UNIQUE_COUNT: once it is there, it is never written again."""
    value, rows, zero = sample.value(target.measure.value), sample.rows, literal(0, BigInteger)
    found = (
        _cells(target, sample, digest(value))
        .add_columns(
            zero.label("events"),
            zero.label("counted"),
            func.min(rows.c.time).label("first"),
            func.max(rows.c.time).label("last"),
        )
        .where(value.is_not(None))
        .group_by(value)
        .order_by("value")
    )
    names = [column.name for column in found.selected_columns]
    return insert(target.kind.table).from_select(names, found).on_conflict_do_nothing()
