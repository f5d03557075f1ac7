"""Events and meters: the two tables that metering stands on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from monometer.store.tables import XID8

revision: str = "events_and_meters"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("key", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("data", postgresql.JSONB),
        sa.Column("ingested_at", INSTANT, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("xid", XID8, nullable=False, server_default=sa.func.pg_current_xact_id()),
        sa.PrimaryKeyConstraint("namespace", "key", name="event_pkey"),
    )
    op.create_index("event_xid_idx", "event", ["xid"])
    op.create_index(
        "event_namespace_type_subject_time_idx", "event", ["namespace", "type", "subject", "time"]
    )
    op.create_index("event_namespace_time_key_idx", "event", ["namespace", "time", "key"])
    op.create_table(
        "meter",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT),
        sa.Column("aggregation", TEXT, nullable=False),
        sa.Column("event_type", TEXT, nullable=False),
        sa.Column("event_from", INSTANT),
        sa.Column("value_property", TEXT),
        sa.Column("group_by", postgresql.JSONB, nullable=False),
        sa.Column("metadata", postgresql.JSONB),
        sa.Column("annotations", postgresql.JSONB),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="meter_pkey"),
        sa.CheckConstraint(
            "aggregation IN ('SUM', 'COUNT', 'AVG', 'MIN', 'MAX', 'UNIQUE_COUNT', 'LATEST')",
            name=op.f("meter_aggregation_check"),
        ),
        sa.CheckConstraint(
            "(aggregation = 'COUNT') = (value_property IS NULL)",
            name=op.f("meter_value_property_unless_count_check"),
        ),
    )
    op.create_index(
        "meter_namespace_key_live_key",
        "meter",
        ["namespace", "key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("meter")
    op.drop_table("event")
