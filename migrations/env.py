"""Alembic's entry. The connection comes from `monometer.store.migrate`, which holds the lock.

For `alembic revision --autogenerate` there is none; then MONOMETER_DATABASE_URL names a database.
"""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from monometer.store.tables import metadata

LOCK_TIMEOUT = "4s"
STATEMENT_TIMEOUT = "5s"


def run(connection: Connection) -> None:
    """Short timeouts by default: a migration that must wait gives way to the traffic."""
    context.configure(
        connection=connection, target_metadata=metadata, transaction_per_migration=True
    )
    with context.begin_transaction():
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
        context.run_migrations()


async def run_on_named_database() -> None:
    engine = create_async_engine(os.environ["MONOMETER_DATABASE_URL"])  # noqa: TID251 - a developer's tool
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_on_named_database())
else:
    run(given)
