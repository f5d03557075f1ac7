"""What is asked of a store of events. One conformance suite runs over every implementation."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from monometer.core.event import Event, StoredEvent
from monometer.core.expression import EVERYTHING, Expression, Predicate
from monometer.core.usage import UsageQuery, UsageRow

EventOrder: TypeAlias = Literal["time", "ingested_at", "stored_at"]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of events ended: the next one starts strictly after it in the list's order.

    `at` is the event's own in that order: its time, unless the list is by another instant.
    """

    at: datetime
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """At most `limit` events of a namespace in the order told, those after `after` only.

    `offset` passes over as many of them, for those who count pages instead.
    """

    namespace: str
    where: Predicate = EVERYTHING
    limit: int
    order_by: EventOrder = "time"
    descending: bool = True
    after: Position | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SeenType:
    """An event type with how many events it has, and the first and the last time of any."""

    name: str
    events: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """`cells` names the kind of cells that were used, None when every event was read itself.

    `cells_read` and `events_read` count rows that were looked at, taken or not.
    """

    cells: str | None
    cells_read: int
    events_read: int
    milliseconds: float


class EventStore(Protocol):
    async def append(self, events: Sequence[Event]) -> list[bool]:
        """Store what is new, all in one transaction, and tell for each event whether it was new.

        Durable, and deduplicated by (namespace, source, id), on return: of equal keys the first
        one ever stored stays, also within `events`. The order of events is otherwise irrelevant.
        Raises InvalidInput when an event cannot be kept, Unavailable; then nothing was stored.
        """

    def usage(
        self, query: UsageQuery, *, rows_max: int
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[UsageRow]]]:
        """The rows of `core.reference.run(query, stored events)`, in its order, in batches.

        No batch is empty, or larger than what fits into memory with ease.
        Raises InvalidInput for an answer of more than `rows_max` rows, before the first row;
        Unavailable.
        """

    async def list_events(self, page: EventPage) -> list[StoredEvent]:
        """By the page's instant, then key, both in its direction: stable while others append."""

    async def count_events(self, namespace: str, where: Predicate) -> int:
        """How many events `list_events` could list."""

    async def find_events(self, namespace: str, keys: Collection[bytes]) -> list[StoredEvent]:
        """The events of these keys, in no order."""

    async def types(self, namespace: str, where: Predicate, *, types_max: int) -> list[SeenType]:
        """The types of the events that `where` takes, by name.

        Raises InvalidInput for more than `types_max`.
        """

    async def distinct(
        self, namespace: str, of: Expression, where: Predicate, *, values_max: int
    ) -> list[str]:
        """The distinct texts of `of` over the events that `where` takes, ascending; None is none.

        Raises InvalidInput for more than `values_max`.
        """


class ExplainingEventStore(EventStore, Protocol):
    """One that can say what it read."""

    async def explain(self, query: UsageQuery, *, rows_max: int) -> Reading:
        """Runs the query, and answers what was read for it instead of the rows."""
