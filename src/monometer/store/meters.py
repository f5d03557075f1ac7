"""Meters as rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, func, insert, literal, or_, select
from sqlalchemy import update as sql_update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.aggregation import Aggregation
from monometer.core.errors import Conflict
from monometer.core.expression import Member, Predicate
from monometer.core.meter import Meter
from monometer.store.among import any_of
from monometer.store.expression_sql import SqlReader
from monometer.store.pages import Page, page_of
from monometer.store.tables import meter

LIST_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFilter:
    """Which meters: `name` is a part of theirs, in any case of ASCII letters.

    `metadata` has for each key the texts of which its value must be one.
    """

    name: str | None = None
    archived: bool | None = None
    aggregations: Collection[Aggregation] = tuple(Aggregation)
    metadata: Mapping[str, Collection[str]] = field(default_factory=dict)


async def create(connection: AsyncConnection, new: Meter) -> None:
    """Raises Conflict when a live meter of the namespace has the same key."""
    try:
        await connection.execute(insert(meter).values(**_row_from_meter(new)))
    except IntegrityError as error:
        raise Conflict("meter with the same slug already exists") from error


async def update(connection: AsyncConnection, changed: Meter) -> None:
    await connection.execute(
        sql_update(meter).where(meter.c.id == changed.id).values(**_row_from_meter(changed))
    )


async def find(
    connection: AsyncConnection, namespace: str, id_or_key: str, *, lock: bool = False
) -> Meter | None:
    """The live meter of that key, or the meter of that id (ids in either case), deleted or not.

    `lock` keeps others from changing it until the transaction ends.
    """
    live = (meter.c.key == id_or_key) & meter.c.deleted_at.is_(None)
    statement = (
        select(meter)
        .where(meter.c.namespace == namespace, or_(live, meter.c.id == id_or_key.upper()))
        .order_by(meter.c.id == id_or_key.upper())  # a key that looks like an id is a key first
        .limit(1)
    )
    if lock:
        statement = statement.with_for_update()
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _meter_from_row(row)


async def list_(
    connection: AsyncConnection,
    namespace: str,
    *,
    order_by: str = "key",
    descending: bool = False,
    include_deleted: bool = False,
) -> list[Meter]:
    """At most LIST_MAX meters, ordered by a column and, where that is equal, by id."""
    column = meter.c[order_by]
    statement = (
        select(meter)
        .where(meter.c.namespace == namespace)
        .order_by(column.desc() if descending else column, meter.c.id)
        .limit(LIST_MAX)
    )
    if not include_deleted:
        statement = statement.where(meter.c.deleted_at.is_(None))
    return [_meter_from_row(row) for row in await connection.execute(statement)]


async def search(
    connection: AsyncConnection,
    namespace: str,
    wanted: MeterFilter,
    *,
    order: Sequence[tuple[str, bool]],
    offset: int,
    limit: int,
) -> Page[Meter]:
    """Live meters in the order of some columns, each descending or not, and of ids at last."""
    columns = [meter.c[name].desc() if down else meter.c[name] for name, down in order]
    statement = (
        select(meter)
        .where(meter.c.namespace == namespace, *_conditions(wanted))
        .order_by(*columns, meter.c.id)
    )
    return await page_of(connection, statement, _meter_from_row, offset=offset, limit=limit)


_members = SqlReader({Member(name): meter.c[name] for name in ("key", "name")})


async def page(
    connection: AsyncConnection,
    namespace: str,
    *,
    where: Predicate,
    order_by: str,
    descending: bool,
    offset: int,
    limit: int,
) -> Page[Meter]:
    """Live meters in the order of `list_`. `where` is about the members `key` and `name`."""
    column = meter.c[order_by]
    statement = (
        select(meter)
        .where(
            meter.c.namespace == namespace,
            meter.c.deleted_at.is_(None),
            _members.predicate(where),
        )
        .order_by(column.desc() if descending else column, meter.c.id)
    )
    return await page_of(connection, statement, _meter_from_row, offset=offset, limit=limit)


def _conditions(wanted: MeterFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        meter.c.deleted_at.is_(None),
        meter.c.aggregation == any_of([one.value for one in wanted.aggregations]),
    ]
    if wanted.name is not None:
        part = func.lower(literal(wanted.name, Text).collate("C"))
        conditions.append(func.strpos(func.lower(meter.c.name), part) > 0)
    if wanted.archived is not None:
        is_archived = meter.c.archived_at.is_not(None)
        conditions.append(is_archived if wanted.archived else ~is_archived)
    conditions += [
        meter.c.metadata[key].astext == any_of(values) for key, values in wanted.metadata.items()
    ]
    return conditions


async def of_ids(connection: AsyncConnection, namespace: str, ids: Collection[str]) -> list[Meter]:
    """The live meters of these ids."""
    rows = await connection.execute(
        select(meter).where(
            meter.c.namespace == namespace, meter.c.deleted_at.is_(None), meter.c.id == any_of(ids)
        )
    )
    return [_meter_from_row(row) for row in rows]


async def of_event_types(
    connection: AsyncConnection, namespace: str, types: Collection[str]
) -> list[Meter]:
    """Every live meter that takes events of one of these types, or of all, by key."""
    rows = await connection.execute(
        select(meter)
        .where(
            meter.c.namespace == namespace,
            meter.c.deleted_at.is_(None),
            or_(meter.c.event_type.is_(None), meter.c.event_type == any_of(types)),
        )
        .order_by(meter.c.key)
    )
    return [_meter_from_row(row) for row in rows]


async def live_keys(connection: AsyncConnection, namespace: str, keys: Collection[str]) -> set[str]:
    """Those of `keys` that a live meter has."""
    rows = await connection.scalars(
        select(meter.c.key).where(
            meter.c.namespace == namespace,
            meter.c.deleted_at.is_(None),
            meter.c.key == any_of(keys),
        )
    )
    return set(rows)


def _row_from_meter(one: Meter) -> dict[str, Any]:
    row = {column.name: getattr(one, column.name) for column in meter.c}
    row["group_by"] = dict(one.group_by)
    row["definition"] = None if one.definition is None else dict(one.definition)
    return row


def _meter_from_row(row: Row[Any]) -> Meter:
    return meter_from_row(dict(row._mapping))  # noqa: SLF001 - the public name of SQLAlchemy's row mapping


def meter_from_row(row: Mapping[str, Any]) -> Meter:
    """Of a row's columns by name."""
    return Meter(**{**row, "aggregation": Aggregation(row["aggregation"])})


async def all_live(connection: AsyncConnection) -> list[Meter]:
    """Every live meter of every namespace."""
    rows = await connection.execute(select(meter).where(meter.c.deleted_at.is_(None)))
    return [_meter_from_row(row) for row in rows]
