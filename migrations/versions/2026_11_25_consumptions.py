"""What was decided when events were consumed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision: str = "consumptions"
down_revision: str | None = "meter_definitions"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")


def upgrade() -> None:
    op.create_table(
        "consumption",
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("key", UUID(as_uuid=True), nullable=False),
        sa.Column("entitlement_id", TEXT, nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("exceeds_limit", sa.Boolean, nullable=False),
        sa.Column("has_access", sa.Boolean, nullable=False),
        sa.Column("balance", sa.Numeric, nullable=False),
        sa.Column("usage", sa.Numeric, nullable=False),
        sa.Column("overage", sa.Numeric, nullable=False),
        sa.Column("total_available", sa.Numeric, nullable=False),
        sa.PrimaryKeyConstraint("key", "namespace", name="consumption_pkey"),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name="consumption_entitlement_id_fkey"
        ),
    )


def downgrade() -> None:
    op.drop_table("consumption")
