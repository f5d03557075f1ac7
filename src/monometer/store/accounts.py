"""Accounts and their aliases as rows."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.account import Account, AccountStatus, Alias
from monometer.store.among import any_of
from monometer.store.pages import Page, page_of
from monometer.store.tables import account, account_alias

_KEPT, _ALIAS = account.c, account_alias.c
_LIVE = _KEPT.status != AccountStatus.ARCHIVED.value


async def add(connection: AsyncConnection, new: Account) -> None:
    """Whoever holds the lock on owners may call it, with a key and aliases that nobody has."""
    await connection.execute(insert(account).values(**_row(new)))
    await add_aliases(connection, new, new.aliases)


async def change(connection: AsyncConnection, changed: Account) -> None:
    """All but its aliases; of an archived one those are gone."""
    await connection.execute(update(account).where(_KEPT.id == changed.id).values(**_row(changed)))
    if changed.status is AccountStatus.ARCHIVED:
        await connection.execute(delete(account_alias).where(_ALIAS.account_id == changed.id))


async def add_aliases(connection: AsyncConnection, to: Account, new: Sequence[Alias]) -> None:
    rows = [
        {
            "id": one.id, "namespace": to.namespace, "account_id": to.id, "value": one.value,
            "since": one.since, "until": one.until, "created_at": one.created_at,
        }
        for one in new
    ]  # fmt: skip
    if rows:
        await connection.execute(insert(account_alias), rows)


async def end_alias(connection: AsyncConnection, ended: Alias) -> None:
    statement = update(account_alias).where(_ALIAS.id == ended.id)
    await connection.execute(statement.values(until=ended.until))


async def remove_aliases(connection: AsyncConnection, ids: Collection[str]) -> None:
    await connection.execute(delete(account_alias).where(_ALIAS.id == any_of(ids)))


async def of_keys(
    connection: AsyncConnection, namespace: str, keys: Collection[str]
) -> dict[str, Account]:
    """The live ones by key."""
    found = select(account).where(_KEPT.namespace == namespace, _LIVE, _KEPT.key == any_of(keys))
    return {one.key: one for one in await _whole(connection, await connection.execute(found))}


async def of_aliases(
    connection: AsyncConnection, namespace: str, values: Collection[str]
) -> dict[str, list[tuple[Alias, Account]]]:
    """Live ones by what they are also called, each with the alias that says so."""
    named = (
        select(account)
        .join(account_alias, _ALIAS.account_id == _KEPT.id)
        .where(_ALIAS.namespace == namespace, _ALIAS.value == any_of(values))
        .distinct()
    )
    by_value: defaultdict[str, list[tuple[Alias, Account]]] = defaultdict(list)
    for one in await _whole(connection, await connection.execute(named)):
        for alias in one.aliases:
            if alias.value in values:
                by_value[alias.value].append((alias, one))
    return dict(by_value)


async def page(
    connection: AsyncConnection, namespace: str, *, offset: int, limit: int
) -> Page[Account]:
    """Live ones, last updated first."""
    statement = (
        select(account)
        .where(_KEPT.namespace == namespace, _LIVE)
        .order_by(_KEPT.updated_at.desc(), _KEPT.id.desc())
    )
    rows = await page_of(connection, statement, _same, offset=offset, limit=limit)
    return Page(await _whole(connection, rows.items), rows.total)


def _same(row: Row[Any]) -> Row[Any]:
    return row


async def _whole(connection: AsyncConnection, rows: Any) -> list[Account]:
    """The accounts of these rows, with their aliases in the order in which they came."""
    found = list(rows)
    aliases: defaultdict[str, list[Alias]] = defaultdict(list)
    if found:
        of = select(account_alias).where(_ALIAS.account_id == any_of([row.id for row in found]))
        for row in await connection.execute(of.order_by(_ALIAS.id)):
            aliases[row.account_id].append(_alias(row))
    return [_account(row, aliases) for row in found]


def _row(one: Account) -> dict[str, Any]:
    row = {column.name: getattr(one, column.name) for column in account.c}
    return {**row, "status": one.status.value, "details": dict(one.details)}


def _account(row: Row[Any], aliases: Mapping[str, Sequence[Alias]]) -> Account:
    values = dict(row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
    of = {"status": AccountStatus(row.status), "aliases": tuple(aliases.get(row.id, ()))}
    return Account(**{**values, **of})


def _alias(row: Row[Any]) -> Alias:
    return Alias(
        id=row.id, value=row.value, since=row.since, until=row.until, created_at=row.created_at
    )
