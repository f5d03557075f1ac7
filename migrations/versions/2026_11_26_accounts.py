"""Accounts and their aliases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "accounts"
down_revision: str | None = "event_schemas"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("details", postgresql.JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="account_pkey"),
    )
    op.create_index(
        "account_namespace_key_live_key",
        "account",
        ["namespace", "key"],
        unique=True,
        postgresql_where=sa.text("status <> 'ARCHIVED'"),
    )
    op.create_table(
        "account_alias",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("since", INSTANT),
        sa.Column("until", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="account_alias_pkey"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], "account_alias_account_id_fkey"),
    )
    op.create_index("account_alias_namespace_value_idx", "account_alias", ["namespace", "value"])
    op.create_index("account_alias_account_id_idx", "account_alias", ["account_id"])


def downgrade() -> None:
    op.drop_table("account_alias")
    op.drop_table("account")
