"""Which cells a query reads."""

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import ARRAY, LargeBinary, any_, select

from monometer.core.usage import UsageQuery
from monometer.store.cells import CellSource, fingerprint, kinds_for, whole_hours
from monometer.store.horizon import usable
from monometer.store.statements import Statement, compiled, parameter
from monometer.store.tables import TEXT, cohort, projection

if TYPE_CHECKING:
    import asyncpg


async def source_for(
    driver: "asyncpg.Connection[asyncpg.Record]", query: UsageQuery
) -> CellSource | None:
    """The smallest set of cells that can serve, in the snapshot of the connection; None for none.

    Cells of another cluster, as after a restore, are never used: their watermark means nothing.
    """
    kinds = kinds_for(query) if whole_hours(query) else []
    if not kinds:
        return None
    prints = {fingerprint(kind, query.measure): kind for kind in kinds}
    statement = _smallest()
    values = {"namespace": query.namespace, "fingerprints": list(prints)}
    row = await driver.fetchrow(statement.text, *statement.arguments(values))
    return None if row is None else CellSource(row[0], prints[row[1]], row[2])


@cache
def _smallest() -> Statement:
    return compiled(
        select(projection.c.id, projection.c.fingerprint, cohort.c.watermark)
        .join_from(projection, cohort)
        .where(
            projection.c.namespace == parameter("namespace", TEXT),
            projection.c.fingerprint == any_(parameter("fingerprints", ARRAY(LargeBinary))),
            projection.c.events > 0,
            ~projection.c.sparse,
            usable(),
        )
        .order_by(projection.c.cells)
        .limit(1)
    )
