"""Up to where events may be folded, and whose watermarks are believed."""

from sqlalchemy import ColumnElement, and_, func, literal_column

from monometer.store.tables import XID8, cohort

CLUSTER: ColumnElement[int] = literal_column("(SELECT system_identifier FROM pg_control_system())")

# Below it every transaction has ended: nothing can appear there later. It is one of the whole
# cluster, so a long transaction that writes, anywhere, holds it back.
HORIZON = func.pg_snapshot_xmin(func.pg_current_snapshot(), type_=XID8)

# At or above it no transaction had begun: a row with such a number came from another cluster.
BEYOND = func.pg_snapshot_xmax(func.pg_current_snapshot(), type_=XID8)


def usable() -> ColumnElement[bool]:
    """Whether a cohort's watermark is one of this cluster."""
    return and_(cohort.c.cluster == CLUSTER, cohort.c.watermark <= HORIZON)
