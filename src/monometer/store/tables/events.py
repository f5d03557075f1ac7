"""Events, each once."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, func
from sqlalchemy.dialects.postgresql import JSONB, UUID

from monometer.store.tables.columns import INSTANT, TEXT, XID8, metadata

event = Table(
    "event",
    metadata,
    Column("namespace", TEXT, nullable=False),
    # event_key(source, id): 16 bytes in the index instead of two texts.
    Column("key", UUID(as_uuid=True), nullable=False),
    Column("source", TEXT, nullable=False),
    Column("id", TEXT, nullable=False),
    Column("type", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("time", INSTANT, nullable=False),
    # SQL NULL: the sender gave no data; JSON null: it sent null. jsonb keeps every digit.
    Column("data", JSONB(none_as_null=True)),
    Column("ingested_at", INSTANT, nullable=False),
    Column("stored_at", INSTANT, nullable=False, server_default=func.now()),
    # The transaction that stored it: what the watermark of a projection is compared with.
    Column("xid", XID8, nullable=False, server_default=func.pg_current_xact_id()),
    # The deduplication rule itself. Without time in it, so the table is not partitioned by time.
    # The key comes first: comparing it alone nearly always finds the place in the index.
    PrimaryKeyConstraint("key", "namespace"),
    # A meter's events of a subject.
    Index(None, "namespace", "type", "subject", "time"),
    # The list of events, newest first, and a meter's events of a short period.
    Index(None, "namespace", "time", "key"),
    # What projections have not folded yet.
    Index(None, "xid"),
)
