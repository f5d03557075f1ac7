"""Folding stored events into cells, behind a watermark of transactions.

Every event row carries the number of the transaction that stored it. The watermark only ever
moves to the horizon of a snapshot: below it every transaction has ended, so nothing can appear
there later. A reader adds the cells to the rows at or above the watermark, in one snapshot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Numeric,
    Select,
    and_,
    cast,
    delete,
    func,
    literal,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.aggregation import Aggregation
from monometer.core.meter import Measure
from monometer.core.usage import UsageQuery
from monometer.store.cells import CellSource, Kind, fingerprint, group_names
from monometer.store.cells_sql import NO_VALUE
from monometer.store.expression_sql import value_sql
from monometer.store.sample_sql import digest, measured, value_of
from monometer.store.tables import INSTANT, TEXT, XID8, event, projection

TAIL_COUNTED_MAX = 100_000
FOLD_EVENTS_MAX = 200_000  # in one transaction, and as many more as one transaction stored
SPARSE_AFTER_EVENTS = 100_000  # measured only when there is something to measure
SPARSE_CELLS_PER_EVENT = 0.6

_CLUSTER: ColumnElement[int] = literal_column("(SELECT system_identifier FROM pg_control_system())")
_HORIZON = func.pg_snapshot_xmin(func.pg_current_snapshot(), type_=XID8)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A projection that ought to exist."""

    namespace: str
    kind: Kind
    measure: Measure

    @property
    def fingerprint(self) -> bytes:
        return fingerprint(self.kind, self.measure)


@dataclass(frozen=True, slots=True)
class Status:
    """How a projection is doing: `events` it has folded, into `cells`."""

    id: int
    namespace: str
    kind: Kind
    fingerprint: bytes
    watermark: int
    sparse: bool
    events: int
    cells: int
    folded_at: datetime


def wanted_for(namespace: str, measure: Measure) -> list[Wanted]:
    """What a meter's queries can use; LATEST is answered by its index, faster."""
    if measure.aggregation is Aggregation.LATEST or measure.event_type is None:
        return []
    return [Wanted(namespace, kind, measure) for kind in Kind]


async def ensure(connection: AsyncConnection, wanted: Sequence[Wanted]) -> None:
    """Make the projections that are missing, empty: exact at once, fast when folded."""
    rows = [
        {
            "namespace": one.namespace,
            "kind": one.kind.value,
            "fingerprint": one.fingerprint,
            "cluster": _CLUSTER,
            "watermark": literal(0, XID8),
        }
        for one in wanted
    ]
    for row in rows:
        await connection.execute(insert(projection).values(**row).on_conflict_do_nothing())


async def statuses(connection: AsyncConnection, namespace: str | None = None) -> list[Status]:
    statement = select(*(projection.c[name] for name in Status.__dataclass_fields__))
    if namespace is not None:
        statement = statement.where(projection.c.namespace == namespace)
    rows = await connection.execute(statement.order_by(projection.c.id))
    return [Status(**{**row._mapping, "kind": Kind(row.kind)}) for row in rows]  # noqa: SLF001


