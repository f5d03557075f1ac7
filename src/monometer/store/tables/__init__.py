"""Every table, its constraints and their reasons. Alembic compares the database with this."""

from monometer.store.tables.columns import INSTANT, TEXT, TID, XID8, Tid, Xid8, metadata, place
from monometer.store.tables.customers import customer, customer_subject, subject
from monometer.store.tables.events import event
from monometer.store.tables.meters import meter
from monometer.store.tables.projections import (
    cohort,
    hourly_by_group,
    hourly_by_subject,
    projection,
)

__all__ = [
    "INSTANT",
    "TEXT",
    "TID",
    "XID8",
    "Tid",
    "Xid8",
    "cohort",
    "customer",
    "customer_subject",
    "event",
    "hourly_by_group",
    "hourly_by_subject",
    "metadata",
    "meter",
    "place",
    "projection",
    "subject",
]
