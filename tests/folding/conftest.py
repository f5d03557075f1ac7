"""A database whose meters are those of the test alone, since a folder looks at all of them."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.databases import new_database

from monometer.store import migrate
from monometer.store.engine import create_engine, transaction


@pytest.fixture(scope="module")
async def own_engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    async with new_database(postgres_url) as url:
        await migrate.upgrade(url)
        pool = create_engine(url, connections_max=10, wait_s=10, statement_timeout_s=60)
        yield pool
        await pool.dispose()


@pytest.fixture
async def own(own_engine: AsyncEngine) -> AsyncEngine:
    """A pool on that database, empty."""
    async with transaction(own_engine) as connection:
        await connection.execute(
            text(
                "TRUNCATE event, meter, cohort, projection, hourly_by_group, hourly_by_subject"
                " CASCADE"
            )
        )
    return own_engine
