"""Projections: hourly cells, so that a query need not read every event again."""

import sqlalchemy as sa
from alembic import op

from monometer.store.tables import XID8

revision: str = "projections"
down_revision: str | None = "events_and_meters"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "projection",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True)),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("cluster", sa.BigInteger, nullable=False),
        sa.Column("watermark", XID8, nullable=False),
        sa.Column("sparse", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("events", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("cells", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("folded_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="projection_pkey"),
        sa.UniqueConstraint(
            "namespace", "kind", "fingerprint", name="projection_namespace_kind_fingerprint_key"
        ),
    )
    _hourly("group", sa.Column("key", sa.LargeBinary, nullable=False), ["hour", "key"])
    _hourly("subject", sa.Column("subject", TEXT, nullable=False), ["subject", "hour"])


def _hourly(kind: str, key: sa.Column[bytes] | sa.Column[str], walk: list[str]) -> None:
    name = f"hourly_by_{kind}"
    op.create_table(
        name,
        sa.Column("projection_id", sa.BigInteger, nullable=False),
        sa.Column("hour", INSTANT, nullable=False),
        key,
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("groups", sa.ARRAY(TEXT), nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("counted", sa.BigInteger, nullable=False),
        sa.Column("sum", sa.Numeric),
        sa.Column("min", sa.Numeric),
        sa.Column("max", sa.Numeric),
        sa.Column("first", INSTANT, nullable=False),
        sa.Column("last", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("projection_id", *walk, "value", name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(
            ["projection_id"],
            ["projection.id"],
            name=f"{name}_projection_id_fkey",
            ondelete="CASCADE",
        ),
        postgresql_with={"fillfactor": "70"},
    )


def downgrade() -> None:
    op.drop_table("hourly_by_subject")
    op.drop_table("hourly_by_group")
    op.drop_table("projection")
