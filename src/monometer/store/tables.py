"""Every table, its constraints and their reasons. Alembic compares the database with this."""

from sqlalchemy import (
    TIMESTAMP,
    CheckConstraint,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from monometer.core.aggregation import Aggregation

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)

# Texts are ordered by code point, the same on every server and in Python.
TEXT = Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)

event = Table(
    "event",
    metadata,
    Column("namespace", TEXT, nullable=False),
    # event_key(source, id): 16 bytes in the index instead of two texts.
    Column("key", UUID(as_uuid=True), nullable=False),
    Column("source", TEXT, nullable=False),
    Column("id", TEXT, nullable=False),
    Column("type", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("time", INSTANT, nullable=False),
    # SQL NULL: the sender gave no data; JSON null: it sent null. jsonb keeps every digit.
    Column("data", JSONB(none_as_null=True)),
    Column("ingested_at", INSTANT, nullable=False),
    Column("stored_at", INSTANT, nullable=False, server_default=func.now()),
    # The deduplication rule itself. Without time in it, so the table is not partitioned by time.
    PrimaryKeyConstraint("namespace", "key"),
    # A meter's events of a subject.
    Index(None, "namespace", "type", "subject", "time"),
    # The list of events, newest first, and a meter's events of a short period.
    Index(None, "namespace", "time", "key"),
)

meter = Table(
    "meter",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("namespace", TEXT, nullable=False),
    Column("key", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("description", TEXT),
    Column("aggregation", TEXT, nullable=False),
    Column("event_type", TEXT, nullable=False),
    Column("event_from", INSTANT),
    Column("value_property", TEXT),
    Column("group_by", JSONB, nullable=False),
    Column("metadata", JSONB(none_as_null=True)),
    Column("annotations", JSONB(none_as_null=True)),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    CheckConstraint(
        "aggregation IN ({})".format(", ".join(f"'{one}'" for one in Aggregation)),
        name="aggregation",
    ),
    CheckConstraint(
        "(aggregation = 'COUNT') = (value_property IS NULL)", name="value_property_unless_count"
    ),
    # A deleted meter's key may be taken again.
    Index(
        "meter_namespace_key_live_key",
        "namespace",
        "key",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)
