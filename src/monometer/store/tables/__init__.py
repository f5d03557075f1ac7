"""Every table, its constraints and their reasons. Alembic compares the database with this."""

from monometer.store.tables.accounts import account, account_alias
from monometer.store.tables.api_keys import api_key
from monometer.store.tables.columns import INSTANT, TEXT, TID, XID8, Tid, Xid8, metadata, place
from monometer.store.tables.consumptions import consumption
from monometer.store.tables.customers import customer, customer_subject, subject
from monometer.store.tables.entitlements import entitlement, entitlement_grant, usage_reset
from monometer.store.tables.event_schemas import event_schema
from monometer.store.tables.events import event
from monometer.store.tables.features import feature
from monometer.store.tables.ingestions import ingestion
from monometer.store.tables.meters import meter
from monometer.store.tables.portal import portal_revocation, portal_token
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
    "account",
    "account_alias",
    "api_key",
    "cohort",
    "consumption",
    "customer",
    "customer_subject",
    "entitlement",
    "entitlement_grant",
    "event",
    "event_schema",
    "feature",
    "hourly_by_group",
    "hourly_by_subject",
    "ingestion",
    "metadata",
    "meter",
    "place",
    "portal_revocation",
    "portal_token",
    "projection",
    "subject",
    "usage_reset",
]
