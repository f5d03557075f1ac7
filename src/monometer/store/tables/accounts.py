"""Accounts, deleted ones too, and their aliases."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from monometer.store.tables.columns import INSTANT, TEXT, metadata

account = Table(
    "account",
    metadata,
    Column("id", TEXT, nullable=False),
    Column("namespace", TEXT, nullable=False),
    # The subject key; whose account it is says the owner of that subject.
    Column("key", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("id"),
    # A deleted account's key may be taken again.
    Index(
        "account_namespace_key_live_key",
        "namespace",
        "key",
        unique=True,
        postgresql_where=text("status <> 'ARCHIVED'"),
    ),
)

account_alias = Table(
    "account_alias",
    metadata,
    Column("id", TEXT, nullable=False),
    Column("namespace", TEXT, nullable=False),
    Column("account_id", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    # For events from then on, and before then; NULL is no bound.
    Column("since", INSTANT),
    Column("until", INSTANT),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("id"),
    ForeignKeyConstraint(["account_id"], ["account.id"]),
    Index(None, "namespace", "value"),
    Index(None, "account_id"),
)
