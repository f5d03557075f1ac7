"""Every event store there is; each test of this folder runs over all of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.folding import fold_all
from tests.support.memory_store import MemoryEventStore

from monometer.core.usage import UsageQuery, UsageRow
from monometer.store.event_store import EventStore
from monometer.store.postgres_events import PostgresEventStore


class FoldedEventStore(PostgresEventStore):
    """Folds all it has before it answers, so that answers come from cells wherever they can."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._folded = engine

    @asynccontextmanager
    async def usage(
        self, query: UsageQuery, *, rows_max: int
    ) -> AsyncIterator[AsyncIterator[Sequence[UsageRow]]]:
        await fold_all(self._folded, query.namespace, query.measure)
        async with super().usage(query, rows_max=rows_max) as found:
            yield found


@pytest.fixture(params=["memory", "postgresql", "postgresql-folded"])
def store(
    request: pytest.FixtureRequest, engine: AsyncEngine, event_store: PostgresEventStore
) -> EventStore:
    if request.param == "memory":
        return MemoryEventStore()
    return event_store if request.param == "postgresql" else FoldedEventStore(engine)
