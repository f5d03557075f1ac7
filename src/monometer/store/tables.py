"""Every table, its constraints and their reasons. Alembic compares the database with this."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

from monometer.core.aggregation import Aggregation

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)


class Xid8(UserDefinedType[int]):
    """A transaction's 64-bit number: never reused within a cluster, later ones are greater."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "XID8"


class Tid(UserDefinedType[str]):
    """Where a row lies in its table. Of use while a snapshot lives that sees the row there."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "TID"


ischema_names["xid8"] = Xid8  # so that reflection, and so Alembic, knows it too

# Texts are ordered by code point, the same on every server and in Python.
TEXT = Text(collation="C")
XID8 = Xid8()
TID = Tid()
place: ColumnElement[str] = literal_column("ctid", TID)  # of a row of whichever table
INSTANT = TIMESTAMP(timezone=True)

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
    PrimaryKeyConstraint("namespace", "key"),
    # A meter's events of a subject.
    Index(None, "namespace", "type", "subject", "time"),
    # The list of events, newest first, and a meter's events of a short period.
    Index(None, "namespace", "time", "key"),
    # What projections have not folded yet.
    Index(None, "xid"),
)

meter = Table(
    "meter",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("namespace", TEXT, nullable=False),
    Column("key", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("description", TEXT),
    Column("aggregation", TEXT, nullable=False),
    Column("event_type", TEXT, nullable=False),
    Column("event_from", INSTANT),
    Column("value_property", TEXT),
    Column("group_by", JSONB, nullable=False),
    Column("metadata", JSONB(none_as_null=True)),
    Column("annotations", JSONB(none_as_null=True)),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    CheckConstraint(
        "aggregation IN ({})".format(", ".join(f"'{one}'" for one in Aggregation)),
        name="aggregation",
    ),
    CheckConstraint(
        "(aggregation = 'COUNT') = (value_property IS NULL)", name="value_property_unless_count"
    ),
    # A deleted meter's key may be taken again.
    Index(
        "meter_namespace_key_live_key",
        "namespace",
        "key",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

# Projections that share a watermark, so that one reading of the new events serves them all.
cohort = Table(
    "cohort",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # Watermarks are numbers of this cluster's transactions, and mean nothing in another one.
    Column("cluster", BigInteger, nullable=False),
    Column("watermark", XID8, nullable=False),
    # No live meter wants its projections: nobody folds it, until one does.
    Column("unwanted", Boolean, nullable=False, server_default=text("false")),
    Column("folded_at", INSTANT, nullable=False, server_default=func.now()),
)

# A projection holds hourly cells of one measure: all of its events whose transaction is below
# the cohort's watermark, and no other. It may be dropped at any time without changing an answer.
projection = Table(
    "projection",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # NULL: dropped, and its cells wait to be deleted.
    Column("cohort_id", BigInteger),
    Column("namespace", TEXT, nullable=False),
    Column("event_type", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    # Digest of what the cells hold; another definition is another projection.
    Column("fingerprint", LargeBinary, nullable=False),
    # Cells were too many for their events: none are kept, and the rows are read themselves.
    Column("sparse", Boolean, nullable=False, server_default=text("false")),
    Column("events", BigInteger, nullable=False, server_default=text("0")),
    Column("cells", BigInteger, nullable=False, server_default=text("0")),
    ForeignKeyConstraint(["cohort_id"], ["cohort.id"]),
    Index(
        "projection_key",
        "namespace",
        "kind",
        "fingerprint",
        unique=True,
        postgresql_where=text("cohort_id IS NOT NULL"),
    ),
    # Whose events these are.
    Index(None, "namespace", "event_type"),
)


def _hourly(kind: str, key: Column[Any], *, hour_first: bool) -> Table:
    """Cells of one kind. `value` tells apart the distinct values of UNIQUE_COUNT, else it is ''.

    With '' a cell counts all of its events; with a value it says that the value was there, and
    counts none. Extremes and sums are NULL in a cell without values. The order of the primary key
    is the order in which queries walk through the cells. No foreign key: checking it costs as
    much again as writing a cell, so whoever drops a projection drops its cells.
    """
    walk = ("hour", key.name) if hour_first else (key.name, "hour")
    return Table(
        f"hourly_by_{kind}",
        metadata,
        Column("projection_id", BigInteger, nullable=False),
        Column("hour", INSTANT, nullable=False),
        key,
        Column("value", LargeBinary, nullable=False),
        Column("groups", ARRAY(TEXT), nullable=False),
        Column("events", BigInteger, nullable=False),
        Column("counted", BigInteger, nullable=False),
        Column("sum", Numeric),
        Column("min", Numeric),
        Column("max", Numeric),
        Column("first", INSTANT, nullable=False),
        Column("last", INSTANT, nullable=False),
        PrimaryKeyConstraint("projection_id", *walk, "value"),
        postgresql_with={"fillfactor": "70"},  # the newest cells are updated with every fold
    )


# Groups may be longer than an index can hold, so the key is their digest.
hourly_by_group = _hourly("group", Column("key", LargeBinary, nullable=False), hour_first=True)
hourly_by_subject = _hourly("subject", Column("subject", TEXT, nullable=False), hour_first=False)
