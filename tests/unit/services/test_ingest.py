"""Group commit: who shares a flush, who fails with whom, and what the queue has room for."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from tests.support.events import event
from tests.support.memory_store import MemoryEventStore

from monometer.core.errors import InvalidInput, Overloaded, Unavailable
from monometer.core.event import Event
from monometer.services.ingest import SECOND_FLUSH_EVENTS, Ingestor
from monometer.store.event_store import EventPage


class Store(MemoryEventStore):
    """A store whose appends are seen, can be held up, and fail when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[list[str]] = []
        self.failures: list[Exception | None] = []
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def append(self, events: Sequence[Event]) -> list[bool]:
        self.appends.append([one.id for one in events])
        await self._open.wait()
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        return await super().append(events)

    async def ids(self) -> set[str]:
        return {
            one.event.id for one in await self.list_events(EventPage(namespace="ns", limit=999))
        }


def ingestor(store: Store, **limits: Any) -> Ingestor[Event, bool]:
    bounds = {"queue_events_max": 100, "queue_bytes_max": 10_000, "flush_events_max": 50, **limits}
    started = Ingestor(store.append, **bounds)
    started.start()
    return started


def named(*ids: str) -> list[Event]:
    return [event(id=one) for one in ids]


async def settled() -> None:
    """Every task has gone as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Requests:
    """Requests under way, each as a task; `outcome` waits for one."""

    def __init__(self, to: Ingestor[Event, bool]) -> None:
        self._to = to

    async def send(self, *events: Event, size_bytes: int = 10) -> "asyncio.Task[Sequence[bool]]":
        task = asyncio.create_task(self._to.ingest(events, size_bytes))
        await settled()
        return task


async def test_new_events_and_duplicates_are_told_apart() -> None:
    ingest = ingestor(store := Store())
    assert await ingest.ingest(named("a", "b", "a"), 10) == [True, True, False]
    assert await ingest.ingest(named("b", "c"), 10) == [False, True]
    assert await store.ids() == {"a", "b", "c"}
    await ingest.stop()


async def test_request_without_events_does_not_reach_the_store() -> None:
    ingest = ingestor(store := Store())
    assert await ingest.ingest([], 10) == []
    assert store.appends == []
    await ingest.stop()


async def test_what_queues_during_a_flush_shares_the_next_one() -> None:
    ingest = ingestor(store := Store())
    requests = Requests(ingest)
    store.hold()
    first = await requests.send(*named("a"))
    others = [await requests.send(*named(one, "shared")) for one in ("b", "c", "d")]
    assert store.appends == [["a"]]
    store.release()
    assert await first == [True]
    assert await asyncio.gather(*others) == [[True, True], [True, False], [True, False]]
    assert store.appends == [["a"], ["b", "shared", "c", "shared", "d", "shared"]]
    await ingest.stop()


async def test_flush_takes_whole_requests_in_order_up_to_its_limit() -> None:
    ingest = ingestor(store := Store(), flush_events_max=3)
    requests = Requests(ingest)
    store.hold()
    tasks = [
        await requests.send(*named(*ids)) for ids in ("x", "ab", "c", "de", "fghijk", "l", "m")
    ]
    store.release()
    assert [len(new) for new in await asyncio.gather(*tasks)] == [1, 2, 1, 2, 6, 1, 1]
    assert ["".join(ids) for ids in store.appends] == ["x", "abc", "de", "fghijk", "lm"]
    await ingest.stop()


async def test_nobody_is_answered_before_the_store_has_answered() -> None:
    ingest = ingestor(store := Store())
    store.hold()
    task = await Requests(ingest).send(*named("a"))
    assert not task.done()
    assert await store.ids() == set()
    store.release()
    await task
    assert await store.ids() == {"a"}
    await ingest.stop()


@pytest.mark.parametrize("limit", ["events", "bytes"])
async def test_full_queue_refuses_until_it_is_flushed(limit: str) -> None:
    ingest = ingestor(store := Store(), queue_events_max=4, queue_bytes_max=400)
    requests = Requests(ingest)
    store.hold()
    if limit == "events":
        waiting = [await requests.send(*named("a", "b")), await requests.send(*named("c", "d"))]
    else:
        waiting = [await requests.send(*named("a"), size_bytes=300)]
        waiting.append(await requests.send(*named("b"), size_bytes=100))
    refused = await requests.send(*named("e"), size_bytes=1)
    with pytest.raises(Overloaded, match="too many events are waiting") as caught:
        await refused
    assert caught.value.retry_after_s == 1
    store.release()
    await asyncio.gather(*waiting)
    await settled()
    assert ingest.queued_events == 0
    assert await ingest.ingest(named("e"), 400) == [True]
    await ingest.stop()


async def test_events_being_flushed_count_as_waiting() -> None:
    ingest = ingestor(store := Store(), queue_events_max=4)
    store.hold()
    task = await Requests(ingest).send(*named("a", "b", "c"))
    assert store.appends == [["a", "b", "c"]]
    assert ingest.queued_events == 3
    with pytest.raises(Overloaded):
        await ingest.ingest(named("d", "e"), 1)
    store.release()
    await task
    await settled()
    assert ingest.queued_events == 0
    await ingest.stop()


async def test_request_above_the_limits_of_the_queue_is_refused_even_when_it_is_empty() -> None:
    ingest = ingestor(store := Store(), queue_events_max=2, queue_bytes_max=100)
    for events, size in ((named("a", "b", "c"), 10), (named("a"), 101)):
        with pytest.raises(Overloaded):
            await ingest.ingest(events, size)
    assert store.appends == []
    await ingest.stop()


async def test_poison_event_fails_its_own_request_alone() -> None:
    ingest = ingestor(store := Store())
    requests = Requests(ingest)
    store.hold()
    first = await requests.send(*named("a"))
    good = await requests.send(*named("b"))
    bad = await requests.send(*named("c"), event(id="poison", data='{"a": "\\u0000"}'))
    also_good = await requests.send(*named("d"))
    store.release()
    assert [await one for one in (first, good, also_good)] == [[True]] * 3
    with pytest.raises(InvalidInput):
        await bad
    assert await store.ids() == {"a", "b", "d"}
    await settled()
    assert ingest.queued_events == 0
    await ingest.stop()


async def test_two_poison_events_fail_two_requests() -> None:
    ingest = ingestor(store := Store())
    requests = Requests(ingest)
    store.hold()
    await requests.send(*named("a"))
    tasks = [
        await requests.send(event(id=one, data='{"a": "\\u0000"}' if one in "ce" else "{}"))
        for one in "bcde"
    ]
    store.release()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in outcomes] == [list, InvalidInput, list, InvalidInput]
    assert await store.ids() == {"a", "b", "d"}
    await ingest.stop()


async def test_first_request_keeps_its_key_when_requests_are_flushed_apart() -> None:
    ingest = ingestor(store := Store())
    requests = Requests(ingest)
    store.hold()
    await requests.send(*named("x"))
    first = await requests.send(*named("a"))
    bad = await requests.send(event(id="poison", data='{"a": "\\u0000"}'))
    second = await requests.send(*named("a"))
    store.release()
    assert [await first, await second] == [[True], [False]]
    with pytest.raises(InvalidInput):
        await bad
    await ingest.stop()


@pytest.mark.parametrize("failure", [Unavailable("gone"), RuntimeError("a defect")])
async def test_failure_of_the_store_reaches_every_sender(failure: Exception) -> None:
    ingest = ingestor(store := Store())
    requests = Requests(ingest)
    store.hold()
    store.failures = [None, failure]
    first = await requests.send(*named("a"))
    others = [await requests.send(*named(one)) for one in "bcd"]
    store.release()
    assert await first == [True]
    outcomes = await asyncio.gather(*others, return_exceptions=True)
    assert [type(one) for one in outcomes] == [type(failure)] * 3
    assert await store.ids() == {"a"}
    # It goes on afterwards, with room in the queue.
    await settled()
    assert ingest.queued_events == 0
    assert await ingest.ingest(named("b"), 10) == [True]
    await ingest.stop()


async def test_failure_while_flushing_apart_fails_only_whom_it_meets() -> None:
    ingest = ingestor(store := Store())
    requests = Requests(ingest)
    store.hold()
    store.failures = [None, InvalidInput("one of them"), None, Unavailable("gone"), None]
    first = await requests.send(*named("a"))
    others = [await requests.send(*named(one)) for one in "bcd"]
    store.release()
    outcomes = await asyncio.gather(first, *others, return_exceptions=True)
    assert [type(one) for one in outcomes] == [list, list, Unavailable, list]
    assert await store.ids() == {"a", "b", "d"}
    await ingest.stop()


@pytest.mark.parametrize("fails", [False, True])
async def test_sender_that_leaves_disturbs_nobody(fails: bool) -> None:
    """Its events are stored all the same: it may have left after they were taken."""
    ingest = ingestor(store := Store())
    requests = Requests(ingest)
    store.hold()
    store.failures = [None, Unavailable("gone") if fails else None]
    in_flush = await requests.send(*named("a"))
    in_queue = await requests.send(*named("b"))
    stays = await requests.send(*named("c"))
    in_flush.cancel()
    in_queue.cancel()
    await settled()
    assert ingest.queued_events == 3
    store.release()
    outcomes = await asyncio.gather(in_flush, in_queue, stays, return_exceptions=True)
    left = [asyncio.CancelledError] * 2
    assert [type(one) for one in outcomes] == [*left, Unavailable if fails else list]
    assert await store.ids() == ({"a"} if fails else {"a", "b", "c"})
    await settled()
    assert ingest.queued_events == 0
    await ingest.stop()


async def test_stop_flushes_what_was_taken_and_refuses_the_rest() -> None:
    ingest = ingestor(store := Store())
    requests = Requests(ingest)
    store.hold()
    taken = [await requests.send(*named(one)) for one in "abc"]
    stopping = asyncio.create_task(ingest.stop())
    await settled()
    with pytest.raises(Overloaded, match="the server is stopping"):
        await ingest.ingest(named("d"), 10)
    assert not stopping.done()
    store.release()
    await stopping
    assert all(task.done() for task in taken)
    assert await asyncio.gather(*taken) == [[True]] * 3
    assert await store.ids() == {"a", "b", "c"}


async def test_stop_of_an_idle_ingestor_ends_at_once() -> None:
    ingest = ingestor(Store())
    await asyncio.wait_for(ingest.stop(), 1)
    never_started: Ingestor[Event, bool] = Ingestor(
        Store().append, queue_events_max=1, queue_bytes_max=1, flush_events_max=1
    )  # fmt: skip
    await asyncio.wait_for(never_started.stop(), 1)


async def test_flushes_are_timed_and_the_queue_is_counted() -> None:
    seconds: list[float] = []
    store = Store()
    ingest = ingestor(store, flushed=seconds.append)
    store.hold()
    task = await Requests(ingest).send(*named("a", "b"))
    assert (ingest.queued_events, seconds) == (2, [])
    store.release()
    await task
    await settled()
    assert ingest.queued_events == 0
    assert len(seconds) == 1
    assert 0 <= seconds[0] < 10
    await ingest.stop()


async def test_a_thousand_senders_are_each_told_of_their_own() -> None:
    ingest = ingestor(store := Store(), queue_events_max=5000, queue_bytes_max=10**6)
    batches = [named(f"{i}", f"{i}-2", f"{i // 2}-shared") for i in range(1000)]
    answers = await asyncio.gather(*(ingest.ingest(batch, 10) for batch in batches))
    assert answers == [[True, True, i % 2 == 0] for i in range(1000)]
    assert len(store.appends) < 1000
    await ingest.stop()


async def test_a_second_flush_starts_when_enough_wait_for_one_of_their_own() -> None:
    store = Store()
    limits = {"queue_events_max": 10_000, "flush_events_max": SECOND_FLUSH_EVENTS}
    requests = Requests(ingest := ingestor(store, **limits))
    store.hold()
    first = await requests.send(*named("a"))
    few = await requests.send(*named("b", "c"))
    assert store.appends == [["a"]]
    many = await requests.send(*(event(id=f"m{i}") for i in range(SECOND_FLUSH_EVENTS - 2)))
    assert [len(ids) for ids in store.appends] == [1, SECOND_FLUSH_EVENTS]
    store.release()
    await asyncio.gather(first, few, many)
    await ingest.stop()
    assert len(await store.ids()) == SECOND_FLUSH_EVENTS + 1
