"""Folding what was stored since a cohort's watermark, and moving the watermark past it.

Every event row carries the number of the transaction that stored it. The watermark only ever moves
to the horizon of a snapshot: below it every transaction has ended, so nothing can appear there
later.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Row,
    Text,
    and_,
    cast,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.errors import InvalidInput
from monometer.store.arrangement import split
from monometer.store.cells import Kind
from monometer.store.cohorts import Cohort
from monometer.store.engine import translated
from monometer.store.fold_sql import Target, fold_statement
from monometer.store.horizon import HORIZON, usable
from monometer.store.projections import Key, Wanted
from monometer.store.tables import TEXT, XID8, cohort, event, place, projection

SPARSE_AFTER_EVENTS = 100_000  # measured only when there is something to measure
SPARSE_CELLS_PER_EVENT = 0.6

Type: TypeAlias = tuple[str, str]  # namespace, event type


@dataclass(frozen=True, slots=True)
class Folded:
    """How many events, of all types; how many projections were set aside; whether to go on."""

    events: int
    set_aside: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Span:
    """Transactions to fold, `start` included and `end` excluded."""

    start: int
    end: int
    empty: bool
    """Whether the cohort has no cells to fold into."""


@dataclass(frozen=True, slots=True)
class _Portion:
    """The events of one type in a chunk: where they lie, and their last transaction."""

    events: int
    rows: str
    last: int


async def fold(
    connection: AsyncConnection,
    one: Cohort,
    onto: Cohort | None,
    wanted: Mapping[Key, Wanted],
    *,
    events_max: int,
) -> Folded | None:
    """Fold a cohort as far as the cohort `onto`, or else the horizon.

    It stops after `events_max` events, and the others of the same transaction. A cohort that
    reaches `onto` joins it. Projections that are not `wanted`, or whose events do not let
    themselves be folded, are set aside. The connection is in a REPEATABLE READ transaction of its
    own, so that watermark, horizon and events are of one snapshot.

    None when nothing can be folded, or while another server is at one of the cohorts; raises
    Unavailable when one has just been.
    """
    span = await _lock(connection, one, onto)
    if span is None or (onto is None and span.start == span.end):
        return None
    chunk = {} if span.empty else await _chunk(connection, span, events_max)
    events = sum(portion.events for portion in chunk.values())
    cut = events >= events_max
    end = max(portion.last for portion in chunk.values()) + 1 if cut else span.end
    set_aside = await _fold_chunk(connection, one, chunk, wanted)
    if onto is not None and end == span.end:
        await _join(connection, one, onto)
    else:
        moved = {"watermark": literal(end, XID8), "folded_at": func.now()}
        await connection.execute(update(cohort).where(cohort.c.id == one.id).values(**moved))
    return Folded(events, set_aside, more=end < span.end)


async def _lock(connection: AsyncConnection, one: Cohort, onto: Cohort | None) -> _Span | None:
    ids = [one.id] if onto is None else [one.id, onto.id]
    full = select(projection.c.id).where(
        projection.c.cohort_id == cohort.c.id, ~projection.c.sparse
    )
    statement = (
        select(cohort.c.id, cohort.c.watermark)
        .add_columns(HORIZON.label("horizon"), full.exists().label("full"))
        .where(cohort.c.id.in_(ids), usable())
        .with_for_update(skip_locked=True)
    )
    locked = {row.id: row for row in await connection.execute(statement)}
    if len(locked) < len(ids):
        return None
    row = locked[one.id]
    end = row.horizon if onto is None else locked[onto.id].watermark
    return _Span(row.watermark, end, not row.full) if row.watermark <= end else None


async def _chunk(connection: AsyncConnection, span: _Span, events_max: int) -> dict[Type, _Portion]:
    chunk = (
        select(event.c.namespace, event.c.type, event.c.xid, place.label("place"))
        .where(event.c.xid >= literal(span.start, XID8), event.c.xid < literal(span.end, XID8))
        .order_by(event.c.xid)
        .fetch(events_max, with_ties=True)
        .subquery("chunk")
    )
    statement = select(
        chunk.c.namespace,
        chunk.c.type,
        func.count().label("events"),
        cast(func.array_agg(chunk.c.place), Text).label("rows"),
        func.max(chunk.c.xid, type_=XID8).label("last"),
    ).group_by(chunk.c.namespace, chunk.c.type)
    rows = await connection.execute(statement)
    return {(row.namespace, row.type): _Portion(row.events, row.rows, row.last) for row in rows}


async def _fold_chunk(
    connection: AsyncConnection,
    one: Cohort,
    chunk: Mapping[Type, _Portion],
    wanted: Mapping[Key, Wanted],
) -> int:
    """Returns how many projections were set aside."""
    targets: defaultdict[Type, list[Target]] = defaultdict(list)
    left: list[int] = []
    for row in await _projections(connection, one, chunk) if chunk else ():
        key = (row.namespace, Kind(row.kind), row.fingerprint)
        if key in wanted:
            target = Target(row.id, key[1], row.fingerprint, wanted[key].measure)
            targets[row.namespace, row.event_type].append(target)
        else:
            left.append(row.id)
    counts: list[Row[Any]] = []
    for type_, into in targets.items():
        try:
            async with connection.begin_nested():
                counts += await _add(connection, into, chunk[type_])
        except InvalidInput:
            left += [target.id for target in into]
    if left:
        await split(connection, one.id, left, unwanted=True)
    if counts:
        await _count(connection, counts)
    return len(left)


async def _projections(
    connection: AsyncConnection, one: Cohort, types: Collection[Type]
) -> Sequence[Row[Any]]:
    names = [literal(list(column), ARRAY(TEXT)) for column in zip(*types, strict=True)]
    of = func.unnest(*names).table_valued("namespace", "event_type", name="of").render_derived()
    same = and_(
        projection.c.namespace == of.c.namespace, projection.c.event_type == of.c.event_type
    )
    statement = (
        select(projection)
        .join_from(of, projection, same)
        .where(projection.c.cohort_id == one.id, ~projection.c.sparse)
        .order_by(projection.c.id)
    )
    return (await connection.execute(statement)).all()


async def _add(
    connection: AsyncConnection, targets: Sequence[Target], portion: _Portion
) -> Sequence[Row[Any]]:
    with translated():
        statement = fold_statement(tuple(targets))
        rows = await connection.execute(statement, {"rows": portion.rows})
    counts: Sequence[Row[Any]] = rows.all()
    return counts


async def _count(connection: AsyncConnection, counts: Sequence[Row[Any]]) -> None:
    """Add (id, events, cells) to what the projections have; give up those that are sparse."""
    columns = [
        literal([int(number) for number in column], ARRAY(BigInteger))
        for column in zip(*counts, strict=True)
    ]
    new = func.unnest(*columns).table_valued("id", "events", "cells", name="new").render_derived()
    statement = (
        update(projection)
        .where(projection.c.id == new.c.id)
        .values(events=projection.c.events + new.c.events, cells=projection.c.cells + new.c.cells)
        .returning(projection)
    )
    for row in await connection.execute(statement):
        if row.events >= SPARSE_AFTER_EVENTS and row.cells > row.events * SPARSE_CELLS_PER_EVENT:
            await _give_up(connection, row.id, Kind(row.kind))


async def _give_up(connection: AsyncConnection, id_: int, kind: Kind) -> None:
    """Nearly a cell an event: reading them would cost as much as reading the events."""
    await connection.execute(delete(kind.table).where(kind.table.c.projection_id == id_))
    given_up = {"sparse": True, "cells": 0}
    await connection.execute(update(projection).where(projection.c.id == id_).values(**given_up))


async def _join(connection: AsyncConnection, one: Cohort, onto: Cohort) -> None:
    into = update(projection).where(projection.c.cohort_id == one.id).values(cohort_id=onto.id)
    await connection.execute(into)
    await connection.execute(delete(cohort).where(cohort.c.id == one.id))
    moved = update(cohort).where(cohort.c.id == onto.id).values(folded_at=func.now())
    await connection.execute(moved)
