"""Ingestions as rows, stored together with their events."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from asyncpg.pgproto.pgproto import UUID
from sqlalchemy import ColumnElement, Row, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.event import Event, event_key
from monometer.core.ingestion import Ingestion, IngestionStatus, MeterUnits
from monometer.core.numbers import plain
from monometer.core.windows import WindowSize
from monometer.store.among import any_of
from monometer.store.engine import driver_of
from monometer.store.tables import TEXT, ingestion

_KEPT = ingestion.c

_STORE = """
INSERT INTO event (namespace, key, source, id, type, subject, time, data, ingested_at)
SELECT $1, one.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                             $7::timestamptz[], $8::jsonb[], $9::timestamptz[]) AS one
ON CONFLICT (namespace, key) DO NOTHING
RETURNING key
"""

_TELL = """
INSERT INTO ingestion (namespace, reference_id, event_id, schema, schema_version, account, time,
                       status, description, payload, units, enriched, created_at)
SELECT $1, one.* FROM unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::text[],
                             $7::timestamptz[], $8::text[], $9::text[], $10::jsonb[], $11::jsonb[],
                             $12::jsonb[], $13::timestamptz[]) AS one
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionFilter:
    """None takes them all."""

    statuses: Collection[IngestionStatus] | None = None
    accounts: Collection[str] | None = None
    schemas: Collection[str] | None = None


async def store(connection: AsyncConnection, namespace: str, events: Sequence[Event]) -> set[bytes]:
    """The keys of those that were new. No two have one key."""
    if not events:
        return set()
    # Every writer takes keys in the same order, so two of them cannot wait for each other.
    keyed = sorted((event_key(one.source, one.id), one) for one in events)
    rows = [
        (UUID(key), one.source, one.id, one.type, one.subject, one.time, one.data, one.ingested_at)
        for key, one in keyed
    ]
    driver = await driver_of(connection)
    stored = await driver.fetch(_STORE, namespace, *zip(*rows, strict=True))
    return {record["key"].bytes for record in stored}


async def tell(connection: AsyncConnection, namespace: str, told: Sequence[Ingestion]) -> None:
    if told:
        driver = await driver_of(connection)
        await driver.execute(_TELL, namespace, *zip(*map(_values, told), strict=True))


async def page(
    connection: AsyncConnection,
    namespace: str,
    wanted: IngestionFilter,
    *,
    before: str | None,
    limit: int,
) -> list[Ingestion]:
    """Newest first, from before a reference id on."""
    statement = select(ingestion).where(*_conditions(namespace, wanted))
    if before is not None:
        statement = statement.where(_KEPT.reference_id < before)
    statement = statement.order_by(_KEPT.reference_id.desc()).limit(limit)
    return [_ingestion(row) for row in await connection.execute(statement)]


async def of_event(
    connection: AsyncConnection, namespace: str, event_id: str, *, limit: int
) -> list[Ingestion]:
    """Newest first."""
    statement = (
        select(ingestion)
        .where(_KEPT.namespace == namespace, _KEPT.event_id == event_id)
        .order_by(_KEPT.reference_id.desc())
        .limit(limit)
    )
    return [_ingestion(row) for row in await connection.execute(statement)]


async def count(
    connection: AsyncConnection,
    namespace: str,
    wanted: IngestionFilter,
    *,
    start: datetime,
    end: datetime,
    size: WindowSize,
    by: str | None,
    limit: int,
) -> list[tuple[datetime, str | None, int]]:
    """How many there are of each period of UTC, and of each value of a column; times are events'.

    At most `limit` rows.
    """
    period = func.date_trunc(size.value.lower(), _KEPT.time, "UTC").label("period")
    group = literal(None, TEXT) if by is None else _KEPT[by]
    groups = (period,) if by is None else (period, group)
    statement = (
        select(period, group.label("group"), func.count())
        .where(*_conditions(namespace, wanted), _KEPT.time >= start, _KEPT.time < end)
        .group_by(*groups)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in await connection.execute(statement)]


def _conditions(namespace: str, wanted: IngestionFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_KEPT.namespace == namespace]
    if wanted.statuses is not None:
        conditions.append(_KEPT.status == any_of([one.value for one in wanted.statuses]))
    if wanted.accounts is not None:
        conditions.append(_KEPT.account == any_of(wanted.accounts))
    if wanted.schemas is not None:
        conditions.append(_KEPT.schema == any_of(wanted.schemas))
    return conditions


def _values(one: Ingestion) -> tuple[object, ...]:
    units = [
        [each.meter_id, each.name, None if each.units is None else plain(each.units)]
        for each in one.units
    ]
    return (
        one.reference_id, one.event_id, one.schema, one.schema_version, one.account, one.time,
        one.status.value, one.description, _json(one.payload), _json(units),
        _json([list(each) for each in one.enriched]), one.created_at,
    )  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _ingestion(row: Row[Any]) -> Ingestion:
    values = dict(row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
    units = [
        MeterUnits(meter_id, name, None if text is None else Decimal(text))
        for meter_id, name, text in row.units
    ]
    enriched = [tuple(each) for each in row.enriched]
    status = IngestionStatus(row.status)
    return Ingestion(**{**values, "status": status, "units": units, "enriched": enriched})
