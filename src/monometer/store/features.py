"""Features as rows, read together with their meters."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    LABEL_STYLE_TABLENAME_PLUS_COL,
    ColumnElement,
    Row,
    Select,
    any_,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.errors import Conflict
from monometer.core.expression import Member, Predicate
from monometer.core.feature import Feature
from monometer.store.expression_sql import SqlReader
from monometer.store.meters import meter_from_row
from monometer.store.pages import Page, page_of
from monometer.store.tables import TEXT, entitlement, feature, meter


async def create(connection: AsyncConnection, new: Feature) -> None:
    """Raises Conflict when a live feature of the namespace has the same key."""
    try:
        await connection.execute(insert(feature).values(**_row_from_feature(new)))
    except IntegrityError as error:
        raise Conflict(f"feature with key {new.key} already exists") from error


async def update_(connection: AsyncConnection, changed: Feature) -> None:
    await connection.execute(
        update(feature).where(feature.c.id == changed.id).values(**_row_from_feature(changed))
    )


async def find(
    connection: AsyncConnection,
    namespace: str,
    id_or_key: str,
    *,
    lock: bool = False,
    share: bool = False,
) -> Feature | None:
    """The live feature of that id (in either case) or key. No key looks like an id.

    `lock` keeps others from changing it until the transaction ends; so does `share`, which many
    may ask for at once.
    """
    statement = _select().where(
        feature.c.namespace == namespace,
        feature.c.archived_at.is_(None),
        or_(feature.c.key == id_or_key, feature.c.id == id_or_key.upper()),
    )
    if lock or share:
        statement = statement.with_for_update(of=feature, read=share)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else feature_from_row(row)


async def list_(
    connection: AsyncConnection,
    namespace: str,
    *,
    meter_keys: Collection[str],
    include_archived: bool,
    order_by: str,
    descending: bool,
    offset: int,
    limit: int,
) -> Page[Feature]:
    """Ordered by a column and, where that is equal, by id. No `meter_keys` takes every meter."""
    column = feature.c[order_by]
    statement = (
        _select()
        .where(feature.c.namespace == namespace)
        .order_by(column.desc() if descending else column, feature.c.id)
    )
    if meter_keys:
        statement = statement.where(meter.c.key == any_(literal(list(meter_keys), ARRAY(TEXT))))
    if not include_archived:
        statement = statement.where(feature.c.archived_at.is_(None))
    return await page_of(connection, statement, feature_from_row, offset=offset, limit=limit)


_members = SqlReader({Member(name): feature.c[name] for name in ("key", "name", "meter_id")})


async def page(
    connection: AsyncConnection,
    namespace: str,
    *,
    where: Predicate,
    order_by: str,
    descending: bool,
    offset: int,
    limit: int,
) -> Page[Feature]:
    """Live features in the order of `list_`. `where` is about `key`, `name` and `meter_id`."""
    column = feature.c[order_by]
    statement = (
        _select()
        .where(
            feature.c.namespace == namespace,
            feature.c.archived_at.is_(None),
            _members.predicate(where),
        )
        .order_by(column.desc() if descending else column, feature.c.id)
    )
    return await page_of(connection, statement, feature_from_row, offset=offset, limit=limit)


async def find_known(connection: AsyncConnection, namespace: str, id_: str) -> Feature | None:
    """The feature of that id, in upper case, archived or not."""
    statement = _select().where(feature.c.namespace == namespace, feature.c.id == id_)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else feature_from_row(row)


async def live_keys(connection: AsyncConnection, namespace: str, keys: Collection[str]) -> set[str]:
    """Those that are keys of live features."""
    rows = await connection.execute(
        select(feature.c.key).where(
            feature.c.namespace == namespace,
            feature.c.archived_at.is_(None),
            feature.c.key == any_(literal(list(keys), ARRAY(TEXT))),
        )
    )
    return set(rows.scalars())


async def used_of_meter(connection: AsyncConnection, meter_id: str) -> Sequence[Feature]:
    """Those that are live or have an entitlement without end, by key, the live ones first."""
    statement = _select().where(feature.c.meter_id == meter_id, _used())
    by_key = statement.order_by(feature.c.archived_at.is_not(None), feature.c.key, feature.c.id)
    return [feature_from_row(row) for row in await connection.execute(by_key)]


async def all_used(connection: AsyncConnection) -> Sequence[Feature]:
    """Features of all namespaces with a meter, that are live or have an entitlement without end."""
    statement = _select().where(feature.c.meter_id.is_not(None), _used())
    return [feature_from_row(row) for row in await connection.execute(statement)]


def _used() -> ColumnElement[bool]:
    open_ = entitlement.c.active_to.is_(None) & entitlement.c.deleted_at.is_(None)
    entitled = select(entitlement.c.feature_id).where(open_)
    return or_(feature.c.archived_at.is_(None), feature.c.id.in_(entitled))


def _select() -> Select[Any]:
    joined = select(feature, meter).outerjoin_from(feature, meter)
    return joined.set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)


def _row_from_feature(one: Feature) -> dict[str, Any]:
    row = {
        column.name: getattr(one, column.name) for column in feature.c if column.name != "meter_id"
    }
    return {**row, "filters": dict(one.filters), "meter_id": one.meter and one.meter.id}


def feature_from_row(row: Row[Any]) -> Feature:
    """Of a row that has the columns of feature and meter."""
    columns = row._mapping  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
    values = {column.name: columns[column] for column in feature.c if column.name != "meter_id"}
    of_meter = {column.name: columns[column] for column in meter.c}
    return Feature(**values, meter=meter_from_row(of_meter) if of_meter["id"] else None)
