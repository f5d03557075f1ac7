"""Entitlements, deleted and superseded ones too, their grants and their resets."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from monometer.store.tables.columns import INSTANT, TEXT, metadata

# What has no end yet. Of those an owner has one for a feature's key, whoever wrote them.
_OPEN = "active_to IS NULL AND deleted_at IS NULL"

entitlement = Table(
    "entitlement",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("namespace", TEXT, nullable=False),
    # The owner: a customer, or a subject that no customer claims.
    Column("customer_id", TEXT),
    Column("subject", TEXT),
    Column("feature_id", TEXT, nullable=False),
    Column("feature_key", TEXT, nullable=False),
    Column("type", TEXT, nullable=False),
    Column("usage_interval", TEXT),
    Column("usage_anchor", INSTANT),
    # Of metered ones.
    Column("measure_from", INSTANT),
    Column("issue_after_reset", Numeric),
    Column("issue_after_reset_priority", Integer),
    Column("is_soft_limit", Boolean),
    Column("preserve_overage_at_reset", Boolean),
    # Of static ones: JSON as text, told as it was sent.
    Column("config", TEXT),
    Column("metadata", JSONB(none_as_null=True)),
    Column("annotations", JSONB(none_as_null=True)),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    Column("active_from", INSTANT),
    Column("active_to", INSTANT),
    ForeignKeyConstraint(["customer_id"], ["customer.id"]),
    ForeignKeyConstraint(["feature_id"], ["feature.id"]),
    CheckConstraint("(customer_id IS NULL) <> (subject IS NULL)", name="one_owner"),
    CheckConstraint("type IN ('metered', 'static', 'boolean')", name="type"),
    CheckConstraint("(type = 'metered') = (measure_from IS NOT NULL)", name="metered"),
    CheckConstraint("(type = 'static') = (config IS NOT NULL)", name="static"),
    Index(
        "entitlement_customer_open_key",
        "customer_id",
        "feature_key",
        unique=True,
        postgresql_where=text(_OPEN),
    ),
    Index(
        "entitlement_subject_open_key",
        "namespace",
        "subject",
        "feature_key",
        unique=True,
        postgresql_where=text(_OPEN),
    ),
    Index(None, "customer_id"),
    Index("entitlement_subject_idx", "namespace", "subject"),
    Index(None, "feature_id"),
    # The list of all.
    Index(None, "namespace", "created_at", "id"),
)

# GRANT is a word of SQL.
entitlement_grant = Table(
    "entitlement_grant",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("entitlement_id", TEXT, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("effective_at", INSTANT, nullable=False),
    Column("expiration_unit", TEXT),
    Column("expiration_count", Integer),
    Column("recurrence_interval", TEXT),
    Column("recurrence_anchor", INSTANT),
    Column("min_rollover", Numeric, nullable=False),
    Column("max_rollover", Numeric, nullable=False),
    Column("voided_at", INSTANT),
    Column("metadata", JSONB(none_as_null=True)),
    Column("annotations", JSONB(none_as_null=True)),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    ForeignKeyConstraint(["entitlement_id"], ["entitlement.id"]),
    CheckConstraint("amount > 0", name="amount"),
    Index(None, "entitlement_id", "created_at", "id"),
)

# Resets made by hand; those at the end of a usage period follow from the calendar.
usage_reset = Table(
    "usage_reset",
    metadata,
    Column("entitlement_id", TEXT, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("retain_anchor", Boolean, nullable=False),
    # As it was chosen then: it may be another one than the entitlement's own.
    Column("preserve_overage", Boolean, nullable=False),
    PrimaryKeyConstraint("entitlement_id", "at"),
    ForeignKeyConstraint(["entitlement_id"], ["entitlement.id"]),
)
