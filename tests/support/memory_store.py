"""The event store's twin: a dict, and the reference fold. What it says is what every store says."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import gt, lt

from monometer.core import reference
from monometer.core.errors import InvalidInput
from monometer.core.evaluation import evaluate, facts_of, holds
from monometer.core.event import Event, Json, StoredEvent, event_key, parse_json
from monometer.core.expression import Expression, Predicate
from monometer.core.usage import UsageQuery, UsageRow
from monometer.store.event_store import EventOrder, EventPage, SeenType

BATCH_ROWS = 3  # few, so that short answers have several


class MemoryEventStore:
    """An EventStore in memory.

    Its clock moves by a second with every append. Like PostgreSQL it refuses a NUL or a lone
    surrogate in any text, and keeps data as values: of equal keys the last, spacing is lost.
    """

    def __init__(self) -> None:
        self._events: dict[tuple[str, bytes], StoredEvent] = {}
        self._clock = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=i) for i in count())

    async def append(self, events: Sequence[Event]) -> list[bool]:
        for one in events:
            _refuse_what_cannot_be_kept(one)
        stored_at = next(self._clock)
        new = []
        for one in events:
            key = (one.namespace, event_key(one.source, one.id))
            new.append(key not in self._events)
            self._events.setdefault(key, StoredEvent(one, stored_at))
        return new

    @asynccontextmanager
    async def usage(
        self, query: UsageQuery, *, rows_max: int
    ) -> AsyncIterator[AsyncIterator[Sequence[UsageRow]]]:
        rows = reference.run(query, self._events.values())
        if len(rows) > rows_max:
            raise InvalidInput(f"the answer has more than {rows_max} rows")

        async def batches() -> AsyncIterator[Sequence[UsageRow]]:
            for start in range(0, len(rows), BATCH_ROWS):
                yield rows[start : start + BATCH_ROWS]

        yield batches()

    async def list_events(self, page: EventPage) -> list[StoredEvent]:
        taken = [
            (_instant(stored, page.order_by), key, stored)
            for (namespace, key), stored in self._events.items()
            if namespace == page.namespace and holds(page.where, facts_of(stored))
        ]
        if page.after is not None:
            after = (page.after.at, page.after.key)
            beyond = lt if page.descending else gt
            taken = [one for one in taken if beyond(one[:2], after)]
        taken.sort(key=lambda one: one[:2], reverse=page.descending)
        return [stored for _, _, stored in taken[page.offset :][: page.limit]]

    async def count_events(self, namespace: str, where: Predicate) -> int:
        return len(self._taken(namespace, where))

    async def find_events(self, namespace: str, keys: Collection[bytes]) -> list[StoredEvent]:
        return [self._events[namespace, key] for key in keys if (namespace, key) in self._events]

    async def types(self, namespace: str, where: Predicate, *, types_max: int) -> list[SeenType]:
        times: dict[str, list[datetime]] = {}
        for stored in self._taken(namespace, where):
            times.setdefault(stored.event.type, []).append(stored.event.time)
        if len(times) > types_max:
            raise InvalidInput(f"there are more than {types_max} event types")
        return [
            SeenType(name, len(seen), min(seen), max(seen)) for name, seen in sorted(times.items())
        ]

    def _taken(self, namespace: str, where: Predicate) -> list[StoredEvent]:
        return [
            stored
            for (owner, _), stored in self._events.items()
            if owner == namespace and holds(where, facts_of(stored))
        ]

    async def distinct(
        self, namespace: str, of: Expression, where: Predicate, *, values_max: int
    ) -> list[str]:
        facts = [
            facts_of(stored) for (owner, _), stored in self._events.items() if owner == namespace
        ]
        found = {evaluate(of, one) for one in facts if holds(where, one)}
        values = sorted(value for value in found if isinstance(value, str))
        if len(values) > values_max:
            raise InvalidInput(f"there are more than {values_max} values")
        return values


def _instant(stored: StoredEvent, order: EventOrder) -> datetime:
    instants = {
        "time": stored.event.time,
        "ingested_at": stored.event.ingested_at,
        "stored_at": stored.stored_at,
    }
    return instants[order]


def _refuse_what_cannot_be_kept(one: Event) -> None:
    data = None if one.data is None else parse_json(one.data)
    texts = [one.namespace, one.id, one.source, one.type, one.subject, *_texts(data)]
    if any("\0" in text or not _is_unicode(text) for text in texts):
        raise InvalidInput("a value cannot be stored")


def _texts(data: Json) -> Iterator[str]:
    match data:
        case str():
            yield data
        case list():
            for element in data:
                yield from _texts(element)
        case dict():
            yield from data
            for member in data.values():
                yield from _texts(member)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
