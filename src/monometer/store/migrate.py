"""Bring a database to the newest schema. Several servers may start at once."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from monometer.store.engine import translated

# Any number would do, as long as every monometer takes the same one.
_LOCK = 6_012_774_001


def _config() -> Config:
    """Migrations lie inside an installed package, and at the top of a source tree."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "migrations"
    config = Config()
    config.set_main_option(
        "script_location",
        str(installed if installed.is_dir() else package.parent.parent / "migrations"),
    )
    return config


def head() -> str | None:
    """The revision that this code expects."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def current(engine: AsyncEngine) -> str | None:
    """The revision that the database has; None for an empty one."""

    def revision(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    with translated():
        async with engine.connect() as connection:
            return await connection.run_sync(revision)


async def upgrade(database_url: str) -> None:
    """Migrate to the head, one process at a time; the others wait, and find nothing to do.

    Raises Unavailable when the database cannot be reached.
    """
    await _run(database_url, lambda config: command.upgrade(config, "head"))


async def downgrade(database_url: str, revision: str) -> None:
    """Migrate back to `revision`, or to `base`; for tests and emergencies."""
    await _run(database_url, lambda config: command.downgrade(config, revision))


async def _run(database_url: str, step: Callable[[Config], None]) -> None:
    def locked(connection: Connection) -> None:
        # Held by the session, not by a transaction: an index may be built outside of any.
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            config = _config()
            config.attributes["connection"] = connection
            step(config)
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()

    engine = create_async_engine(database_url, poolclass=NullPool)
    try:
        with translated():
            async with engine.connect() as connection:
                await connection.run_sync(locked)
    finally:
        await engine.dispose()
