"""What became of events that were sent for an event schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "ingestions"
down_revision: str | None = "accounts"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)

_INDEXES = (
    ("event_id",),
    ("account", "reference_id"),
    ("status", "reference_id"),
    ("time",),
)


def upgrade() -> None:
    op.create_table(
        "ingestion",
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("reference_id", TEXT, nullable=False),
        sa.Column("event_id", TEXT),
        sa.Column("schema", TEXT, nullable=False),
        sa.Column("schema_version", sa.Integer),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("description", TEXT),
        sa.Column("payload", postgresql.JSONB, nullable=False),
        sa.Column("units", postgresql.JSONB, nullable=False),
        sa.Column("enriched", postgresql.JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("namespace", "reference_id", name="ingestion_pkey"),
    )
    for columns in _INDEXES:
        name = f"ingestion_namespace_{'_'.join(columns)}_idx"
        op.create_index(name, "ingestion", ["namespace", *columns])


def downgrade() -> None:
    op.drop_table("ingestion")
