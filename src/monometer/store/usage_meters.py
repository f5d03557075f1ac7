"""Usage meters: what is asked of the table of meters about Togai's."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.aggregation import Aggregation
from monometer.core.definition import POLAR, TOGAI
from monometer.core.event_schema import Status
from monometer.core.meter import Meter
from monometer.core.short_ids import ulids_of
from monometer.store.among import any_of
from monometer.store.meters import meter_from_row
from monometer.store.pages import Page, page_of
from monometer.store.tables import TEXT, meter

_KEPT = meter.c
_DIALECT = _KEPT.definition["dialect"].astext
_STATUS = _KEPT.definition["status"].astext
_LIVE = _KEPT.deleted_at.is_(None)
_OURS = func.coalesce(_DIALECT, "") == TOGAI


async def lock_names(connection: AsyncConnection, namespace: str) -> None:
    """One at a time gives names in a namespace, until it commits."""
    number = func.hashtextextended(literal(f"names of usage meters of {namespace}", TEXT), 0)
    await connection.execute(select(func.pg_advisory_xact_lock(number)))


async def clock(connection: AsyncConnection) -> datetime:
    """The database's, which all servers share."""
    at: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    return at


async def is_named(connection: AsyncConnection, namespace: str, name: str, but: str = "") -> bool:
    """Whether a live one, but that of an id, has the name."""
    named = (_KEPT.namespace == namespace, _KEPT.name == name, _KEPT.id != but, _LIVE, _OURS)
    return (await connection.execute(select(_KEPT.id).where(*named).limit(1))).first() is not None


async def find(
    connection: AsyncConnection, namespace: str, ulids: tuple[str, str], *, lock: bool = False
) -> Meter | None:
    """The one whose id lies in that range, deleted or not."""
    first, last = ulids
    statement = select(meter).where(
        _KEPT.namespace == namespace, _KEPT.id >= first, _KEPT.id <= last, _sayable()
    )
    if lock:
        statement = statement.with_for_update()
    row = (await connection.execute(statement.limit(1))).one_or_none()
    return None if row is None else meter_from_row(dict(row._mapping))  # noqa: SLF001


async def list_(
    connection: AsyncConnection,
    namespace: str,
    statuses: Collection[Status],
    aggregations: Collection[str],
    *,
    named: Collection[str] | None = None,
    offset: int,
    limit: int,
) -> Page[Meter]:
    """Last updated first. Meters of other dialects are active while they live."""
    live = [one.value for one in statuses if one is not Status.ARCHIVED]
    of_status = _LIVE & (func.coalesce(_STATUS, Status.ACTIVE.value) == any_of(live))
    wanted = of_status if Status.ARCHIVED not in statuses else or_(of_status, ~_LIVE)
    statement = (
        select(meter)
        .where(
            _KEPT.namespace == namespace,
            _sayable(),
            _KEPT.aggregation == any_of(aggregations),
            wanted,
        )
        .order_by(_KEPT.updated_at.desc(), _KEPT.id.desc())
    )
    if named is not None:
        ranges = [ulids for one in named if (ulids := ulids_of(one)) is not None]
        of_id = ((_KEPT.id >= first) & (_KEPT.id <= last) for first, last in ranges)
        of_name = _KEPT.name == any_of(named)
        statement = statement.where(or_(of_name, *of_id))
    return await page_of(
        connection, statement,
        lambda row: meter_from_row(dict(row._mapping)),  # noqa: SLF001
        offset=offset, limit=limit,
    )  # fmt: skip


async def active(
    connection: AsyncConnection, namespace: str, schemas: Collection[str]
) -> list[Meter]:
    """Those of these schemas that count what comes in, in the order in which they were made."""
    statement = (
        select(meter)
        .where(
            _KEPT.namespace == namespace,
            _KEPT.event_type == any_of(schemas),
            _LIVE,
            _sayable(),
            func.coalesce(_STATUS, Status.ACTIVE.value) == Status.ACTIVE.value,
        )
        .order_by(_KEPT.id)
    )
    rows = await connection.execute(statement)
    return [meter_from_row(dict(row._mapping)) for row in rows]  # noqa: SLF001


async def active_of(connection: AsyncConnection, namespace: str, schema: str) -> bool:
    active = (_of_schemas(namespace, [schema]), Status.ACTIVE.value == _STATUS)
    return (await connection.execute(select(_KEPT.id).where(*active).limit(1))).first() is not None


async def count_by_schema(
    connection: AsyncConnection, namespace: str, schemas: Sequence[str]
) -> dict[str, int]:
    counted = (
        select(_KEPT.event_type, func.count())
        .where(_of_schemas(namespace, schemas))
        .group_by(_KEPT.event_type)
    )
    return {row[0]: row[1] for row in await connection.execute(counted)}


def _of_schemas(namespace: str, schemas: Sequence[str]) -> ColumnElement[bool]:
    of = _KEPT.event_type == any_of(schemas)
    return (_KEPT.namespace == namespace) & of & _LIVE & _OURS


def _sayable() -> ColumnElement[bool]:
    """Togai's own, and others that count, or sum a property of, all events of a type."""
    counts = _KEPT.aggregation == Aggregation.COUNT.value
    sums = (_KEPT.aggregation == Aggregation.SUM.value) & _KEPT.value_property.is_not(None)
    native = _KEPT.definition.is_(None) & _KEPT.event_from.is_(None)
    # One of Polar's with an event type and a single clause demands that type and nothing else.
    clauses = _KEPT.definition["filter"]["clauses"]
    plain = (_DIALECT == POLAR) & (func.jsonb_array_length(clauses) == 1)
    plain &= clauses[0]["property"].is_not(None)
    return or_(_OURS, (native | plain) & _KEPT.event_type.is_not(None) & (counts | sums))
