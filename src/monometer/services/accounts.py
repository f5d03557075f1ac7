"""Accounts: subjects that events name by key or alias, each one a customer's.

Whose account it is is not kept beside it: the owner of the subject says so (decision 0010).
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.account import ALIASES_MAX, Account, AccountStatus, Alias
from monometer.core.customer import Customer
from monometer.core.errors import Conflict, InvalidInput, NotFound
from monometer.core.event import Json
from monometer.services.customers import CustomerDetails, Customers, details_of
from monometer.store import accounts, customers
from monometer.store.engine import snapshot, transaction
from monometer.store.pages import Page


class NewAlias(NamedTuple):
    value: str
    since: datetime | None = None
    until: datetime | None = None


class EndedAlias(NamedTuple):
    """By id; it means its account no more from an instant on."""

    id: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    key: str
    name: str
    status: AccountStatus = AccountStatus.ACTIVE
    details: Mapping[str, Json]
    aliases: Sequence[NewAlias] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPart:
    """What is to change of one; `details` replace those of the same names."""

    name: str | None = None
    status: AccountStatus | None = None
    details: Mapping[str, Json]


class Owned(NamedTuple):
    """An account and whose it is; of nobody any more, when somebody took its subject away."""

    account: Account
    customer: Customer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    engine: AsyncEngine
    customers: Customers
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def create(self, namespace: str, customer: str, new: NewAccount) -> Owned:
        """Of a customer, by key or id. Raises NotFound for it, Conflict for names, InvalidInput."""
        async with transaction(self.engine) as connection:
            owner = await self.customers.to_change(connection, namespace, customer)
            return await self._add(connection, owner, new)

    async def create_customer(
        self, namespace: str, details: CustomerDetails, new: NewAccount | None
    ) -> tuple[Customer, Owned | None]:
        """With an account of its own, or neither. Raises Conflict, InvalidInput."""
        async with transaction(self.engine) as connection:
            customer = await self.customers.create_in(connection, namespace, details)
            if new is None:
                return customer, None
            owned = await self._add(connection, customer, new)
            return owned.customer or customer, owned

    async def delete_customer(self, namespace: str, id_or_key: str) -> None:
        """Archives its accounts too. Raises NotFound, Conflict while it has entitlements."""
        async with transaction(self.engine) as connection:
            one = await self.customers.to_change(connection, namespace, id_or_key)
            found = await accounts.of_keys(connection, namespace, one.subjects())
            await self.customers.delete_in(connection, one)
            for each in found.values():
                await accounts.change(connection, self._archived(each))

    async def get(self, namespace: str, key: str) -> Owned:
        """Raises NotFound, also for a deleted one."""
        async with snapshot(self.engine) as connection:
            return await self._owned(connection, await _found(connection, namespace, key))

    async def names(self, namespace: str, keys: Collection[str]) -> dict[str, str]:
        """Key → name, of those that there are."""
        async with snapshot(self.engine) as connection:
            found = await accounts.of_keys(connection, namespace, keys)
        return {key: one.name for key, one in found.items()}

    async def page(self, namespace: str, *, offset: int, limit: int) -> Page[Owned]:
        """Last updated first."""
        async with snapshot(self.engine) as connection:
            found = await accounts.page(connection, namespace, offset=offset, limit=limit)
            keys = [one.key for one in found.items]
            owners = await customers.owners(connection, namespace, keys)
            live = await customers.live_of_ids(connection, namespace, set(owners.values()))
        by_id = {one.id: one for one in live}
        items = [Owned(one, by_id.get(owners.get(one.key, ""))) for one in found.items]
        return Page(items, found.total)

    async def update(self, namespace: str, key: str, part: AccountPart) -> Owned:
        """Raises NotFound."""
        async with self._changing(namespace) as connection:
            one = await _found(connection, namespace, key)
            changed = replace(
                one,
                name=part.name or one.name,
                status=part.status or one.status,
                details={**one.details, **part.details},
                updated_at=self.now(),
            )
            await accounts.change(connection, changed)
            return await self._owned(connection, changed)

    async def delete(self, namespace: str, key: str) -> None:
        """What it has used stays its customer's. Raises NotFound."""
        async with self._changing(namespace) as connection:
            one = await _found(connection, namespace, key)
            await accounts.change(connection, self._archived(one))

    async def add_aliases(self, namespace: str, key: str, new: Sequence[NewAlias]) -> Owned:
        """Raises NotFound, Conflict for one that means another account, InvalidInput."""
        async with self._changing(namespace) as connection:
            one = await _found(connection, namespace, key)
            aliases = self._aliases(new)
            await _refuse_taken(connection, one, aliases)
            changed = replace(one, aliases=(*one.aliases, *aliases), updated_at=self.now())
            _check_count(changed)
            await accounts.change(connection, changed)
            await accounts.add_aliases(connection, one, aliases)
            return await self._owned(connection, changed)

    async def remove_aliases(
        self, namespace: str, key: str, values: Collection[str], ended: Collection[EndedAlias]
    ) -> Owned:
        """Some altogether, by what they say; others from an instant on. Raises NotFound."""
        async with self._changing(namespace) as connection:
            one = await _found(connection, namespace, key)
            ends = {each.id: each.until for each in ended}
            known = {each.value for each in one.aliases} | {each.id for each in one.aliases}
            for name in (*values, *ends):
                if name not in known:
                    raise NotFound(f"alias not found: {name}")
            gone = [each.id for each in one.aliases if each.value in values]
            await accounts.remove_aliases(connection, gone)
            kept = tuple(
                replace(each, until=ends[each.id]) if each.id in ends else each
                for each in one.aliases
                if each.id not in gone
            )
            for each in kept:
                if each.id in ends:
                    await accounts.end_alias(connection, each)
            changed = replace(one, aliases=kept, updated_at=self.now())
            await accounts.change(connection, changed)
            return await self._owned(connection, changed)

    @asynccontextmanager
    async def _changing(self, namespace: str) -> AsyncIterator[AsyncConnection]:
        """A transaction in which nobody else decides who owns what, or is called what."""
        async with transaction(self.engine) as connection:
            await customers.lock_owners(connection, namespace)
            yield connection

    async def _add(self, connection: AsyncConnection, owner: Customer, new: NewAccount) -> Owned:
        now = self.now()
        account = Account(
            namespace=owner.namespace,
            id=self.new_id(),
            key=new.key,
            name=new.name,
            status=new.status,
            details=new.details,
            aliases=self._aliases(new.aliases),
            created_at=now,
            updated_at=now,
        )
        _check_count(account)
        if await accounts.of_keys(connection, owner.namespace, [new.key]):
            raise Conflict(f"account already exists: {new.key}")
        owners = await customers.owners(connection, owner.namespace, [new.key])
        if owners.get(new.key, owner.id) != owner.id:
            raise Conflict(f"account id is taken by another customer: {new.key}")
        if await accounts.of_aliases(connection, owner.namespace, [new.key]):
            raise Conflict(f"account id is an alias of another account: {new.key}")
        await _refuse_taken(connection, account, account.aliases)
        if new.key not in owner.subject_keys:
            details = details_of(owner)
            keys = (*owner.subject_keys, new.key)
            owner = await self.customers.update_in(
                connection, owner, replace(details, subject_keys=keys)
            )
        await accounts.add(connection, account)
        return Owned(account, owner)

    async def _owned(self, connection: AsyncConnection, one: Account) -> Owned:
        owners = await customers.owners(connection, one.namespace, [one.key])
        found = await customers.live_of_ids(connection, one.namespace, owners.values())
        return Owned(one, found[0] if found else None)

    def _archived(self, one: Account) -> Account:
        return replace(one, status=AccountStatus.ARCHIVED, aliases=(), updated_at=self.now())

    def _aliases(self, new: Sequence[NewAlias]) -> tuple[Alias, ...]:
        """Raises InvalidInput for one that would never mean anything."""
        ids, now = sorted(self.new_id() for _ in new), self.now()
        for one in new:
            if one.since is not None and one.until is not None and one.since >= one.until:
                raise InvalidInput(f"alias {one.value} ends before it begins")
        return tuple(
            Alias(id=id_, value=one.value, since=one.since, until=one.until, created_at=now)
            for id_, one in zip(ids, new, strict=True)
        )


