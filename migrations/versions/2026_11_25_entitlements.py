"""Entitlements, their grants and their resets: usage becomes access."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "entitlements"
down_revision: str | None = "features"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.TIMESTAMP(timezone=True)
OPEN = "active_to IS NULL AND deleted_at IS NULL"


def upgrade() -> None:
    op.create_table(
        "entitlement",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("customer_id", TEXT),
        sa.Column("subject", TEXT),
        sa.Column("feature_id", TEXT, nullable=False),
        sa.Column("feature_key", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("usage_interval", TEXT),
        sa.Column("usage_anchor", INSTANT),
        sa.Column("measure_from", INSTANT),
        sa.Column("issue_after_reset", sa.Numeric),
        sa.Column("issue_after_reset_priority", sa.Integer),
        sa.Column("is_soft_limit", sa.Boolean),
        sa.Column("preserve_overage_at_reset", sa.Boolean),
        sa.Column("config", TEXT),
        sa.Column("metadata", JSONB),
        sa.Column("annotations", JSONB),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT),
        sa.Column("active_from", INSTANT),
        sa.Column("active_to", INSTANT),
        sa.PrimaryKeyConstraint("id", name="entitlement_pkey"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="entitlement_customer_id_fkey"
        ),
        sa.ForeignKeyConstraint(["feature_id"], ["feature.id"], name="entitlement_feature_id_fkey"),
        sa.CheckConstraint(
            "(customer_id IS NULL) <> (subject IS NULL)", name=op.f("entitlement_one_owner_check")
        ),
        sa.CheckConstraint(
            "type IN ('metered', 'static', 'boolean')", name=op.f("entitlement_type_check")
        ),
        sa.CheckConstraint(
            "(type = 'metered') = (measure_from IS NOT NULL)",
            name=op.f("entitlement_metered_check"),
        ),
        sa.CheckConstraint(
            "(type = 'static') = (config IS NOT NULL)", name=op.f("entitlement_static_check")
        ),
    )
    for name, columns in (
        ("entitlement_customer_open_key", ["customer_id", "feature_key"]),
        ("entitlement_subject_open_key", ["namespace", "subject", "feature_key"]),
    ):
        op.create_index(name, "entitlement", columns, unique=True, postgresql_where=sa.text(OPEN))
    op.create_index("entitlement_customer_id_idx", "entitlement", ["customer_id"])
    op.create_index("entitlement_subject_idx", "entitlement", ["namespace", "subject"])
    op.create_index("entitlement_feature_id_idx", "entitlement", ["feature_id"])
    op.create_index(
        "entitlement_namespace_created_at_id_idx", "entitlement", ["namespace", "created_at", "id"]
    )
    _create_grants()
    op.create_table(
        "usage_reset",
        sa.Column("entitlement_id", TEXT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("retain_anchor", sa.Boolean, nullable=False),
        sa.Column("preserve_overage", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("entitlement_id", "at", name="usage_reset_pkey"),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name="usage_reset_entitlement_id_fkey"
        ),
    )


def _create_grants() -> None:
    op.create_table(
        "entitlement_grant",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("entitlement_id", TEXT, nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("effective_at", INSTANT, nullable=False),
        sa.Column("expiration_unit", TEXT),
        sa.Column("expiration_count", sa.Integer),
        sa.Column("recurrence_interval", TEXT),
        sa.Column("recurrence_anchor", INSTANT),
        sa.Column("min_rollover", sa.Numeric, nullable=False),
        sa.Column("max_rollover", sa.Numeric, nullable=False),
        sa.Column("voided_at", INSTANT),
        sa.Column("metadata", JSONB),
        sa.Column("annotations", JSONB),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="entitlement_grant_pkey"),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name="entitlement_grant_entitlement_id_fkey"
        ),
        sa.CheckConstraint("amount > 0", name=op.f("entitlement_grant_amount_check")),
    )
    op.create_index(
        "entitlement_grant_entitlement_id_created_at_id_idx",
        "entitlement_grant",
        ["entitlement_id", "created_at", "id"],
    )


def downgrade() -> None:
    for table in ("usage_reset", "entitlement_grant", "entitlement"):
        op.drop_table(table)
