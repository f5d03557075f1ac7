"""A connection may be left inside a transaction: a BEGIN was given up, and done all the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.conformance.asking import listed
from tests.support.events import event

from monometer.core.errors import Unavailable
from monometer.store import postgres_events
from monometer.store.engine import create_engine, driver_connection
from monometer.store.postgres_events import PostgresEventStore

if TYPE_CHECKING:
    import asyncpg


@pytest.fixture
async def lone(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A pool of one connection, which everyone gets in turn."""
    pool = create_engine(database_url, connections_max=1, wait_s=10, statement_timeout_s=10)
    yield pool
    await pool.dispose()


async def test_nobody_is_handed_a_connection_inside_a_transaction(
    lone: AsyncEngine, event_store: PostgresEventStore, namespace: str
) -> None:
    async with driver_connection(lone) as driver:
        await driver.execute("BEGIN")
    one = event(namespace)
    assert await PostgresEventStore(lone).append([one]) == [True]
    assert await listed(event_store, namespace) == [one]


@pytest.mark.parametrize("repeated", [False, True], ids=["COPY", "INSERT"])
async def test_what_is_not_committed_is_not_acknowledged(
    lone: AsyncEngine, namespace: str, monkeypatch: pytest.MonkeyPatch, *, repeated: bool
) -> None:
    """The BEGIN is carried out only when the connection has been handed on already."""

    @asynccontextmanager
    async def begun(engine: AsyncEngine) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        async with driver_connection(engine) as driver:
            await driver.execute("BEGIN")
            yield driver

    store = PostgresEventStore(lone)
    one = event(namespace)
    if repeated:
        assert await store.append([one]) == [True]
        monkeypatch.setattr(postgres_events, "LOOK_UPS", 0)
        store = PostgresEventStore(lone)  # it has not met the event
    monkeypatch.setattr(postgres_events, "driver_connection", begun)
    with pytest.raises(Unavailable):
        await store.append([one, event(namespace)])
    monkeypatch.undo()
    told = await store.append([one])
    assert told == [not repeated]
