"""API keys, revoked ones too."""

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from monometer.store.tables.columns import INSTANT, TEXT, metadata

api_key = Table(
    "api_key",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("namespace", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("prefix", TEXT, nullable=False),
    # SHA-256 of the key, which itself is kept nowhere.
    Column("hash", BYTEA, nullable=False),
    Column("scopes", ARRAY(TEXT), nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    Column("last_used_at", INSTANT),
    Column("revoked_at", INSTANT),
    UniqueConstraint("hash"),
    CheckConstraint("cardinality(scopes) > 0", name="scopes"),
    Index(None, "namespace", "id"),
)
