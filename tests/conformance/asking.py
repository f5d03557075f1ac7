"""Short ways to ask an event store."""

from monometer.core.event import Event
from monometer.core.usage import UsageQuery, UsageRow
from monometer.store.event_store import EventPage, EventStore, Position


async def listed(
    store: EventStore, namespace: str, *, limit: int = 1_000, after: Position | None = None
) -> list[Event]:
    page = EventPage(namespace=namespace, limit=limit, after=after)
    return [stored.event for stored in await store.list_events(page)]


async def rows(store: EventStore, query: UsageQuery, *, rows_max: int = 1_000) -> list[UsageRow]:
    async with store.usage(query, rows_max=rows_max) as batches:
        return [row async for batch in batches for row in batch]
