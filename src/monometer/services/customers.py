"""Customers: their rules, and whose usage a subject's is."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import iso4217
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.customer import SUBJECT_KEYS_MAX, Address, Customer, validate
from monometer.core.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from monometer.core.expression import Predicate
from monometer.core.meter import Metadata
from monometer.core.subject import Subject
from monometer.store import customers, entitlements, subjects
from monometer.store.customers import CustomerFilter
from monometer.store.engine import reading, snapshot, transaction
from monometer.store.pages import Page

# Gold, test codes and the like have no exponent, and are no money.
CURRENCIES = frozenset(one.code for one in iso4217.Currency if one.exponent is not None)


class UnknownCustomers(NotFound):
    """No live customer has these ids, which are as they were given."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"customer with id {ids[0]} not found")
        self.ids = ids


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDetails:
    """All of a customer that somebody else than the server decides."""

    name: str
    key: str | None = None
    description: str | None = None
    subject_keys: Collection[str] = ()
    primary_email: str | None = None
    currency: str | None = None
    billing_address: Address | None = None
    metadata: Metadata | None = None


def details_of(one: Customer) -> CustomerDetails:
    """As they are, for those who change some of them."""
    return CustomerDetails(
        name=one.name,
        key=one.key,
        description=one.description,
        subject_keys=one.subject_keys,
        primary_email=one.primary_email,
        currency=one.currency,
        billing_address=one.billing_address,
        metadata=one.metadata,
    )


