"""Portal tokens, never their texts, and what was invalidated."""

from sqlalchemy import ARRAY, Column, Index, PrimaryKeyConstraint, Table, func

from monometer.store.tables.columns import INSTANT, TEXT, metadata

portal_token = Table(
    "portal_token",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("namespace", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("slugs", ARRAY(TEXT), nullable=False),
    # The database's clock, here and below: the one clock that all servers share, so that a token
    # is either older than an invalidation or younger.
    Column("created_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("expires_at", INSTANT, nullable=False),
    # The list of a namespace, newest first.
    Index(None, "namespace", "created_at", "id"),
    # What can be purged.
    Index(None, "expires_at"),
)

# No token of the namespace that was issued until then, and that has the id and the subject, is
# good any more. An empty id or subject means any: neither is ever empty.
portal_revocation = Table(
    "portal_revocation",
    metadata,
    Column("namespace", TEXT, nullable=False),
    Column("token_id", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("revoked_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    PrimaryKeyConstraint("namespace", "token_id", "subject"),
)
