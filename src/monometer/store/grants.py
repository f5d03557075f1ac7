"""Grants as rows."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.event import Json, parse_json
from monometer.core.grant import Expiration, ExpirationUnit, Grant
from monometer.core.recurrence import Recurrence, parse_interval
from monometer.store.exact_json import json_text
from monometer.store.pages import Page, page_of
from monometer.store.tables import TEXT, entitlement, entitlement_grant

_GRANT = entitlement_grant.c
_EXACT = {"metadata", "annotations"}  # as text, so that no number loses a digit
COLUMNS: tuple[ColumnElement[Any], ...] = tuple(
    cast(column, Text).label(column.name) if column.name in _EXACT else column for column in _GRANT
)
_NAMES = tuple(column.name for column in _GRANT)


async def create(connection: AsyncConnection, new: Sequence[Grant]) -> None:
    if new:
        values = {name: cast(bindparam(name, type_=Text), JSONB) for name in sorted(_EXACT)}
        statement = insert(entitlement_grant).values(**values)
        await connection.execute(statement, [_row_from_grant(one) for one in new])


async def count(connection: AsyncConnection, entitlement_id: str) -> int:
    statement = select(func.count()).where(_GRANT.entitlement_id == entitlement_id)
    found: int = (await connection.execute(statement)).scalar_one()
    return found


async def void(connection: AsyncConnection, voided: Grant) -> None:
    await connection.execute(
        update(entitlement_grant)
        .where(_GRANT.id == voided.id)
        .values(voided_at=voided.voided_at, updated_at=voided.updated_at)
    )


async def find(connection: AsyncConnection, namespace: str, id_: str) -> Grant | None:
    """By id, in either case; not of a deleted entitlement."""
    statement = _of_namespace(namespace).where(
        _GRANT.id == id_.upper(), entitlement.c.deleted_at.is_(None)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else grant_from_row(row)


async def of_entitlement(
    connection: AsyncConnection,
    entitlement_id: str,
    *,
    order_by: str = "created_at",
    descending: bool = False,
    offset: int = 0,
    limit: int,
) -> Page[Grant]:
    statement = _ordered(select(*COLUMNS), order_by, descending=descending)
    return await page_of(
        connection, statement.where(_GRANT.entitlement_id == entitlement_id), grant_from_row,
        offset=offset, limit=limit,
    )  # fmt: skip


async def list_(
    connection: AsyncConnection,
    namespace: str,
    *,
    features: Collection[str],
    owners: ColumnElement[bool] | None,
    include_deleted: bool,
    order_by: str,
    descending: bool,
    offset: int,
    limit: int,
) -> Page[Grant]:
    """Of all entitlements. `features` are ids or keys, none takes all; `owners` is on entitlement.

    Without `include_deleted` those of deleted entitlements are left out.
    """
    statement = _ordered(_of_namespace(namespace), order_by, descending=descending)
    if features:
        named = any_(literal(list(features), ARRAY(TEXT)))
        ids = any_(literal([one.upper() for one in features], ARRAY(TEXT)))
        of_feature = or_(entitlement.c.feature_key == named, entitlement.c.feature_id == ids)
        statement = statement.where(of_feature)
    if owners is not None:
        statement = statement.where(owners)
    if not include_deleted:
        statement = statement.where(entitlement.c.deleted_at.is_(None))
    return await page_of(connection, statement, grant_from_row, offset=offset, limit=limit)


def all_of(entitlement_id: ColumnElement[str]) -> ScalarSelect[Any]:
    """Every grant of an entitlement as one value, for `grants_from_value`."""
    order = aggregate_order_by(func.row(*COLUMNS), _GRANT.created_at, _GRANT.id)
    return (
        select(func.array_agg(order))
        .where(_GRANT.entitlement_id == entitlement_id)
        .scalar_subquery()
    )


def grants_from_value(value: Sequence[Sequence[Any]] | None) -> tuple[Grant, ...]:
    return tuple(_grant(dict(zip(_NAMES, one, strict=True))) for one in value or ())


def _of_namespace(namespace: str) -> Select[Any]:
    joined = select(*COLUMNS).join_from(entitlement_grant, entitlement)
    return joined.where(entitlement.c.namespace == namespace)


def _ordered(statement: Select[Any], order_by: str, *, descending: bool) -> Select[Any]:
    column = _GRANT[order_by]
    by = column.desc() if descending else column
    return statement.order_by(by, _GRANT.id.desc() if descending else _GRANT.id)


def _row_from_grant(one: Grant) -> dict[str, Any]:
    return {
        "id": one.id,
        "entitlement_id": one.entitlement_id,
        "amount": one.amount,
        "priority": one.priority,
        "effective_at": one.effective_at,
        "expiration_unit": one.expiration and one.expiration.unit.value,
        "expiration_count": one.expiration and one.expiration.count,
        "recurrence_interval": one.recurrence and one.recurrence.interval.iso,
        "recurrence_anchor": one.recurrence and one.recurrence.anchor,
        "min_rollover": one.min_rollover,
        "max_rollover": one.max_rollover,
        "voided_at": one.voided_at,
        "metadata": one.metadata and json_text(dict(one.metadata)),
        "annotations": one.annotations and json_text(dict(one.annotations)),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }


def grant_from_row(row: Row[Any]) -> Grant:
    return _grant(dict(row._mapping))  # noqa: SLF001 - the public name of SQLAlchemy's row mapping


def _grant(values: dict[str, Any]) -> Grant:
    unit, count = values.pop("expiration_unit"), values.pop("expiration_count")
    interval, anchor = values.pop("recurrence_interval"), values.pop("recurrence_anchor")
    metadata, annotations = values["metadata"], values["annotations"]
    values["metadata"] = metadata and json.loads(metadata)
    kept: Json = annotations and parse_json(annotations)
    values["annotations"] = kept
    return Grant(
        **values,
        expiration=Expiration(ExpirationUnit(unit), count) if unit else None,
        recurrence=Recurrence(parse_interval(interval), anchor) if interval else None,
    )
