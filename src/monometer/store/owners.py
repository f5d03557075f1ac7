"""Who owns entitlements: a customer, or a subject that no customer claims."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, Select, any_, case, func, literal, null, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.store.statements import parameter
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
    statement = _owner(of_customer=isinstance(ref, OfCustomer))
    row = (await connection.execute(statement, owner_values(namespace, ref))).one()
    if row.customer_id is None and row.subject is None:
        return None
    return Owner(customer_id=row.customer_id, subject=row.subject, deleted_at=row.deleted_at)


@cache
def _owner(*, of_customer: bool) -> Select[Any]:
    return owner_select(of_customer=of_customer)


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


def owner_select(*, of_customer: bool) -> Select[Any]:
    """One row (customer_id, subject, deleted_at); all NULL when there is no such customer.

    Its parameters are those of `owner_values`.
    """
    return _customer_select() if of_customer else _subject_select()


def owner_values(namespace: str, ref: OwnerRef) -> dict[str, str]:
    name = ref.id_or_key if isinstance(ref, OfCustomer) else ref.key_or_id
    return {"namespace": namespace, "owner_name": name, "owner_id": name.upper()}


NAMESPACE = parameter("namespace", TEXT)
_NAME, _ID = parameter("owner_name", TEXT), parameter("owner_id", TEXT)


def _customer_select() -> Select[Any]:
    by_id = customer.c.id == _ID
    live = (customer.c.key == _NAME) & customer.c.deleted_at.is_(None)
    found = (
        select(customer.c.id, customer.c.deleted_at)
        .where(customer.c.namespace == NAMESPACE, or_(live, by_id))
        .order_by(by_id)  # a key that looks like an id is a key first
        .limit(1)
        .subquery("found")
    )
    one = select(literal(1).label("one")).subquery("one")
    return select(
        found.c.id.label("customer_id"), null().cast(TEXT).label("subject"), found.c.deleted_at
    ).select_from(one.outerjoin(found, true()))


def _subject_select() -> Select[Any]:
    """The customer whose id it is, else the one whose key it is, else the one who lists it."""
    by_id = subject.c.id == _ID
    record = (
        select(subject.c.key)
        .where(
            subject.c.namespace == NAMESPACE,
            subject.c.deleted_at.is_(None),
            or_(subject.c.key == _NAME, by_id),
        )
        .order_by(by_id)
        .limit(1)
        .scalar_subquery()
    )
    # Not a subquery: that would be looked up anew wherever its key stands.
    named = select(func.coalesce(record, _NAME).label("key")).cte("named")
    key = select(named.c.key).scalar_subquery()
    live = (customer.c.namespace == NAMESPACE, customer.c.deleted_at.is_(None))
    found = func.coalesce(
        select(customer.c.id).where(*live, customer.c.id == key).scalar_subquery(),
        select(customer.c.id).where(*live, customer.c.key == key).scalar_subquery(),
        select(customer_subject.c.customer_id)
        .where(customer_subject.c.namespace == NAMESPACE, customer_subject.c.subject_key == key)
        .scalar_subquery(),
    ).label("customer_id")
    owner = select(found, key.label("key")).subquery("owner")
    return select(
        owner.c.customer_id,
        case((owner.c.customer_id.is_(None), owner.c.key)).label("subject"),
        null().cast(INSTANT).label("deleted_at"),
    )
