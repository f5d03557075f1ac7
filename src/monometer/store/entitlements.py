"""Entitlements as rows, read together with all that they refer to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    and_,
    any_,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.entitled import Entitled
from monometer.core.entitlement import Entitlement
from monometer.core.feature import is_id
from monometer.core.usage_periods import Reset
from monometer.store.entitlement_rows import (
    entitled_from_row,
    row_from_entitlement,
    select_entitled,
)
from monometer.store.entitlement_sql import active_ones, finding, is_active, locking, values
from monometer.store.owners import Owner, OwnerRef
from monometer.store.pages import Page, page_of
from monometer.store.tables import (
    TEXT,
    entitlement,
    usage_reset,
)

_KEPT = entitlement.c


async def lock_pair(
    connection: AsyncConnection, namespace: str, owner: Owner, feature_key: str
) -> None:
    """One at a time makes entitlements of an owner and a feature's key, until it commits."""
    who = owner.customer_id or f"subject {owner.subject}"
    name = f"entitlement of {feature_key} of {who} in {namespace}"
    number = func.hashtextextended(literal(name, Text), 0)
    await connection.execute(select(func.pg_advisory_xact_lock(number)))


async def lock(connection: AsyncConnection, ids: Collection[str]) -> None:
    """Nobody else changes these entitlements or what belongs to them until the transaction ends.

    Taken in the order of ids, so that two who lock several never wait for each other in a ring.
    """
    wanted = any_(literal(sorted(ids), ARRAY(TEXT)))
    await connection.execute(
        select(_KEPT.id).where(_KEPT.id == wanted).order_by(_KEPT.id).with_for_update()
    )


async def create(connection: AsyncConnection, new: Entitlement) -> None:
    """The caller holds the lock of the pair and has looked for others that are active."""
    await connection.execute(insert(entitlement).values(**row_from_entitlement(new)))


async def end(connection: AsyncConnection, ended: Entitlement) -> None:
    """Keep that it was deleted, or that another one took its place."""
    await connection.execute(
        update(entitlement)
        .where(_KEPT.id == ended.id)
        .values(active_to=ended.active_to, deleted_at=ended.deleted_at, updated_at=ended.updated_at)
    )


async def reset(connection: AsyncConnection, entitlement_id: str, made: Reset) -> None:
    await connection.execute(
        insert(usage_reset).values(
            entitlement_id=entitlement_id,
            at=made.at,
            retain_anchor=made.retain_anchor,
            preserve_overage=made.preserve_overage,
        )
    )


async def give(
    connection: AsyncConnection, namespace: str, subjects: Collection[str], customer_id: str
) -> None:
    """What belonged to these subjects themselves belongs to the customer from now on."""
    await connection.execute(
        update(entitlement)
        .where(_KEPT.namespace == namespace, _of_subjects(subjects))
        .values(customer_id=customer_id, subject=None)
    )


async def find(
    connection: AsyncConnection,
    namespace: str,
    ref: OwnerRef | None,
    id_or_key: str,
    *,
    at: datetime,
    with_grants: bool = False,
) -> Entitled | None:
    """By id any that is not deleted, whoever's it is; by its feature's key the one active at `at`.

    None also where the customer is unknown or deleted, and for a customer what no customer owns.
    Without `ref` by id alone. One statement.
    """
    if ref is None and not is_id(id_or_key):
        return None
    statement = finding(ref, id_or_key, with_grants=with_grants)
    row = (await connection.execute(statement, values(namespace, ref, id_or_key, at))).one_or_none()
    return None if row is None else entitled_from_row(row)


async def find_locked(
    connection: AsyncConnection,
    namespace: str,
    ref: OwnerRef | None,
    id_or_key: str,
    *,
    at: datetime,
    with_grants: bool = False,
) -> Entitled | None:
    """As `find`, and nobody else changes it until the transaction ends.

    Read after the lock is there, by a statement of its own: what others did meanwhile is seen.
    """
    if ref is None and not is_id(id_or_key):
        return None
    locked = await connection.execute(
        locking(ref, id_or_key), values(namespace, ref, id_or_key, at)
    )
    id_ = locked.scalar_one_or_none()
    if id_ is None:
        return None
    return await find(connection, namespace, ref, id_, at=at, with_grants=with_grants)


