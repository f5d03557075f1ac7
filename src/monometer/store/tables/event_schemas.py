"""Event schemas, every version of them."""

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import JSONB

from monometer.store.tables.columns import INSTANT, TEXT, metadata

event_schema = Table(
    "event_schema",
    metadata,
    Column("namespace", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", TEXT, nullable=False),
    # What a version declares, as it was written.
    Column("declared", JSONB, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("namespace", "name", "version"),
)
