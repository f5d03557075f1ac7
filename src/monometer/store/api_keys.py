"""API keys as rows."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, Row, any_, exists, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.access import ApiKey, KeyScope
from monometer.store.tables import TEXT, api_key

LIST_MAX = 1_000


async def create(connection: AsyncConnection, new: ApiKey) -> None:
    row = {column.name: getattr(new, column.name) for column in api_key.c}
    row["scopes"] = [scope.value for scope in KeyScope if scope in new.scopes]
    await connection.execute(insert(api_key).values(**row))


async def revoke(connection: AsyncConnection, id_: str, at: datetime) -> None:
    await connection.execute(update(api_key).where(api_key.c.id == id_).values(revoked_at=at))


async def find(
    connection: AsyncConnection, namespace: str | None, id_: str, *, lock: bool = False
) -> ApiKey | None:
    """The key of that id in either case, revoked or not, of a namespace, or of any for None.

    `lock` keeps others from changing it until the transaction ends.
    """
    statement = select(api_key).where(api_key.c.id == id_.upper())
    if namespace is not None:
        statement = statement.where(api_key.c.namespace == namespace)
    if lock:
        statement = statement.with_for_update()
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _key_from_row(row)


async def list_(
    connection: AsyncConnection, namespace: str | None, *, include_revoked: bool = False
) -> list[ApiKey]:
    """At most LIST_MAX keys of one namespace, or of all for None, the newest first."""
    statement = select(api_key).order_by(api_key.c.id.desc()).limit(LIST_MAX)
    if namespace is not None:
        statement = statement.where(api_key.c.namespace == namespace)
    if not include_revoked:
        statement = statement.where(api_key.c.revoked_at.is_(None))
    return [_key_from_row(row) for row in await connection.execute(statement)]


async def of_hashes(connection: AsyncConnection, hashes: Collection[bytes]) -> list[ApiKey]:
    """The keys of any namespace that are not revoked."""
    rows = await connection.execute(
        select(api_key).where(
            api_key.c.hash == any_(literal(list(hashes), ARRAY(BYTEA))),
            api_key.c.revoked_at.is_(None),
        )
    )
    return [_key_from_row(row) for row in rows]


async def note_use(
    connection: AsyncConnection, ids: Collection[str], at: datetime, *, unless_within: timedelta
) -> None:
    """Set when keys were last used, but for those of which that is known closely enough."""
    used = api_key.c.last_used_at
    await connection.execute(
        update(api_key)
        .where(
            api_key.c.id == any_(literal(list(ids), ARRAY(TEXT))),
            or_(used.is_(None), used < at - unless_within),
        )
        .values(last_used_at=at)
    )


async def any_usable(connection: AsyncConnection, at: datetime) -> bool:
    usable = api_key.c.revoked_at.is_(None) & or_(
        api_key.c.expires_at.is_(None), api_key.c.expires_at > at
    )
    return bool(await connection.scalar(select(exists().where(usable))))


def _key_from_row(row: Row[Any]) -> ApiKey:
    values = dict(row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
    # One that a newer version knows opens nothing here.
    known = frozenset(KeyScope)
    values["scopes"] = frozenset(KeyScope(scope) for scope in row.scopes if scope in known)
    return ApiKey(**values)