async def active_of(
    connection: AsyncConnection, owner: Owner, namespace: str, *, at: datetime, with_grants: bool
) -> list[Entitled]:
    """All that are active at `at`, oldest first."""
    statement = active_ones(of_customer=owner.customer_id is not None, with_grants=with_grants)
    whose = {"namespace": namespace, "owner": owner.customer_id or owner.subject, "at": at}
    rows = await connection.execute(statement, whose)
    return [entitled_from_row(row) for row in rows]


async def open_of(
    connection: AsyncConnection, namespace: str, owner: Owner, feature_key: str, *, since: datetime
) -> list[Entitlement]:
    """Those of a pair that end after `since`, or never."""
    statement = select_entitled(with_grants=False).where(
        _of_owner(namespace, owner),
        _KEPT.feature_key == feature_key,
        _KEPT.deleted_at.is_(None),
        or_(_KEPT.active_to.is_(None), _KEPT.active_to > since),
    )
    rows = await connection.execute(statement)
    return [entitled_from_row(row).entitlement for row in rows]


async def active_keys(
    connection: AsyncConnection, namespace: str, condition: ColumnElement[bool], *, at: datetime
) -> list[tuple[str, str]]:
    """(feature key, id) of what is active at `at`, locked in the order of ids."""
    rows = await connection.execute(
        select(_KEPT.feature_key, _KEPT.id)
        .where(_KEPT.namespace == namespace, condition, _KEPT.deleted_at.is_(None), is_active(at))
        .order_by(_KEPT.id)
        .with_for_update()
    )
    return [(row.feature_key, row.id) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementFilter:
    """`features` are ids or keys; of none of them, and of no `types`, all. `owners` None is all."""

    features: Collection[str] = ()
    types: Collection[str] = ()
    owners: ColumnElement[bool] | None = None
    active_at: datetime | None = None


async def list_(
    connection: AsyncConnection,
    namespace: str,
    wanted: EntitlementFilter,
    *,
    order_by: str,
    descending: bool,
    offset: int,
    limit: int,
) -> Page[Entitled]:
    """Those that are not deleted, by a column and, where that is equal, by id."""
    statement = select_entitled(with_grants=False).where(
        _KEPT.namespace == namespace, _KEPT.deleted_at.is_(None)
    )
    if wanted.features:
        named = any_(literal(list(wanted.features), ARRAY(TEXT)))
        ids = any_(literal([one.upper() for one in wanted.features], ARRAY(TEXT)))
        statement = statement.where(or_(_KEPT.feature_key == named, _KEPT.feature_id == ids))
    if wanted.types:
        statement = statement.where(_KEPT.type == any_(literal(list(wanted.types), ARRAY(TEXT))))
    if wanted.owners is not None:
        statement = statement.where(wanted.owners)
    if wanted.active_at is not None:
        statement = statement.where(is_active(wanted.active_at))
    column = _KEPT[order_by]
    statement = (
        statement.order_by(column.desc(), _KEPT.id.desc())
        if descending
        else statement.order_by(column, _KEPT.id)
    )
    return await page_of(connection, statement, entitled_from_row, offset=offset, limit=limit)


def owned_by(customers: Collection[str], subjects: Collection[str] = ()) -> ColumnElement[bool]:
    """Whether the owner is one of these customers, by id, or one of these subjects."""
    return or_(_KEPT.customer_id == any_(literal(list(customers), ARRAY(TEXT))),
               _of_subjects(subjects))  # fmt: skip


def owned_by_customers() -> ColumnElement[bool]:
    """Whether the owner is a customer."""
    return _KEPT.customer_id.is_not(None)


def _of_subjects(subjects: Collection[str]) -> ColumnElement[bool]:
    return _KEPT.subject == any_(literal(list(subjects), ARRAY(TEXT)))


def _of_owner(namespace: str, owner: Owner) -> ColumnElement[bool]:
    if owner.customer_id is not None:
        return _KEPT.customer_id == owner.customer_id
    return and_(_KEPT.namespace == namespace, _KEPT.subject == owner.subject)
