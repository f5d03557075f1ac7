"""Event schemas, with their versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "event_schemas"
down_revision: str | None = "feature_description"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "event_schema",
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("declared", postgresql.JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("namespace", "name", "version", name="event_schema_pkey"),
    )


def downgrade() -> None:
    op.drop_table("event_schema")
