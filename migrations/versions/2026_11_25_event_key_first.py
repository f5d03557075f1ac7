"""An event's primary key begins with what tells events apart. Takes as long as indexing them."""

from alembic import op

revision: str = "event_key_first"
down_revision: str | None = "cohorts"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    _primary_key("key, namespace")


def downgrade() -> None:
    _primary_key("namespace, key")


def _primary_key(columns: str) -> None:
    op.execute("SET LOCAL statement_timeout = 0")  # a large table takes minutes, and must be let
    op.execute(
        "ALTER TABLE event DROP CONSTRAINT event_pkey,"
        f" ADD CONSTRAINT event_pkey PRIMARY KEY ({columns})"
    )
