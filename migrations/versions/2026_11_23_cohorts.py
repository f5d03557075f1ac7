"""Cohorts: projections that share a watermark. Cells are folded anew."""

import sqlalchemy as sa
from alembic import op

from monometer.store.tables import XID8

revision: str = "cohorts"
down_revision: str | None = "projections"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.TIMESTAMP(timezone=True)
KEY = ["namespace", "kind", "fingerprint"]
CELLS = ("hourly_by_group", "hourly_by_subject")


def upgrade() -> None:
    op.execute("TRUNCATE projection, hourly_by_group, hourly_by_subject")
    op.create_table(
        "cohort",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True)),
        sa.Column("cluster", sa.BigInteger, nullable=False),
        sa.Column("watermark", XID8, nullable=False),
        sa.Column("unwanted", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("folded_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="cohort_pkey"),
    )
    for column in ("cluster", "watermark", "folded_at"):
        op.drop_column("projection", column)
    op.add_column("projection", sa.Column("cohort_id", sa.BigInteger))
    op.add_column("projection", sa.Column("event_type", TEXT, nullable=False))
    op.create_foreign_key(
        "projection_cohort_id_fkey", "projection", "cohort", ["cohort_id"], ["id"]
    )
    op.drop_constraint("projection_namespace_kind_fingerprint_key", "projection")
    op.create_index(
        "projection_key",
        "projection",
        KEY,
        unique=True,
        postgresql_where=sa.text("cohort_id IS NOT NULL"),
    )
    op.create_index(
        "projection_namespace_event_type_idx", "projection", ["namespace", "event_type"]
    )
    for table in CELLS:
        op.drop_constraint(f"{table}_projection_id_fkey", table)


def downgrade() -> None:
    op.execute("TRUNCATE projection, hourly_by_group, hourly_by_subject")
    for table in CELLS:
        name = f"{table}_projection_id_fkey"
        op.create_foreign_key(
            name, table, "projection", ["projection_id"], ["id"], ondelete="CASCADE"
        )
    op.drop_index("projection_namespace_event_type_idx", "projection")
    op.drop_index("projection_key", "projection")
    op.create_unique_constraint("projection_namespace_kind_fingerprint_key", "projection", KEY)
    for column in ("cohort_id", "event_type"):
        op.drop_column("projection", column)
    op.drop_table("cohort")
    op.add_column("projection", sa.Column("cluster", sa.BigInteger, nullable=False))
    op.add_column("projection", sa.Column("watermark", XID8, nullable=False))
    op.add_column(
        "projection", sa.Column("folded_at", INSTANT, nullable=False, server_default=sa.func.now())
    )