async def drop(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """With their cells. No answer changes."""
    await connection.execute(delete(projection).where(projection.c.id.in_(ids)))


async def source_for(
    connection: AsyncConnection, query: UsageQuery, kinds: Sequence[Kind]
) -> CellSource | None:
    """The smallest set of cells that can serve, in the snapshot of the connection; None for none.

    Cells of another cluster, as after a restore, are never used: their watermark means nothing.
    """
    prints = {fingerprint(kind, query.measure): kind for kind in kinds}
    statement = (
        select(projection.c.id, projection.c.fingerprint, projection.c.watermark)
        .where(
            projection.c.namespace == query.namespace,
            projection.c.fingerprint.in_(list(prints)),
            projection.c.events > 0,
            _usable(),
        )
        .order_by(projection.c.cells)
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return CellSource(row.id, prints[row.fingerprint], row.watermark)


def _usable() -> ColumnElement[bool]:
    return and_(
        ~projection.c.sparse,
        projection.c.cluster == _CLUSTER,
        projection.c.watermark <= _HORIZON,
    )


async def newest_transaction(connection: AsyncConnection) -> int | None:
    """The greatest transaction that has stored an event; None when there is no event."""
    statement = select(event.c.xid).order_by(event.c.xid.desc()).limit(1)
    newest: int | None = (await connection.execute(statement)).scalar_one_or_none()
    return newest


async def fold(connection: AsyncConnection, wanted: Wanted) -> bool:
    """Fold what was stored since the watermark, about FOLD_EVENTS_MAX events at most.

    Returns whether the watermark moved. The connection is in a REPEATABLE READ transaction
    of its own, so that watermark, horizon and events are of one snapshot. Does nothing while
    another server is at it; raises Unavailable when one has just been.
    """
    row = (await connection.execute(_locked(wanted))).one_or_none()
    if row is None:
        return False
    if not row.ours:
        await _start_again(connection, row.id, wanted.kind)
        return True
    end = await _end_of_chunk(connection, row.watermark, row.horizon)
    if end <= row.watermark:
        return False
    events, cells = await _add_cells(connection, wanted, row.id, (row.watermark, end))
    moved = {
        "watermark": literal(end, XID8),
        "events": projection.c.events + events,
        "cells": projection.c.cells + cells,
        "folded_at": func.now(),
    }
    state = await connection.execute(
        update(projection)
        .where(projection.c.id == row.id)
        .values(**moved)
        .returning(projection.c.events, projection.c.cells)
    )
    total = state.one()
    if total.events >= SPARSE_AFTER_EVENTS and total.cells > total.events * SPARSE_CELLS_PER_EVENT:
        await _give_up(connection, row.id, wanted.kind)
    return True


def _locked(wanted: Wanted) -> Select[Any]:
    ours = and_(projection.c.cluster == _CLUSTER, projection.c.watermark <= _HORIZON)
    return (
        select(
            projection.c.id,
            projection.c.watermark,
            _HORIZON.label("horizon"),
            ours.label("ours"),
        )
        .where(
            projection.c.namespace == wanted.namespace,
            projection.c.kind == wanted.kind.value,
            projection.c.fingerprint == wanted.fingerprint,
            ~projection.c.sparse,
        )
        .with_for_update(skip_locked=True)
    )


async def _end_of_chunk(connection: AsyncConnection, watermark: int, horizon: int) -> int:
    """Where to fold to: the horizon, or the end of the transaction that fills the chunk."""
    filling = (
        select(event.c.xid)
        .where(event.c.xid >= literal(watermark, XID8), event.c.xid < literal(horizon, XID8))
        .order_by(event.c.xid)
        .offset(FOLD_EVENTS_MAX)
        .limit(1)
    )
    last = (await connection.execute(filling)).scalar_one_or_none()
    return horizon if last is None else last + 1


async def _add_cells(
    connection: AsyncConnection, wanted: Wanted, id_: int, between: tuple[int, int]
) -> tuple[int, int]:
    """Merge the cells of these transactions' events. Returns how many events, and new cells."""
    table = wanted.kind.table
    partial = _partial_select(wanted, id_, between).cte("partial")
    adding = insert(table).from_select([column.name for column in partial.c], select(partial))
    old, new = table.c, adding.excluded
    merged = adding.on_conflict_do_update(
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
    # xmax is 0 in a row that was inserted; in one that was updated it is who locked it.
    written = merged.returning(literal_column("xmax = 0").label("inserted")).cte("written")
    events = select(func.coalesce(func.sum(partial.c.events), 0)).scalar_subquery()
    cells = select(func.count().filter(written.c.inserted)).select_from(written).scalar_subquery()
    row = (await connection.execute(select(events, cells))).one()
    return int(row[0]), int(row[1])


def _partial_select(wanted: Wanted, id_: int, between: tuple[int, int]) -> Select[Any]:
    """The cells of these transactions' events alone, in the order of the table's key."""
    sample = _sample(wanted, between)
    unique = wanted.measure.aggregation is Aggregation.UNIQUE_COUNT
    amount = cast(null(), Numeric) if unique else sample.c.value
    groups = [column for column in sample.c if column.name.startswith("group_")]
    texts: ColumnElement[Any] = array(groups, type_=TEXT)
    if wanted.kind is Kind.SUBJECT:
        key = sample.c.subject.label("subject")
    else:
        key = digest(texts).label("key")
    value = func.coalesce(digest(sample.c.value), NO_VALUE) if unique else NO_VALUE
    hour = func.date_trunc("hour", sample.c.time, "UTC", type_=INSTANT)
    grouping = [hour, *([sample.c.subject] if wanted.kind is Kind.SUBJECT else groups)]
    return (
        select(
            literal(id_, BigInteger).label("projection_id"),
            hour.label("hour"),
            key,
            value.label("value"),
            texts.label("groups"),
            func.count().label("events"),
            func.count(sample.c.value).label("counted"),
            func.sum(amount).label("sum"),
            func.min(amount).label("min"),
            func.max(amount).label("max"),
            func.min(sample.c.time).label("first"),
            func.max(sample.c.time).label("last"),
        )
        .group_by(*grouping, *([sample.c.value] if unique else []))
        .order_by("hour", key.name, "value")
    )


def _sample(wanted: Wanted, between: tuple[int, int]) -> CTE:
    measure = wanted.measure
    names = group_names(measure) if wanted.kind is Kind.GROUP else []
    start, end = between
    return (
        select(
            event.c.time,
            event.c.subject,
            value_of(measure).label("value"),
            *(value_sql(measure.groups[name]).label(f"group_{i}") for i, name in enumerate(names)),
        )
        .where(
            *measured(wanted.namespace, measure),
            event.c.xid >= literal(start, XID8),
            event.c.xid < literal(end, XID8),
        )
        .cte("sample")
    )


async def _start_again(connection: AsyncConnection, id_: int, kind: Kind) -> None:
    """The cells came from another cluster: its transactions are not ours."""
    await connection.execute(delete(kind.table).where(kind.table.c.projection_id == id_))
    fresh = {"cluster": _CLUSTER, "watermark": literal(0, XID8), "events": 0, "cells": 0}
    await connection.execute(update(projection).where(projection.c.id == id_).values(**fresh))


async def _give_up(connection: AsyncConnection, id_: int, kind: Kind) -> None:
    """Nearly a cell an event: reading them would cost as much as reading the events."""
    await connection.execute(delete(kind.table).where(kind.table.c.projection_id == id_))
    given_up = {"sparse": True, "cells": 0}
    await connection.execute(update(projection).where(projection.c.id == id_).values(**given_up))


async def lag(connection: AsyncConnection) -> tuple[int, int, datetime | None]:
    """Cells kept, events not folded into every projection, and when the oldest of them was stored.

    Counts TAIL_COUNTED_MAX events at most.
    """
    lowest = (
        select(projection.c.watermark)
        .where(~projection.c.sparse)
        .order_by(projection.c.watermark)
        .limit(1)
    )
    cells = (
        await connection.execute(select(func.coalesce(func.sum(projection.c.cells), 0)))
    ).scalar_one()
    watermark = (await connection.execute(lowest)).scalar_one_or_none()
    if watermark is None:
        return int(cells), 0, None
    tail = (
        select(event.c.stored_at)
        .where(event.c.xid >= literal(watermark, XID8))
        .order_by(event.c.xid)
        .limit(TAIL_COUNTED_MAX)
        .subquery()
    )
    row = (await connection.execute(select(func.count(), func.min(tail.c.stored_at)))).one()
    return int(cells), row[0], row[1]
