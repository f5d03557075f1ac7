"""Databases for tests: as many as wanted on one server, each new and dropped afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


@asynccontextmanager
async def new_database(postgres_url: str) -> AsyncIterator[str]:
    """URL of an empty database on the server of `postgres_url`; dropped at the end, in use or not.

    The text is compared by code point inside, whatever the server's locale, as in production.
    """
    name = f"monometer_test_{uuid4().hex}"
    await _execute(postgres_url, f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
    url = make_url(postgres_url).set(database=name)
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        await _execute(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _execute(url: str, statement: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()
