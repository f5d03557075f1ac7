"""Who owns entitlements: a customer, or a subject that no customer claims."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, Select, any_, case, func, literal, null, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.store.tables import INSTANT, TEXT, customer, customer_subject, subject


@dataclass(frozen=True, slots=True)
class OfSubject:
    """A subject by key, or by the id of its record. It needs no record."""

    key_or_id: str


@dataclass(frozen=True, slots=True)
class OfCustomer:
    """A customer by id or key."""

    id_or_key: str


OwnerRef: TypeAlias = OfSubject | OfCustomer


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One of the two. `deleted_at` is the customer's, who can only be told then."""

    customer_id: str | None
    subject: str | None
    deleted_at: datetime | None = None


async def owner_of(connection: AsyncConnection, namespace: str, ref: OwnerRef) -> Owner | None:
    """None for a customer that is unknown. By id a deleted customer is found too."""
    row = (await connection.execute(owner_select(namespace, ref))).one()
    if row.customer_id is None and row.subject is None:
        return None
    return Owner(customer_id=row.customer_id, subject=row.subject, deleted_at=row.deleted_at)


async def customers_named(
    connection: AsyncConnection, namespace: str, *, ids: Collection[str], keys: Collection[str]
) -> list[str]:
    """Ids of live customers that have one of these ids, in either case, or one of these keys."""
    upper = [one.upper() for one in ids]
    rows = await connection.execute(
        select(customer.c.id).where(
            customer.c.namespace == namespace,
            customer.c.deleted_at.is_(None),
            or_(
                customer.c.id == any_(literal(upper, ARRAY(TEXT))),
                customer.c.key == any_(literal(list(keys), ARRAY(TEXT))),
            ),
        )
    )
    return list(rows.scalars())


def owner_select(namespace: str, ref: OwnerRef) -> Select[Any]:
    """One row (customer_id, subject, deleted_at); all NULL when there is no such customer."""
    if isinstance(ref, OfCustomer):
        return _customer_select(namespace, ref.id_or_key)
    return _subject_select(namespace, ref.key_or_id)


def _customer_select(namespace: str, id_or_key: str) -> Select[Any]:
    by_id = customer.c.id == id_or_key.upper()
    live = (customer.c.key == id_or_key) & customer.c.deleted_at.is_(None)
    found = (
        select(customer.c.id, customer.c.deleted_at)
        .where(customer.c.namespace == namespace, or_(live, by_id))
        .order_by(by_id)  # a key that looks like an id is a key first
        .limit(1)
        .subquery("found")
    )
    one = select(literal(1).label("one")).subquery("one")
    return select(
        found.c.id.label("customer_id"), null().cast(TEXT).label("subject"), found.c.deleted_at
    ).select_from(one.outerjoin(found, true()))


def _subject_select(namespace: str, key_or_id: str) -> Select[Any]:
    """The customer whose id it is, else the one whose key it is, else the one who lists it."""
    by_id = subject.c.id == key_or_id.upper()
    record = (
        select(subject.c.key)
        .where(
            subject.c.namespace == namespace,
            subject.c.deleted_at.is_(None),
            or_(subject.c.key == key_or_id, by_id),
        )
        .order_by(by_id)
        .limit(1)
        .scalar_subquery()
    )
    named = select(func.coalesce(record, literal(key_or_id, TEXT)).label("key")).subquery("named")
    key = named.c.key
    live = (customer.c.namespace == namespace, customer.c.deleted_at.is_(None))
    found = func.coalesce(
        select(customer.c.id).where(*live, customer.c.id == key).scalar_subquery(),
        select(customer.c.id).where(*live, customer.c.key == key).scalar_subquery(),
        select(customer_subject.c.customer_id)
        .where(customer_subject.c.namespace == namespace, customer_subject.c.subject_key == key)
        .scalar_subquery(),
    ).label("customer_id")
    owner = select(found, key.label("key")).subquery("owner")
    return select(
        owner.c.customer_id,
        case((owner.c.customer_id.is_(None), owner.c.key)).label("subject"),
        null().cast(INSTANT).label("deleted_at"),
    )