async def subjects_of(
    connection: AsyncConnection, namespace: str, named: Collection[tuple[str, datetime]]
) -> dict[tuple[str, datetime], str]:
    """Whose events of these accounts and times are: the subject of each that there is.

    An account is named by id, else by an alias of that time, and must be active. Whom a customer of
    another API calls their own needs no account.
    """
    names = {name for name, _ in named}
    by_key = await accounts.of_keys(connection, namespace, names)
    by_alias = await accounts.of_aliases(connection, namespace, names - by_key.keys())
    owned = await customers.owners(connection, namespace, names - by_key.keys() - by_alias.keys())
    found: dict[tuple[str, datetime], str] = {}
    for name, at in named:
        one = by_key.get(name)
        if one is None:
            covering = (of for alias, of in by_alias.get(name, ()) if alias.covers(at))
            one = next(covering, None)
        if one is not None and one.status is AccountStatus.ACTIVE:
            found[name, at] = one.key
        elif one is None and name in owned:
            found[name, at] = name
    return found


async def _found(connection: AsyncConnection, namespace: str, key: str) -> Account:
    found = await accounts.of_keys(connection, namespace, [key])
    if key not in found:
        raise NotFound(f"account not found: {key}")
    return found[key]


def _check_count(one: Account) -> None:
    if len(one.aliases) > ALIASES_MAX:
        raise InvalidInput(f"an account has at most {ALIASES_MAX} aliases")


async def _refuse_taken(connection: AsyncConnection, one: Account, new: Sequence[Alias]) -> None:
    """Raises Conflict for an alias that means an account already, at a time that is the same."""
    values = [each.value for each in new]
    for key in await accounts.of_keys(connection, one.namespace, values):
        raise Conflict(f"alias is the id of an account: {key}")
    known = await accounts.of_aliases(connection, one.namespace, values)
    for at, each in enumerate(new):
        others = [alias for alias, _ in known.get(each.value, ())]
        others += [other for other in new[:at] if other.value == each.value]
        if each.value == one.key or any(map(each.overlaps, others)):
            raise Conflict(f"alias is taken: {each.value}")
