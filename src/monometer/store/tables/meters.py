"""Meters, deleted ones too."""

from sqlalchemy import CheckConstraint, Column, Index, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from monometer.core.aggregation import Aggregation
from monometer.store.tables.columns import INSTANT, TEXT, metadata

meter = Table(
    "meter",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("namespace", TEXT, nullable=False),
    Column("key", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("description", TEXT),
    Column("aggregation", TEXT, nullable=False),
    # NULL: of every type.
    Column("event_type", TEXT),
    Column("event_from", INSTANT),
    Column("value_property", TEXT),
    Column("group_by", JSONB, nullable=False),
    Column("metadata", JSONB(none_as_null=True)),
    Column("annotations", JSONB(none_as_null=True)),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    Column("archived_at", INSTANT),
    # What another dialect than OpenMeter's says of it, as it was written, with that dialect's name.
    Column("definition", JSONB(none_as_null=True)),
    CheckConstraint(
        "aggregation IN ({})".format(", ".join(f"'{one}'" for one in Aggregation)),
        name="aggregation",
    ),
    CheckConstraint(
        "definition IS NOT NULL OR (aggregation = 'COUNT') = (value_property IS NULL)",
        name="value_property_unless_count",
    ),
    CheckConstraint(
        "definition IS NOT NULL OR event_type IS NOT NULL", name="event_type_unless_defined"
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
