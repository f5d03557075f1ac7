"""Features, archived ones too."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from monometer.store.tables.columns import INSTANT, TEXT, metadata

feature = Table(
    "feature",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("namespace", TEXT, nullable=False),
    Column("key", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("description", TEXT),
    Column("meter_id", TEXT),
    # By group key of the meter, as they were written.
    Column("filters", JSONB, nullable=False),
    Column("unit_cost", JSONB(none_as_null=True)),
    Column("metadata", JSONB(none_as_null=True)),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("archived_at", INSTANT),
    ForeignKeyConstraint(["meter_id"], ["meter.id"]),
    # An archived feature's key may be taken again.
    Index(
        "feature_namespace_key_live_key",
        "namespace",
        "key",
        unique=True,
        postgresql_where=text("archived_at IS NULL"),
    ),
    Index(None, "meter_id"),
)
