"""Keys for tests, of any namespace, on a server that asks for them."""

import secrets
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.databases import new_database
from tests.support.metering import TIMEOUT_S
from tests.support.portal import PORTAL_SECRET
from tests.support.server import running_server
from ulid import ULID

from monometer.core.access import KeyScope
from monometer.services.keys import Keys
from monometer.store import migrate
from monometer.store.engine import create_engine

HOME = "home"  # the namespace of the servers themselves
ADMIN = (KeyScope.ADMIN,)


class Guarded(NamedTuple):
    """A server that asks for keys. `admin_key` is its configured one, of namespace HOME."""

    url: str
    database_url: str
    admin_key: str
    log: Path

    def client(self, key: str | None) -> httpx.Client:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT_S)


@contextmanager
def guarded_server(database_url: str, directory: Path, **settings: str) -> Iterator[Guarded]:
    admin_key = f"test-{secrets.token_hex(16)}"
    given = {
        "auth": "required",
        "admin_key": admin_key,
        "namespace": HOME,
        "portal_token_secret": PORTAL_SECRET,
        **settings,
    }
    with running_server(database_url, directory, **given) as url:
        yield Guarded(url, database_url, admin_key, directory / "server.log")


@asynccontextmanager
async def migrated_database(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        await migrate.upgrade(url)
        yield url


async def new_key(
    database_url: str,
    namespace: str = HOME,
    scopes: Collection[KeyScope] = ADMIN,
    *,
    expires_at: datetime | None = None,
) -> str:
    """The token of a new key, made past the server as `monometer key create` makes it."""
    engine = create_engine(database_url, connections_max=1, wait_s=10, statement_timeout_s=60)
    try:
        _, token = await keys_of(engine).create_key(
            namespace, name="a test", scopes=scopes, expires_at=expires_at
        )
    finally:
        await engine.dispose()
    return token


def keys_of(engine: AsyncEngine) -> Keys:
    return Keys(engine, now=lambda: datetime.now(UTC), new_id=lambda: str(ULID()))  # noqa: TID251
