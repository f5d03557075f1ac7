"""API keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

revision: str = "api_keys"
down_revision: str | None = "entitlements"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("hash", BYTEA, nullable=False),
        sa.Column("scopes", ARRAY(TEXT), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("last_used_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="api_key_pkey"),
        sa.UniqueConstraint("hash", name="api_key_hash_key"),
        sa.CheckConstraint("cardinality(scopes) > 0", name="scopes"),
    )
    op.create_index("api_key_namespace_id_idx", "api_key", ["namespace", "id"])


def downgrade() -> None:
    op.drop_table("api_key")
