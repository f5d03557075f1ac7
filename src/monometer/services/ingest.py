"""Group commit: concurrent requests share one transaction, and each is answered after it.

A flusher takes what queued up while its last flush ran, so nothing waits longer than the flush in
flight, and the busier the server is the more events share a commit. A second one helps when so
many wait that a flush of their own pays: then one decodes while the database works for the other.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import structlog

from monometer.core.errors import InvalidInput, Overloaded

log = structlog.get_logger()

RETRY_AFTER_S = 1
SECOND_FLUSH_EVENTS = 32


One = TypeVar("One")
Told = TypeVar("Told")


class _Request(NamedTuple, Generic[One, Told]):
    events: Sequence[One]
    size_bytes: int
    stored: "asyncio.Future[Sequence[Told]]"


@dataclass(slots=True)
class _Flusher:
    """Flushes when at least `worth` events wait."""

    worth: int
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None


class Ingestor(Generic[One, Told]):
    """A bounded queue before a store. Start it, and stop it: stopping flushes the queue.

    `append` stores events, all or none of them, and tells of each what became of it; whether it was
    new, say. `flushed(seconds)` is told how long each flush took.
    """

    def __init__(
        self,
        append: Callable[[Sequence[One]], Awaitable[Sequence[Told]]],
        *,
        queue_events_max: int,
        queue_bytes_max: int,
        flush_events_max: int,
        flushed: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._append = append
        self._queue_events_max = queue_events_max
        self._queue_bytes_max = queue_bytes_max
        self._flush_events_max = flush_events_max
        self._flushed = flushed
        self._queue: deque[_Request[One, Told]] = deque()
        self._waiting = 0
        self._events = 0
        self._bytes = 0
        self._stopping = False
        self._flushers = (_Flusher(worth=1), _Flusher(worth=SECOND_FLUSH_EVENTS))

    @property
    def queued_events(self) -> int:
        return self._events

    def start(self) -> None:
        for one in self._flushers:
            one.task = asyncio.create_task(self._run(one), name="ingest-flusher")

    async def stop(self) -> None:
        """Flush what was accepted, refuse the rest."""
        self._stopping = True
        for one in self._flushers:
            one.wake.set()
        await asyncio.gather(*(one.task for one in self._flushers if one.task is not None))

    async def ingest(self, events: Sequence[One], size_bytes: int) -> Sequence[Told]:
        """Store the events of one request; returns what became of each.

        Raises Overloaded when the queue is full, InvalidInput when the store cannot keep an event
        of this request; then none of them was stored. Raises Unavailable: then they may have been,
        since a connection can be lost between a commit and the word of it.
        """
        if not events:
            return []
        if self._stopping:
            raise Overloaded("the server is stopping", retry_after_s=RETRY_AFTER_S)
        if (
            self._events + len(events) > self._queue_events_max
            or self._bytes + size_bytes > self._queue_bytes_max
        ):
            raise Overloaded(
                "too many events are waiting to be stored", retry_after_s=RETRY_AFTER_S
            )
        request: _Request[One, Told] = _Request(
            events, size_bytes, asyncio.get_running_loop().create_future()
        )
        self._queue.append(request)
        self._waiting += len(events)
        self._events += len(events)
        self._bytes += size_bytes
        for one in self._flushers:
            if self._waiting >= one.worth:
                one.wake.set()
        return await request.stored

    async def _run(self, flusher: "_Flusher") -> None:
        while self._waiting >= flusher.worth or not self._stopping:
            if self._waiting < flusher.worth:
                flusher.wake.clear()
                await flusher.wake.wait()
                continue
            requests = self._take()
            await self._flush(requests)
            for request in requests:  # counted until answered: the bound is on memory in use
                self._events -= len(request.events)
                self._bytes -= request.size_bytes

    def _take(self) -> list[_Request[One, Told]]:
        """The oldest requests, at most flush_events_max events of them, but at least one."""
        taken: list[_Request[One, Told]] = []
        events = 0
        while self._queue:
            events += len(self._queue[0].events)
            if taken and events > self._flush_events_max:
                break
            taken.append(self._queue.popleft())
            self._waiting -= len(taken[-1].events)
        return taken

    async def _flush(self, requests: Sequence[_Request[One, Told]]) -> None:
        began = asyncio.get_running_loop().time()
        try:
            told = await self._append([one for r in requests for one in r.events])
        except InvalidInput as error:
            await self._flush_apart(requests, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, every sender must hear of it
            for request in requests:
                _refuse(request, error)
        else:
            at = 0
            for request in requests:
                _answer(request, told[at : at + len(request.events)])
                at += len(request.events)
        self._flushed(asyncio.get_running_loop().time() - began)

    async def _flush_apart(
        self, requests: Sequence[_Request[One, Told]], error: InvalidInput
    ) -> None:
        """One event cannot be kept: flush request by request, so that only its sender fails."""
        if len(requests) == 1:
            _refuse(requests[0], error)
            return
        log.warning("ingest.flush_apart", requests=len(requests), reason=error.message)
        for request in requests:
            await self._flush([request])


def _answer(request: _Request[One, Told], told: Sequence[Told]) -> None:
    if not request.stored.done():  # done: the sender has gone; its events are stored all the same
        request.stored.set_result(told)


def _refuse(request: _Request[One, Told], error: Exception) -> None:
    if not request.stored.done():
        request.stored.set_exception(error)
