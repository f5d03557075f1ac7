"""Consumptions as rows: what was decided for which event, stored together with it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import Record
from asyncpg.pgproto.pgproto import UUID
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.consumption import Decision, Standing
from monometer.core.event import Event
from monometer.store.engine import driver_of

# The time comes with it: one clock for all servers. LATERAL as where events are appended.
_LOOK_UP = """
SELECT clock.now, known.*
FROM (SELECT clock_timestamp() AS now) AS clock LEFT JOIN (
    SELECT one.key, decided.*
    FROM unnest($2::uuid[]) AS one (key)
    CROSS JOIN LATERAL (
        SELECT FROM event WHERE namespace = $1 AND event.key = one.key LIMIT 1
    ) AS stored
    LEFT JOIN LATERAL (
        SELECT entitlement_id, amount, exceeds_limit, has_access, balance, usage, overage,
               total_available
        FROM consumption WHERE namespace = $1 AND consumption.key = one.key LIMIT 1
    ) AS decided ON true
) AS known ON true
"""

_STORE = """
WITH one AS (
    SELECT * FROM unnest(
        $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::jsonb[],
        $10::timestamptz[], $11::numeric[], $12::boolean[], $13::boolean[], $14::numeric[],
        $15::numeric[], $16::numeric[], $17::numeric[]
    ) AS one (key, source, id, type, subject, time, data, ingested_at, amount, exceeds_limit,
              has_access, balance, usage, overage, total_available)
), stored AS (
    INSERT INTO event (namespace, key, source, id, type, subject, time, data, ingested_at)
    SELECT $1, key, source, id, type, subject, time, data, ingested_at FROM one
    ON CONFLICT (namespace, key) DO NOTHING
    RETURNING key
)
INSERT INTO consumption (namespace, key, entitlement_id, amount, exceeds_limit, has_access, balance,
                         usage, overage, total_available)
SELECT $1, key, $2, amount, exceeds_limit, has_access, balance, usage, overage, total_available
FROM one JOIN stored USING (key)
RETURNING key
"""


class Known(NamedTuple):
    """An event that is stored. What was ingested plainly has neither of the two."""

    entitlement_id: str | None
    decision: Decision | None


class Consumed(NamedTuple):
    """A new event with its key, and that it was allowed."""

    key: bytes
    event: Event
    decision: Decision


async def look_up(
    connection: AsyncConnection, namespace: str, keys: Collection[bytes]
) -> tuple[datetime, dict[bytes, Known]]:
    """The database's time, and those of the events that are stored."""
    driver = await driver_of(connection)
    records = await driver.fetch(_LOOK_UP, namespace, [UUID(key) for key in keys])
    known = {one["key"].bytes: _known(one) for one in records if one["key"] is not None}
    return records[0]["now"], known


async def store(
    connection: AsyncConnection, namespace: str, entitlement_id: str, new: Sequence[Consumed]
) -> bool:
    """Events and decisions; false when somebody else has stored one of the events meanwhile.

    Then the transaction must be given up, for the decisions stood on each other.
    """
    if not new:
        return True
    # Every writer takes keys in the same order, so two of them cannot wait for each other.
    rows = [_row(one) for one in sorted(new, key=lambda one: one.key)]
    driver = await driver_of(connection)
    stored = await driver.fetch(_STORE, namespace, entitlement_id, *zip(*rows, strict=True))
    return len(stored) == len(rows)


def _row(one: Consumed) -> tuple[object, ...]:
    event, decision, standing = one.event, one.decision, one.decision.standing
    assert standing is not None  # noqa: S101 - whatever was allowed has one
    return (
        UUID(one.key), event.source, event.id, event.type, event.subject, event.time, event.data,
        event.ingested_at, decision.amount, decision.exceeds_limit, decision.has_access,
        standing.balance, standing.usage, standing.overage, standing.total_available,
    )  # fmt: skip


def _known(one: Record) -> Known:
    if one["entitlement_id"] is None:
        return Known(None, None)
    standing = Standing(**{name: one[name] for name in Standing.__dataclass_fields__})
    decision = Decision(
        allowed=True,
        amount=one["amount"],
        exceeds_limit=one["exceeds_limit"],
        has_access=one["has_access"],
        standing=standing,
        duplicate=True,
    )
    return Known(one["entitlement_id"], decision)
