"""What was decided when events were consumed."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Numeric, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import UUID

from monometer.store.tables.columns import TEXT, metadata

# Of allowed ones only, each stored by the transaction that stored its event.
consumption = Table(
    "consumption",
    metadata,
    Column("namespace", TEXT, nullable=False),
    # The event's.
    Column("key", UUID(as_uuid=True), nullable=False),
    Column("entitlement_id", TEXT, nullable=False),
    Column("amount", Numeric, nullable=False),
    # As the first answer told it, for those who ask again.
    Column("exceeds_limit", Boolean, nullable=False),
    Column("has_access", Boolean, nullable=False),
    Column("balance", Numeric, nullable=False),
    Column("usage", Numeric, nullable=False),
    Column("overage", Numeric, nullable=False),
    Column("total_available", Numeric, nullable=False),
    PrimaryKeyConstraint("key", "namespace"),
    ForeignKeyConstraint(["entitlement_id"], ["entitlement.id"]),
)
