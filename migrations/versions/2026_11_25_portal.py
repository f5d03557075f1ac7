"""Portal tokens, and what was invalidated."""

import sqlalchemy as sa
from alembic import op

revision: str = "portal"
down_revision: str | None = "api_keys"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.TIMESTAMP(timezone=True)
CLOCK = sa.func.clock_timestamp()


def upgrade() -> None:
    op.create_table(
        "portal_token",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("slugs", sa.ARRAY(TEXT), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False, server_default=CLOCK),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="portal_token_pkey"),
    )
    op.create_index(
        "portal_token_namespace_created_at_id_idx",
        "portal_token",
        ["namespace", "created_at", "id"],
    )
    op.create_index("portal_token_expires_at_idx", "portal_token", ["expires_at"])
    op.create_table(
        "portal_revocation",
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("token_id", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=False, server_default=CLOCK),
        sa.PrimaryKeyConstraint("namespace", "token_id", "subject", name="portal_revocation_pkey"),
    )


def downgrade() -> None:
    op.drop_table("portal_revocation")
    op.drop_table("portal_token")
