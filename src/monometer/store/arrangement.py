"""Which projections there are, and in which cohorts."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import ARRAY, case, func, insert, literal, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.store.cells import Kind
from monometer.store.horizon import CLUSTER, usable
from monometer.store.projections import Key, Wanted, drop_all
from monometer.store.tables import TEXT, XID8, cohort, event, projection

FEW_EVENTS = 1_000  # of a type: looked through for the first of them

_LOCK = 6_012_774_002  # any number would do, as long as every monometer takes the same one


async def arrange(connection: AsyncConnection, wanted: Mapping[Key, Wanted]) -> None:
    """Make the projections that are missing, and set aside those that are not `wanted`.

    `wanted` is what all meters of all namespaces want. After a restore into another cluster
    everything starts again. Waits for folds in flight.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    await connection.execute(select(cohort.c.id).order_by(cohort.c.id).with_for_update())
    # Not a lock alone: a fold whose snapshot is older must find the row changed.
    touched = update(cohort).values(folded_at=cohort.c.folded_at)
    rows = await connection.execute(touched.returning(cohort, usable().label("ours")))
    cohorts = list(rows)
    if not all(one.ours for one in cohorts):
        await drop_all(connection)
        cohorts = []
    missing = await _sort_out(connection, wanted)
    folded = [one for one in cohorts if not one.unwanted]
    if folded:
        leader = max(folded, key=lambda one: (one.watermark, -one.id))
        await _make(connection, missing, leader.id, leader.watermark)
    else:
        await _make(connection, missing, await _new(connection, 0), 0)


async def _sort_out(connection: AsyncConnection, wanted: Mapping[Key, Wanted]) -> list[Wanted]:
    """Put what is wanted and what is not into different cohorts. Returns what does not exist."""
    missing = dict(wanted)
    moving: defaultdict[tuple[int, bool], list[int]] = defaultdict(list)
    known = select(projection, cohort.c.unwanted).join_from(projection, cohort)
    for row in await connection.execute(known):
        unwanted = missing.pop((row.namespace, Kind(row.kind), row.fingerprint), None) is None
        if unwanted is not row.unwanted:
            moving[row.cohort_id, unwanted].append(row.id)
    for (cohort_id, unwanted), ids in moving.items():
        await split(connection, cohort_id, ids, unwanted=unwanted)
    return list(missing.values())


async def split(
    connection: AsyncConnection, cohort_id: int, ids: Collection[int], *, unwanted: bool
) -> None:
    """Move projections into a new cohort of the same watermark. The cohort is locked."""
    same = select(cohort.c.cluster, cohort.c.watermark, literal(unwanted))
    made = insert(cohort).from_select(
        ["cluster", "watermark", "unwanted"], same.where(cohort.c.id == cohort_id)
    )
    new_id = (await connection.execute(made.returning(cohort.c.id))).scalar_one()
    moved = update(projection).where(projection.c.id.in_(ids)).values(cohort_id=new_id)
    await connection.execute(moved)


async def _make(
    connection: AsyncConnection, missing: Collection[Wanted], leader_id: int, watermark: int
) -> None:
    """A projection may start at any watermark below which its type has no event.

    Every event below the leader's is visible here, since its transaction has ended.
    """
    if not missing:
        return
    begins = await _begins(connection, {(one.namespace, one.event_type) for one in missing})
    late = {type_: begin for type_, begin in begins.items() if begin < watermark}
    late_id = await _new(connection, min(late.values())) if late else leader_id
    rows = [
        {
            "cohort_id": late_id if (one.namespace, one.event_type) in late else leader_id,
            "namespace": one.namespace,
            "event_type": one.event_type,
            "kind": one.kind.value,
            "fingerprint": one.fingerprint,
        }
        for one in missing
    ]
    await connection.execute(insert(projection), rows)


async def _begins(
    connection: AsyncConnection, types: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """The first transaction of each type's events, 0 when they are many; types without any lack."""
    names = [literal(list(column), ARRAY(TEXT)) for column in zip(*types, strict=True)]
    asked = func.unnest(*names).table_valued("namespace", "event_type", name="asked")
    asked = asked.render_derived()
    some = (
        select(event.c.xid)
        .where(event.c.namespace == asked.c.namespace, event.c.type == asked.c.event_type)
        .limit(FEW_EVENTS + 1)
        .lateral("some")
    )
    many = func.count(some.c.xid) > FEW_EVENTS
    begin = case((many, literal(0, XID8)), else_=func.min(some.c.xid, type_=XID8))
    statement = (
        select(asked.c.namespace, asked.c.event_type, begin.label("begin"))
        .select_from(asked.outerjoin(some, true()))
        .group_by(asked.c.namespace, asked.c.event_type)
    )
    rows = await connection.execute(statement)
    return {(row.namespace, row.event_type): row.begin for row in rows if row.begin is not None}


async def _new(connection: AsyncConnection, watermark: int) -> int:
    made = insert(cohort).values(cluster=CLUSTER, watermark=literal(watermark, XID8))
    new_id: int = (await connection.execute(made.returning(cohort.c.id))).scalar_one()
    return new_id
