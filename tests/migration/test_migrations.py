"""Migrations lead from nothing to the tables of the code, and back, whoever runs them."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.databases import new_database

from monometer.store import migrate
from monometer.store.tables import metadata


@pytest.fixture
async def empty_url(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[AsyncEngine]:
    """A pool on the database of `empty_url`."""
    engine = create_async_engine(empty_url, poolclass=NullPool)
    yield engine
    await engine.dispose()


async def tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def differences(engine: AsyncEngine) -> list[object]:
    """What Alembic would put into a new migration."""

    def compare(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(
            compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        )

    async with engine.connect() as connection:
        return await connection.run_sync(compare)


async def test_an_empty_database_goes_to_the_head_and_back(
    empty: AsyncEngine, empty_url: str
) -> None:
    ours = set(metadata.tables)
    assert await migrate.current(empty) is None

    await migrate.upgrade(empty_url)
    assert await migrate.current(empty) == migrate.head()
    assert await tables(empty) == {*ours, "alembic_version"}

    await migrate.downgrade(empty_url, "base")
    assert await migrate.current(empty) is None
    assert await tables(empty) == {"alembic_version"}

    await migrate.upgrade(empty_url)
    assert await tables(empty) == {*ours, "alembic_version"}


async def test_upgrading_again_changes_nothing(empty: AsyncEngine, empty_url: str) -> None:
    await migrate.upgrade(empty_url)
    await migrate.upgrade(empty_url)
    assert await migrate.current(empty) == migrate.head()


async def test_the_tables_are_those_of_the_code(empty: AsyncEngine, empty_url: str) -> None:
    assert await differences(empty) != []  # it does see a difference where there is one
    await migrate.upgrade(empty_url)
    assert await differences(empty) == []


async def test_every_constraint_has_the_name_and_the_text_of_the_code(
    empty_url: str, postgres_url: str, empty: AsyncEngine
) -> None:
    """Alembic compares no checks and no collations: PostgreSQL's own catalogue does."""
    await migrate.upgrade(empty_url)
    async with new_database(postgres_url) as other_url:
        other = create_async_engine(other_url, poolclass=NullPool)
        async with other.begin() as connection:
            await connection.run_sync(metadata.create_all)
        assert await catalogue(empty) == await catalogue(other)


_CATALOGUE = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid::regclass::text <> 'alembic_version' AND connamespace = 'public'::regnamespace
UNION ALL
SELECT tablename, indexname, indexdef FROM pg_indexes
WHERE schemaname = 'public' AND tablename <> 'alembic_version'
UNION ALL
SELECT table_name, column_name,
       concat_ws(' ', data_type, is_nullable, collation_name, column_default)
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'alembic_version'
ORDER BY 1, 2, 3
"""


async def catalogue(engine: AsyncEngine) -> list[tuple[str, ...]]:
    async with engine.connect() as connection:
        result = await connection.exec_driver_sql(_CATALOGUE)
        return [tuple(row) for row in result]


# A server's first step, held back until all of them are there.
_MIGRATE = """
import asyncio, sys
from monometer.store import migrate
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(migrate.upgrade(sys.argv[1]))
"""


async def test_servers_that_start_together_migrate_once(empty: AsyncEngine, empty_url: str) -> None:
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _MIGRATE, empty_url, stdin=pipe, stdout=pipe, stderr=pipe
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ended = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0] * 4, ended
    assert await migrate.current(empty) == migrate.head()
    assert await differences(empty) == []


async def test_an_upgrade_waits_for_the_one_that_runs(empty: AsyncEngine, empty_url: str) -> None:
    async with empty.connect() as other:
        await other.execute(select(func.pg_advisory_lock(migrate._LOCK)))
        upgrade = asyncio.create_task(migrate.upgrade(empty_url))
        _, waiting = await asyncio.wait([upgrade], timeout=1)
        assert waiting == {upgrade}
        assert await tables(empty) == set()
        await other.execute(select(func.pg_advisory_unlock(migrate._LOCK)))
        await upgrade
    assert await migrate.current(empty) == migrate.head()
