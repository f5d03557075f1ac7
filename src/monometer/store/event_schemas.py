"""Event schemas as rows."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.errors import Conflict
from monometer.core.event_schema import EventSchema, Status
from monometer.store.among import any_of
from monometer.store.pages import Page, page_of
from monometer.store.tables import event_schema

_KEPT = event_schema.c


async def add(connection: AsyncConnection, new: EventSchema) -> None:
    """Raises Conflict when there is such a version."""
    try:
        await connection.execute(insert(event_schema).values(**_row(new)))
    except IntegrityError as error:
        raise Conflict(f"event schema already exists: {new.name}") from error


async def replace_one(connection: AsyncConnection, changed: EventSchema) -> None:
    await connection.execute(
        update(event_schema)
        .where(
            _KEPT.namespace == changed.namespace,
            _KEPT.name == changed.name,
            _KEPT.version == changed.version,
        )
        .values(**_row(changed))
    )


async def remove(connection: AsyncConnection, namespace: str, name: str) -> None:
    """With all its versions."""
    await connection.execute(
        delete(event_schema).where(_KEPT.namespace == namespace, _KEPT.name == name)
    )


async def versions(
    connection: AsyncConnection, namespace: str, name: str, *, lock: bool = False
) -> list[EventSchema]:
    """Newest first. `lock` keeps others from changing them until the transaction ends."""
    if lock:
        await connection.execute(_of_names(namespace, [name]).with_for_update())
    return [_schema(row) for row in await connection.execute(_of_names(namespace, [name]))]


async def newest_shared(
    connection: AsyncConnection, namespace: str, names: Collection[str]
) -> dict[str, EventSchema]:
    """The newest version of each by name. Nobody changes them until the transaction ends."""
    await connection.execute(_of_names(namespace, names).with_for_update(read=True))
    rows = await connection.execute(_of_names(namespace, names))
    return {one.name: one for one in map(_schema, reversed(list(rows)))}


async def newest(
    connection: AsyncConnection,
    namespace: str,
    statuses: Sequence[Status],
    *,
    offset: int,
    limit: int,
) -> Page[EventSchema]:
    """The newest version of each, last updated first."""
    latest = (
        select(_KEPT.name, func.max(_KEPT.version).label("version"))
        .where(_KEPT.namespace == namespace)
        .group_by(_KEPT.name)
        .subquery("latest")
    )
    same = (_KEPT.name == latest.c.name) & (_KEPT.version == latest.c.version)
    statement = (
        select(event_schema)
        .join(latest, same)
        .where(_KEPT.namespace == namespace, _KEPT.status.in_([one.value for one in statuses]))
        .order_by(_KEPT.updated_at.desc(), _KEPT.name)
    )
    return await page_of(connection, statement, _schema, offset=offset, limit=limit)


def _of_names(namespace: str, names: Collection[str]) -> Select[Any]:
    """Read it again once it is locked: a version that came while the lock was waited for."""
    of = _KEPT.name == any_of(names)
    return (
        select(event_schema)
        .where(_KEPT.namespace == namespace, of)
        .order_by(_KEPT.name, _KEPT.version.desc())
    )


def _row(one: EventSchema) -> dict[str, Any]:
    row = {column.name: getattr(one, column.name) for column in event_schema.c}
    return {**row, "status": one.status.value, "declared": dict(one.declared)}


def _schema(row: Row[Any]) -> EventSchema:
    values = dict(row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
    return EventSchema(**{**values, "status": Status(values["status"])})
