"""Finding entitlements and their owners, inside a transaction or a reading of the caller's."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.entitled import Entitled
from monometer.core.entitlement import Boolean, Entitlement, Metered, Static
from monometer.core.errors import InvalidInput, NotFound, PreconditionFailed
from monometer.core.feature import is_id
from monometer.store import customers, entitlements, owners
from monometer.store.owners import OfCustomer, Owner, OwnerRef

TRIES = 10  # to find one by its feature's key before another one takes its place


async def owner_of(connection: AsyncConnection, namespace: str, ref: OwnerRef) -> Owner:
    """Raises NotFound for an unknown customer, PreconditionFailed for a deleted one."""
    owner = await owners.owner_of(connection, namespace, ref)
    if isinstance(ref, OfCustomer):
        if owner is None:
            raise NotFound(f"customer not found: {ref.id_or_key}")
        if owner.deleted_at is not None:
            raise PreconditionFailed(f"customer is deleted: {owner.customer_id}")
    assert owner is not None  # noqa: S101 - every subject is an owner, if none other's
    return owner


async def share_owner(connection: AsyncConnection, namespace: str, ref: OwnerRef) -> Owner:
    """As `owner_of`, and it stays so until the transaction ends."""
    await customers.share_owners(connection, namespace)
    return await owner_of(connection, namespace, ref)


async def find(
    connection: AsyncConnection,
    namespace: str,
    ref: OwnerRef | None,
    id_or_key: str,
    *,
    at: datetime,
    with_grants: bool = False,
) -> Entitled:
    """By id any that is not deleted, by its feature's key the one active at `at`. One statement.

    Raises NotFound for it or for the customer, PreconditionFailed for a deleted customer.
    """
    found = await entitlements.find(
        connection, namespace, ref, id_or_key, at=at, with_grants=with_grants
    )
    return found or await _missing(connection, namespace, ref, id_or_key)


async def find_to_change(
    connection: AsyncConnection,
    namespace: str,
    ref: OwnerRef | None,
    id_or_key: str,
    *,
    now: Callable[[], datetime],
    with_grants: bool = False,
) -> Entitled:
    """As `find` at this moment, and nobody else changes it until the transaction ends."""
    await customers.share_owners(connection, namespace)
    for _ in range(TRIES):
        found = await entitlements.find_locked(
            connection, namespace, ref, id_or_key, at=now(), with_grants=with_grants
        )
        # While it was waited for, another one may have taken the place that the key names.
        if found is not None and (is_id(id_or_key) or found.entitlement.is_active(now())):
            return found
    return await _missing(connection, namespace, ref, id_or_key)


async def _missing(
    connection: AsyncConnection, namespace: str, ref: OwnerRef | None, id_or_key: str
) -> Entitled:
    if ref is not None:
        await owner_of(connection, namespace, ref)
    raise NotFound(f"entitlement not found {id_or_key} in namespace {namespace}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Whose entitlements or grants are listed: those that are named, or all where None is.

    Names that nobody has name nobody. `only_customers` leaves out what subjects have of their own.
    """

    subjects: Collection[str] | None = None
    customer_ids: Collection[str] | None = None
    customer_keys: Collection[str] | None = None
    only_customers: bool = False


@dataclass(frozen=True, slots=True)
class CustomersWhoExist:
    """Of these customers, each by id or key, who must be there."""

    ids_or_keys: Collection[str]


EVERYBODY = Owners()


async def owned_by(
    connection: AsyncConnection, namespace: str, wanted: Owners | CustomersWhoExist
) -> ColumnElement[bool] | None:
    """What an entitlement's owner must fulfil; None for nothing.

    Raises NotFound and PreconditionFailed for customers who must exist.
    """
    if isinstance(wanted, CustomersWhoExist):
        found = [
            await owner_of(connection, namespace, OfCustomer(one)) for one in wanted.ids_or_keys
        ]
        return entitlements.owned_by([one.customer_id for one in found if one.customer_id])
    named = (wanted.subjects, wanted.customer_ids, wanted.customer_keys)
    if all(one is None for one in named):
        return entitlements.owned_by_customers() if wanted.only_customers else None
    subjects = wanted.subjects or ()
    claimed = await customers.owners(connection, namespace, subjects)
    known = await owners.customers_named(
        connection, namespace, ids=wanted.customer_ids or (), keys=wanted.customer_keys or ()
    )
    return entitlements.owned_by(
        {*claimed.values(), *known}, [one for one in subjects if one not in claimed]
    )


def metered_terms(entitlement: Entitlement) -> Metered:
    """Raises InvalidInput for another type."""
    match entitlement.terms:
        case Metered() as terms:
            return terms
        case Static():
            raise InvalidInput("expected entitlement type metered but got static")
        case Boolean():
            raise InvalidInput("expected entitlement type metered but got boolean")
