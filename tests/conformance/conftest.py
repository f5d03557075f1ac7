"""Every event store there is; each test of this folder runs over all of them."""

import pytest
from tests.support.memory_store import MemoryEventStore

from monometer.store.event_store import EventStore
from monometer.store.postgres_events import PostgresEventStore


@pytest.fixture(params=["memory", "postgresql"])
def store(request: pytest.FixtureRequest, event_store: PostgresEventStore) -> EventStore:
    return event_store if request.param == "postgresql" else MemoryEventStore()
