"""Projections: cells that save reading every event, and how far they are folded."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    func,
    text,
)

from monometer.store.tables.columns import INSTANT, TEXT, XID8, metadata

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
