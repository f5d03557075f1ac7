"""Subjects and customers: whose usage it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "subjects_and_customers"
down_revision: str | None = "event_key_first"
branch_labels: str | None = None
depends_on: str | None = None

TEXT = sa.Text(collation="C")
INSTANT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "subject",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("display_name", TEXT),
        sa.Column("metadata", postgresql.JSONB, nullable=False),
        sa.Column("stripe_customer_id", TEXT),
        sa.Column("current_period_start", INSTANT),
        sa.Column("current_period_end", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="subject_pkey"),
    )
    op.create_index(
        "subject_namespace_key_live_key",
        "subject",
        ["namespace", "key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "customer",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("key", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT),
        sa.Column("subject_keys", sa.ARRAY(TEXT), nullable=False),
        sa.Column("primary_email", TEXT),
        sa.Column("currency", TEXT),
        sa.Column("billing_address", postgresql.JSONB),
        sa.Column("metadata", postgresql.JSONB),
        sa.Column("annotations", postgresql.JSONB),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="customer_pkey"),
    )
    op.create_index(
        "customer_namespace_key_live_key",
        "customer",
        ["namespace", "key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("customer_namespace_name_id_idx", "customer", ["namespace", "name", "id"])
    op.create_table(
        "customer_subject",
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("subject_key", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("namespace", "subject_key", name="customer_subject_pkey"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="customer_subject_customer_id_fkey"
        ),
    )
    op.create_index("customer_subject_customer_id_idx", "customer_subject", ["customer_id"])


def downgrade() -> None:
    op.drop_table("customer_subject")
    op.drop_table("customer")
    op.drop_table("subject")
