"""Events for tests, with everything that does not matter filled in."""

from datetime import UTC, datetime
from uuid import uuid4

from monometer.core.event import Event, StoredEvent

NOON = datetime(2024, 6, 15, 12, tzinfo=UTC)


def event(
    namespace: str = "ns",
    *,
    id: str | None = None,  # noqa: A002 - the event's own name for it
    source: str = "test",
    type: str = "call",  # noqa: A002 - same
    subject: str = "ann",
    time: datetime = NOON,
    data: str | None = "{}",
    ingested_at: datetime = NOON,
) -> Event:
    """An event with a new id unless one is given."""
    return Event(
        namespace=namespace,
        id=uuid4().hex if id is None else id,
        source=source,
        type=type,
        subject=subject,
        time=time,
        data=data,
        ingested_at=ingested_at,
    )


def stored(one: Event, stored_at: datetime = NOON) -> StoredEvent:
    return StoredEvent(one, stored_at)
