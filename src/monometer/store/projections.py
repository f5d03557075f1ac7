"""Projections: which ought to exist, and which do.

A projection holds the cells of one measure, of every event below the watermark of its cohort. A
reader adds them to the rows at or above the watermark, in one snapshot.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Select, and_, delete, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.aggregation import Aggregation
from monometer.core.meter import Measure
from monometer.store.cells import Kind, fingerprint
from monometer.store.tables import cohort, place, projection

CELLS_DELETED_MAX = 20_000  # in one transaction

Key: TypeAlias = tuple[str, Kind, bytes]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A projection that ought to exist."""

    namespace: str
    event_type: str
    kind: Kind
    fingerprint: bytes
    measure: Measure

    @property
    def key(self) -> Key:
        return self.namespace, self.kind, self.fingerprint


@dataclass(frozen=True, slots=True)
class Status:
    """How a projection is doing: `events` it has folded, into `cells`.

    `unwanted`: no live meter asks for it any more. `folded_at`: when its cohort last moved.
    """

    id: int
    namespace: str
    event_type: str
    kind: Kind
    fingerprint: bytes
    watermark: int
    sparse: bool
    unwanted: bool
    events: int
    cells: int
    folded_at: datetime


def wanted_for(namespace: str, measure: Measure) -> list[Wanted]:
    """What a meter's queries can use; LATEST is answered by its index, faster."""
    if measure.aggregation is Aggregation.LATEST or measure.event_type is None:
        return []
    return [
        Wanted(namespace, measure.event_type, kind, fingerprint(kind, measure), measure)
        for kind in Kind
    ]


def wanted_for_subjects(namespace: str, measure: Measure) -> list[Wanted]:
    """What the usage of given subjects can use, as a feature's is."""
    return [one for one in wanted_for(namespace, measure) if one.kind is Kind.SUBJECT]


async def statuses(connection: AsyncConnection, namespace: str | None = None) -> list[Status]:
    columns = {column.name: column for column in (*cohort.c, *projection.c)}
    statement = (
        select(*(columns[name] for name in Status.__dataclass_fields__))
        .join_from(projection, cohort)
        .order_by(projection.c.id)
    )
    if namespace is not None:
        statement = statement.where(projection.c.namespace == namespace)
    rows = await connection.execute(statement)
    return [Status(**{**row._mapping, "kind": Kind(row.kind)}) for row in rows]  # noqa: SLF001


async def drop_all(connection: AsyncConnection) -> int:
    """Forget every projection and every watermark. No answer changes. Returns how many there were.

    Their cells are deleted by and by.
    """
    return await _drop(connection, select(cohort.c.id))


async def drop_unwanted(connection: AsyncConnection, before: datetime) -> int:
    """Drop those that nobody has wanted since before that moment. Returns how many."""
    long_unwanted = and_(cohort.c.unwanted, cohort.c.folded_at < before)
    return await _drop(connection, select(cohort.c.id).where(long_unwanted))


async def _drop(connection: AsyncConnection, cohorts: Select[tuple[int]]) -> int:
    locked = cohorts.order_by(cohort.c.id).with_for_update()
    ids = (await connection.execute(locked)).scalars().all()
    dropped = await connection.execute(
        update(projection).where(projection.c.cohort_id.in_(ids)).values(cohort_id=null())
    )
    await connection.execute(delete(cohort).where(cohort.c.id.in_(ids)))
    return dropped.rowcount


async def delete_dropped_cells(connection: AsyncConnection) -> None:
    """Delete up to CELLS_DELETED_MAX cells of a dropped projection, and it with the last of them.

    Two who are at it take different projections.
    """
    dropped = select(projection.c.id, projection.c.kind).where(projection.c.cohort_id.is_(None))
    chosen = dropped.limit(1).with_for_update(skip_locked=True)
    row = (await connection.execute(chosen)).one_or_none()
    if row is None:
        return
    cells = Kind(row.kind).table
    some = select(place).select_from(cells).where(cells.c.projection_id == row.id)
    deleted = await connection.execute(
        delete(cells).where(place.in_(some.limit(CELLS_DELETED_MAX)))
    )
    if deleted.rowcount < CELLS_DELETED_MAX:
        await connection.execute(delete(projection).where(projection.c.id == row.id))
