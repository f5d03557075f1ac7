"""Descriptions of features."""

import sqlalchemy as sa
from alembic import op

revision: str = "feature_description"
down_revision: str | None = "consumptions"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")


def upgrade() -> None:
    op.add_column("feature", sa.Column("description", TEXT))


def downgrade() -> None:
    op.drop_column("feature", "description")
