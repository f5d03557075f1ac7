"""Cohorts: projections that share a watermark, so that one reading of new events serves them all.

The *leader* has the greatest watermark, and nearly every projection. A new projection of a type
that has events starts further back, in a cohort of its own, and joins the one that it catches up
with. What nobody wants any more waits in a cohort that nobody folds.

Whoever changes which projections a cohort has also updates the cohort's row: a fold whose snapshot
is older then fails, and cannot move the watermark past events of a projection it does not see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Select, Text, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.store.horizon import BEYOND, usable
from monometer.store.tables import cohort, event, meter, projection

TAIL_COUNTED_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Cohort:
    """`ours`: its watermark is one of this cluster. `rested`: how long ago it last moved."""

    id: int
    watermark: int
    ours: bool
    rested: timedelta


@dataclass(frozen=True, slots=True)
class Pulse:
    """What tells whether there is anything to do.

    `newest` is the greatest transaction that has stored an event, None when there is no event;
    `foreign` that it is one of another cluster. `meters` is a text that changes whenever a meter
    does, `projections` one that changes with their number. `dropped` says that cells wait to be
    deleted. `cohorts` are those to be folded, the leader first.
    """

    newest: int | None
    foreign: bool
    meters: str
    projections: str
    dropped: bool
    cohorts: Sequence[Cohort]


@dataclass(frozen=True, slots=True)
class Lag:
    """Cells kept, events not folded into every projection, and when the oldest of them was stored.

    Counts TAIL_COUNTED_MAX events at most.
    """

    cells: int
    tail_events: int
    oldest: datetime | None


async def pulse(connection: AsyncConnection) -> Pulse:
    """One statement, which reads no event but the newest."""
    rows = (await connection.execute(_PULSE)).all()
    cohorts = [Cohort(row.id, row.watermark, row.ours, row.rested) for row in rows if row.id]
    one = rows[0]
    return Pulse(one.newest, one.foreign, one.meters, one.projections, one.dropped, cohorts)


def _pulse() -> Select[Any]:
    newest = select(event.c.xid).order_by(event.c.xid.desc()).limit(1)
    # A later version of a row has a later transaction, so their sum is never met again.
    version = cast(cast(literal_column("meter.xmin"), Text), BigInteger)
    kept = func.count(projection.c.cohort_id)
    # The order in which tables are named is the order in which they are locked: everywhere
    # projections before events.
    one = select(
        select(func.concat_ws(":", func.count(), func.sum(version)))
        .select_from(meter)
        .scalar_subquery()
        .label("meters"),
        select(func.concat_ws(":", kept, func.max(projection.c.id)))
        .scalar_subquery()
        .label("projections"),
        select(kept < func.count()).select_from(projection).scalar_subquery().label("dropped"),
        newest.scalar_subquery().label("newest"),
    ).cte("one")
    foreign = func.coalesce(one.c.newest >= BEYOND, False)
    rested = func.now() - cohort.c.folded_at
    return (
        select(one, foreign.label("foreign"))
        .add_columns(cohort, usable().label("ours"), rested.label("rested"))
        .select_from(one.outerjoin(cohort, ~cohort.c.unwanted))
        .order_by(cohort.c.watermark.desc(), cohort.c.id)
    )


_PULSE = _pulse()


async def lag(connection: AsyncConnection) -> Lag:
    cells = select(func.coalesce(func.sum(projection.c.cells), 0)).scalar_subquery()
    folded = select(projection.c.id).where(
        projection.c.cohort_id == cohort.c.id, ~projection.c.sparse
    )
    lowest = (
        select(cohort.c.watermark)
        .where(~cohort.c.unwanted, folded.exists())
        .order_by(cohort.c.watermark)
        .limit(1)
    )
    tail = (
        select(event.c.stored_at)
        .where(event.c.xid >= lowest.scalar_subquery())
        .order_by(event.c.xid)
        .limit(TAIL_COUNTED_MAX)
        .subquery()
    )
    statement = select(cells, func.count(tail.c.stored_at), func.min(tail.c.stored_at))
    row = (await connection.execute(statement)).one()
    return Lag(int(row[0]), row[1], row[2])
