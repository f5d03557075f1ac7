"""Statements that find entitlements: each is made once, since that takes longer than to answer it.

What differs from one question to the next are parameters, and `values` gives them.
"""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from monometer.core.feature import is_id
from monometer.store.entitlement_rows import select_entitled
from monometer.store.owners import (
    NAMESPACE,
    OfCustomer,
    OwnerRef,
    owner_select,
    owner_values,
)
from monometer.store.statements import parameter
from monometer.store.tables import INSTANT, TEXT, entitlement

_KEPT = entitlement.c
_AT, _NAMED = parameter("at", INSTANT), parameter("named", TEXT)
_OWNER = parameter("owner", TEXT)


def finding(ref: OwnerRef | None, id_or_key: str, *, with_grants: bool) -> Select[Any]:
    """The entitlement that is named so. Without `ref` it is named by its id."""
    of_customer = None if ref is None else isinstance(ref, OfCustomer)
    return _finding(of_customer, by_id=is_id(id_or_key), with_grants=with_grants)


def locking(ref: OwnerRef | None, id_or_key: str) -> Select[Any]:
    """The id alone, and the row is locked."""
    of_customer = None if ref is None else isinstance(ref, OfCustomer)
    return _locking(of_customer, by_id=is_id(id_or_key))


def values(namespace: str, ref: OwnerRef | None, id_or_key: str, at: datetime) -> dict[str, Any]:
    named = id_or_key.upper() if is_id(id_or_key) else id_or_key
    owner = {} if ref is None else owner_values(namespace, ref)
    return {"namespace": namespace, **owner, "named": named, "at": at}


@cache
def _finding(of_customer: bool | None, *, by_id: bool, with_grants: bool) -> Select[Any]:
    found = select_entitled(with_grants=with_grants)
    return found.where(_named(of_customer, by_id=by_id)).limit(1)


@cache
def _locking(of_customer: bool | None, *, by_id: bool) -> Select[Any]:
    return select(_KEPT.id).where(_named(of_customer, by_id=by_id)).limit(1).with_for_update()


@cache
def active_ones(*, of_customer: bool, with_grants: bool) -> Select[Any]:
    """All of the customer, or subject, `owner` that are active at `at`, oldest first."""
    owned = _KEPT.customer_id == _OWNER if of_customer else _KEPT.subject == _OWNER
    kept = _KEPT.namespace == NAMESPACE, _KEPT.deleted_at.is_(None)
    found = select_entitled(with_grants=with_grants).where(*kept, owned, is_active(_AT))
    return found.order_by(_KEPT.created_at, _KEPT.id)


def _named(of_customer: bool | None, *, by_id: bool) -> ColumnElement[bool]:
    """What looks like an id is no feature's key."""
    kept = and_(_KEPT.namespace == NAMESPACE, _KEPT.deleted_at.is_(None))
    if by_id and not of_customer:
        return and_(kept, _KEPT.id == _NAMED)
    assert of_customer is not None  # noqa: S101 - a feature's key is somebody's
    owner = owner_select(of_customer=of_customer).cte("owner")
    if by_id:
        known = select(owner.c.deleted_at.is_(None)).where(owner.c.customer_id.is_not(None))
        of_one = and_(_KEPT.customer_id.is_not(None), known.scalar_subquery())
        return and_(kept, _KEPT.id == _NAMED, of_one)
    customer_id = select(owner.c.customer_id).where(owner.c.deleted_at.is_(None)).scalar_subquery()
    subject = select(owner.c.subject).scalar_subquery()
    owned = or_(_KEPT.customer_id == customer_id, _KEPT.subject == subject)
    return and_(kept, owned, _KEPT.feature_key == _NAMED, is_active(_AT))


def is_active(at: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    start = func.coalesce(_KEPT.active_from, _KEPT.created_at)
    return and_(start <= at, or_(_KEPT.active_to.is_(None), _KEPT.active_to > at))
