"""Features: what customers are given access to, over meters."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "features"
down_revision: str | None = "subjects_and_customers"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "feature",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("meter_id", TEXT),
        sa.Column("filters", JSONB, nullable=False),
        sa.Column("unit_cost", JSONB),
        sa.Column("metadata", JSONB),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("archived_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="feature_pkey"),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name="feature_meter_id_fkey"),
    )
    op.create_index(
        "feature_namespace_key_live_key",
        "feature",
        ["namespace", "key"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index("feature_meter_id_idx", "feature", ["meter_id"])


def downgrade() -> None:
    op.drop_table("feature")
