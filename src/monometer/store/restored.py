"""Events that were stored in another cluster, and came here by a restore."""

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.store.tables import XID8, event, place

ROWS_MAX = 20_000

_OURS = func.pg_current_xact_id(type_=XID8)


async def renumber(connection: AsyncConnection) -> int:
    """Take over up to ROWS_MAX events whose transaction lies in the future. Returns how many.

    No watermark could pass them for as long as this cluster has not counted so far. A fold that
    does not see this transaction has a horizon at or below its number, and leaves them alone
    because theirs is greater.
    """
    some = select(place).select_from(event).where(event.c.xid > _OURS)
    some = some.order_by(event.c.xid.desc()).limit(ROWS_MAX)
    done = await connection.execute(update(event).where(place.in_(some)).values(xid=_OURS))
    return done.rowcount
