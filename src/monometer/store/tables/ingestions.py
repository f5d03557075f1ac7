"""What became of events that were sent for an event schema."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import JSONB

from monometer.store.tables.columns import INSTANT, TEXT, metadata

ingestion = Table(
    "ingestion",
    metadata,
    Column("namespace", TEXT, nullable=False),
    # A ULID: later ones are greater.
    Column("reference_id", TEXT, nullable=False),
    Column("event_id", TEXT),
    Column("schema", TEXT, nullable=False),
    Column("schema_version", Integer),
    Column("account", TEXT, nullable=False),
    Column("time", INSTANT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("description", TEXT),
    # The event as it was written.
    Column("payload", JSONB, nullable=False),
    # Lists of lists: meters with their units as texts, and fields that the schema has made.
    Column("units", JSONB, nullable=False),
    Column("enriched", JSONB, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("namespace", "reference_id"),
    # One event, whenever it was sent.
    Index(None, "namespace", "event_id"),
    # Lists: of an account, and of what has failed.
    Index(None, "namespace", "account", "reference_id"),
    Index(None, "namespace", "status", "reference_id"),
    # How many there are by periods.
    Index(None, "namespace", "time"),
)
