"""Meters that other dialects define, of one event type or of all, and archived ones."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "meter_definitions"
down_revision: str | None = "portal"
branch_labels: str | None = None
depends_on: str | None = None

NAME = "meter_value_property_unless_count_check"
OLD_RULE = "(aggregation = 'COUNT') = (value_property IS NULL)"


def upgrade() -> None:
    op.add_column("meter", sa.Column("archived_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("meter", sa.Column("definition", JSONB))
    op.alter_column("meter", "event_type", nullable=True)
    op.drop_constraint(NAME, "meter")
    op.create_check_constraint(op.f(NAME), "meter", f"definition IS NOT NULL OR {OLD_RULE}")
    op.create_check_constraint(
        op.f("meter_event_type_unless_defined_check"),
        "meter",
        "definition IS NOT NULL OR event_type IS NOT NULL",
    )


def downgrade() -> None:
    op.execute("DELETE FROM meter WHERE definition IS NOT NULL")
    op.drop_constraint("meter_event_type_unless_defined_check", "meter")
    op.drop_constraint(NAME, "meter")
    op.create_check_constraint(op.f(NAME), "meter", OLD_RULE)
    op.alter_column("meter", "event_type", nullable=False)
    op.drop_column("meter", "definition")
    op.drop_column("meter", "archived_at")