class Customers:
    """The customers of all namespaces. `now` and `new_id` are the clock and the source of ULIDs."""

    def __init__(
        self, engine: AsyncEngine, *, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._now = now
        self._new_id = new_id

    async def create(self, namespace: str, details: CustomerDetails) -> Customer:
        """Also creates the subjects that it lists and nobody knows yet.

        What those subjects had entitlements to, the customer has from then on.
        Raises InvalidInput, and Conflict for a key or a subject key that is another's, or where
        two entitlements of one feature would come together.
        """
        async with transaction(self._engine) as connection:
            return await self.create_in(connection, namespace, details)

    async def create_in(
        self, connection: AsyncConnection, namespace: str, details: CustomerDetails
    ) -> Customer:
        """As `create`, in a transaction of the caller's."""
        _validate(details)
        now = self._now()
        new = Customer(
            namespace=namespace,
            id=self._new_id(),
            key=details.key,
            name=details.name,
            description=details.description,
            subject_keys=tuple(sorted(set(details.subject_keys))),
            primary_email=details.primary_email,
            currency=details.currency,
            billing_address=details.billing_address,
            metadata=details.metadata,
            annotations=None,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
        await customers.lock_owners(connection, namespace)
        await self._check(connection, new)
        await customers.create(connection, new)
        await self._create_subjects(connection, new)
        await self._take_entitlements(connection, new)
        return new

    async def update(
        self, namespace: str, id_or_key: str, details: CustomerDetails, *, keep_key: bool = False
    ) -> Customer:
        """Replaces all of the details: what is not given is cleared, but for a key to be kept.

        Raises NotFound, PreconditionFailed for a deleted customer, and as `create` does.
        """
        if not keep_key:
            _validate(details)
        async with transaction(self._engine) as connection:
            one = await self.to_change(connection, namespace, id_or_key)
            if keep_key:
                details = replace(details, key=one.key)
            return await self.update_in(connection, one, details)

    async def to_change(
        self, connection: AsyncConnection, namespace: str, id_or_key: str
    ) -> Customer:
        """Nobody else changes it, or who owns what, until the caller's transaction ends.

        Raises NotFound, PreconditionFailed for a deleted customer.
        """
        await customers.lock_owners(connection, namespace)
        return _live(await customers.find(connection, namespace, id_or_key, lock=True), id_or_key)

    async def update_in(
        self, connection: AsyncConnection, one: Customer, details: CustomerDetails
    ) -> Customer:
        """As `update`, of a customer found by `to_change` in the same transaction."""
        _validate(details)
        changed = replace(
            one,
            key=details.key,
            name=details.name,
            description=details.description,
            subject_keys=tuple(sorted(set(details.subject_keys))),
            primary_email=details.primary_email,
            currency=details.currency,
            billing_address=details.billing_address,
            metadata=details.metadata,
            updated_at=self._now(),
        )
        await self._check(connection, changed)
        await customers.update(connection, changed)
        await self._create_subjects(connection, changed)
        await self._take_entitlements(connection, changed)
        return changed

    async def delete(self, namespace: str, id_or_key: str) -> None:
        """Its key and subject keys become free, and its usage stays with its subjects.

        Raises NotFound, PreconditionFailed when it is deleted already, and Conflict while it has
        an active entitlement.
        """
        async with transaction(self._engine) as connection:
            await self.delete_in(connection, await self.to_change(connection, namespace, id_or_key))

    async def delete_in(self, connection: AsyncConnection, one: Customer) -> None:
        """As `delete`, of a customer found by `to_change` in the same transaction."""
        now, owned = self._now(), entitlements.owned_by([one.id])
        active = await entitlements.active_keys(connection, one.namespace, owned, at=now)
        if active:
            keys = ", ".join(sorted(key for key, _ in active))
            raise Conflict(f"customer {one.id} has active entitlements: {keys}")
        await customers.update(connection, replace(one, updated_at=now, deleted_at=now))

    async def customer(self, namespace: str, id_or_key: str) -> Customer:
        """By key a live customer, by id also a deleted one. Raises NotFound."""
        async with reading(self._engine) as connection:
            return _found(await customers.find(connection, namespace, id_or_key), id_or_key)

    async def live_customer(self, namespace: str, id_or_key: str) -> Customer:
        """Raises NotFound, and PreconditionFailed for a deleted customer."""
        return _live(await self.customer(namespace, id_or_key), id_or_key)

    async def customers(
        self,
        namespace: str,
        wanted: CustomerFilter,
        *,
        order_by: str = "name",
        descending: bool = False,
        offset: int = 0,
        limit: int,
    ) -> tuple[int, list[Customer]]:
        """How many there are, and `limit` of them from `offset` on, by a column of the table."""
        async with snapshot(self._engine) as connection:
            return await customers.list_(
                connection, namespace, wanted,
                order_by=order_by, descending=descending, offset=offset, limit=limit,
            )  # fmt: skip

    async def page_of_customers(
        self,
        namespace: str,
        *,
        where: Predicate,
        order_by: str = "name",
        descending: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Customer]:
        """Live customers who are as `where` says of their members, and how many there are."""
        async with snapshot(self._engine) as connection:
            return await customers.page(
                connection, namespace,
                where=where, order_by=order_by, descending=descending, offset=offset, limit=limit,
            )  # fmt: skip

    async def live_of_ids(self, namespace: str, ids: Collection[str]) -> list[Customer]:
        """The live ones among them."""
        async with reading(self._engine) as connection:
            return await customers.live_of_ids(connection, namespace, ids)

    async def owner(self, namespace: str, subject: str) -> Customer | None:
        """The live customer to whom the usage of `subject` belongs."""
        async with snapshot(self._engine) as connection:
            return await owner_of(connection, namespace, subject)

    async def owners(self, namespace: str, subjects: Collection[str]) -> dict[str, str]:
        """Subject → id of the customer to whom its usage belongs, where there is one."""
        async with reading(self._engine) as connection:
            return await customers.owners(connection, namespace, subjects)

    async def attribution(self, namespace: str, ids: Sequence[str]) -> dict[str, str]:
        """Subject → customer id, for every subject whose usage is that of one of these customers.

        Raises UnknownCustomers; a deleted customer has no usage any more, so it is unknown.
        """
        async with snapshot(self._engine) as connection:
            return await attribution_of(connection, namespace, ids)

    async def _take_entitlements(self, connection: AsyncConnection, of: Customer) -> None:
        """What its subjects had of their own is the customer's from now on.

        Raises Conflict where it has, or would have, two active ones of a feature's key.
        """
        owners = await customers.owners(connection, of.namespace, of.subjects())
        subjects = [subject for subject, owner in owners.items() if owner == of.id]
        both = entitlements.owned_by([of.id], subjects)
        active = await entitlements.active_keys(connection, of.namespace, both, at=self._now())
        known: dict[str, str] = {}
        for key, id_ in active:
            if key in known:
                raise Conflict(
                    f"customer {of.id} would have two active entitlements of feature {key}: "
                    f"{known[key]} and {id_}",
                    conflicting_id=id_,
                )
            known[key] = id_
        await entitlements.give(connection, of.namespace, subjects, of.id)

    async def _check(self, connection: AsyncConnection, wanted: Customer) -> None:
        ids = await subjects.ids_among(connection, wanted.namespace, wanted.subject_keys)
        if ids:
            raise InvalidInput(f"subject keys are ids of subjects: {', '.join(ids)}")
        conflict = await customers.conflict(connection, wanted)
        if conflict is not None:
            raise Conflict(conflict)

    async def _create_subjects(self, connection: AsyncConnection, of: Customer) -> None:
        ids = sorted(self._new_id() for _ in of.subject_keys)
        origin = json.dumps({"createdByCustomer": of.id})
        new = [
            Subject(
                namespace=of.namespace, id=id_, key=key, metadata=origin,
                created_at=of.updated_at, updated_at=of.updated_at,
            )
            for id_, key in zip(ids, of.subject_keys, strict=True)
        ]  # fmt: skip
        await subjects.create_missing(connection, new)


async def owner_of(connection: AsyncConnection, namespace: str, subject: str) -> Customer | None:
    """The live customer to whom the usage of `subject` belongs."""
    owners = await customers.owners(connection, namespace, [subject])
    if subject not in owners:
        return None
    return await customers.find(connection, namespace, owners[subject])


async def attribution_of(
    connection: AsyncConnection, namespace: str, ids: Sequence[str]
) -> dict[str, str]:
    """As Customers.attribution; the connection sees one state of the database."""
    found = await customers.live_of_ids(connection, namespace, ids)
    known = {one.id for one in found}
    unknown = [one for one in ids if one.upper() not in known]
    if unknown:
        raise UnknownCustomers(unknown)
    claimed = [subject for one in found for subject in one.subjects()]
    owners = await customers.owners(connection, namespace, claimed)
    return {subject: owner for subject, owner in owners.items() if owner in known}


def _validate(details: CustomerDetails) -> None:
    validate(details.key, details.subject_keys)
    if len(set(details.subject_keys)) > SUBJECT_KEYS_MAX:
        raise InvalidInput(f"a customer has at most {SUBJECT_KEYS_MAX} subject keys")
    if details.currency is not None and details.currency not in CURRENCIES:
        raise InvalidInput(f"invalid currency: {details.currency} is not known")


def _found(customer: Customer | None, id_or_key: str) -> Customer:
    if customer is None:
        raise NotFound(f"customer not found: {id_or_key}")
    return customer


def _live(customer: Customer | None, id_or_key: str) -> Customer:
    one = _found(customer, id_or_key)
    if one.deleted_at is not None:
        raise PreconditionFailed(f"customer is deleted: {one.id}")
    return one
