"""Subjects and customers, deleted ones too, and which customer lists which subject."""

from sqlalchemy import (
    ARRAY,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from monometer.store.tables.columns import INSTANT, TEXT, metadata

subject = Table(
    "subject",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("namespace", TEXT, nullable=False),
    Column("key", TEXT, nullable=False),
    Column("display_name", TEXT),
    # Whatever object the sender keeps here; jsonb keeps every digit of its numbers.
    Column("metadata", JSONB, nullable=False),
    Column("stripe_customer_id", TEXT),
    Column("current_period_start", INSTANT),
    Column("current_period_end", INSTANT),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    # A deleted subject's key may be taken again.
    Index(
        "subject_namespace_key_live_key",
        "namespace",
        "key",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

customer = Table(
    "customer",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("namespace", TEXT, nullable=False),
    Column("key", TEXT),
    Column("name", TEXT, nullable=False),
    Column("description", TEXT),
    # In order. A deleted customer still tells which ones it had.
    Column("subject_keys", ARRAY(TEXT), nullable=False),
    Column("primary_email", TEXT),
    Column("currency", TEXT),
    Column("billing_address", JSONB(none_as_null=True)),
    Column("metadata", JSONB(none_as_null=True)),
    Column("annotations", JSONB(none_as_null=True)),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    # A deleted customer's key may be taken again.
    Index(
        "customer_namespace_key_live_key",
        "namespace",
        "key",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index(None, "namespace", "name", "id"),
)

# The subject keys of live customers: an array can be no unique index of its elements.
customer_subject = Table(
    "customer_subject",
    metadata,
    Column("namespace", TEXT, nullable=False),
    Column("subject_key", TEXT, nullable=False),
    Column("customer_id", TEXT, nullable=False),
    # A subject is listed by one live customer.
    PrimaryKeyConstraint("namespace", "subject_key"),
    ForeignKeyConstraint(["customer_id"], ["customer.id"]),
    Index(None, "customer_id"),
)
