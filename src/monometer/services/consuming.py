"""Check and consume in one step: group commit for each entitlement.

Requests for one entitlement queue up while a transaction runs that holds its lock. The next one
takes them all: it loads the balance once, decides one after the other in the order in which they
came, stores what was allowed, and commits before anybody is answered. Different entitlements are
served side by side, by a few transactions.

What is decided holds against everybody who consumes, in whichever process. Events that are ingested
plainly take no lock: they are in the next decision.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeAlias

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.consumed_event import NewConsumption, amount_of, check_consumable, event_of
from monometer.core.consumption import (
    Decision,
    Till,
    check_time,
    consumable,
    plan_to_consume,
)
from monometer.core.entitled import Entitled
from monometer.core.errors import Conflict, DomainError, InvalidInput, Overloaded, Unavailable
from monometer.core.event import event_key
from monometer.core.windows import Period
from monometer.services.finding import find_to_change, metered_terms
from monometer.store import consumptions, subjects
from monometer.store.consumptions import Consumed, Known
from monometer.store.engine import transaction
from monometer.store.owners import OfSubject, OwnerRef
from monometer.store.period_usage import PeriodUsage

log = structlog.get_logger()

QUEUED_MAX = 10_000
QUEUED_BYTES_MAX = 64 * 1024 * 1024
BATCH_MAX = 500
TRIES = 5  # while others keep storing the same events, which one entitlement's callers cannot
RETRY_AFTER_S = 1
TURN_S = 0.01  # thousands of grants make decisions slow: others are served in between

Outcome: TypeAlias = Decision | DomainError


class Address(NamedTuple):
    """How callers name the entitlement; those who name one alike are decided together."""

    namespace: str
    ref: OwnerRef
    id_or_key: str


class _Request(NamedTuple):
    new: NewConsumption
    size_bytes: int
    decided: "asyncio.Future[Decision]"


class _RacedError(Exception):
    """Another writer stored one of the events after it was looked up."""


class Consuming:
    """A bounded queue for each entitlement. Start it, and stop it: stopping decides what waits.

    `transactions_max` run at once; the engine's pool should have room for others beside.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        usage: PeriodUsage,
        *,
        now: Callable[[], datetime],
        transactions_max: int,
        queued_max: int = QUEUED_MAX,
    ) -> None:
        self._engine = engine
        self._usage = usage
        self._now = now
        self._transactions_max = transactions_max
        self._queued_max = queued_max
        self._queues: dict[Address, deque[_Request]] = {}
        self._ready: asyncio.Queue[Address] = asyncio.Queue()
        self._queued = self._queued_bytes = 0
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._run(), name="consuming")
            for _ in range(self._transactions_max)
        ]

    async def stop(self) -> None:
        """Decide what was accepted, refuse the rest."""
        self._stopping = True
        await self._ready.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def consume(self, address: Address, new: NewConsumption, size_bytes: int) -> Decision:
        """Decide, and store the event if it is allowed; a second time, tell the first decision.

        Raises NotFound, PreconditionFailed of the customer, InvalidInput for an event that would
        not count for the feature, Conflict for one that is stored and is not this consumption.
        Raises Overloaded when the queue is full, and Unavailable: then it may have been consumed,
        and asking again tells.
        """
        if self._stopping:
            raise Overloaded("the server is stopping", retry_after_s=RETRY_AFTER_S)
        if self._queued >= self._queued_max or self._queued_bytes + size_bytes > QUEUED_BYTES_MAX:
            raise Overloaded("too many wait to consume", retry_after_s=RETRY_AFTER_S)
        request = _Request(new, size_bytes, asyncio.get_running_loop().create_future())
        self._queued += 1
        self._queued_bytes += size_bytes
        if address in self._queues:
            self._queues[address].append(request)
        else:
            self._queues[address] = deque([request])
            self._ready.put_nowait(address)
        return await request.decided

    async def _run(self) -> None:
        while True:
            address = await self._ready.get()
            queue = self._queues[address]
            requests = [queue.popleft() for _ in range(min(len(queue), BATCH_MAX))]
            await self._serve(address, requests)
            self._queued -= len(requests)
            self._queued_bytes -= sum(one.size_bytes for one in requests)
            if queue:
                self._ready.put_nowait(address)  # behind all who wait by now
            else:
                del self._queues[address]
            self._ready.task_done()

    async def _serve(self, address: Address, requests: Sequence[_Request]) -> None:
        try:
            outcomes = await self._decide(address, [one.new for one in requests])
        except InvalidInput as error:
            if len(requests) > 1:
                # One of them may be what the database cannot keep: only its sender shall fail.
                log.warning("consuming.apart", requests=len(requests), reason=error.message)
                for request in requests:
                    await self._serve(address, [request])
            else:
                _answer(requests[0], error)
        except Exception as error:  # noqa: BLE001 - whatever it is, every sender must hear of it
            for request in requests:
                _answer(request, error)
        else:
            for request, outcome in zip(requests, outcomes, strict=True):
                _answer(request, outcome)

    async def _decide(self, address: Address, new: Sequence[NewConsumption]) -> list[Outcome]:
        """The outcome of each, committed."""
        for _ in range(TRIES):
            try:
                async with transaction(self._engine) as connection:
                    return await self._attempt(connection, address, new)
            except _RacedError:
                continue
        raise Unavailable("others keep storing the same events; try again")

    async def _attempt(
        self, connection: AsyncConnection, address: Address, new: Sequence[NewConsumption]
    ) -> list[Outcome]:
        """Raises _RacedError: then nothing may be committed."""
        namespace, ref, id_or_key = address
        found = await find_to_change(
            connection, namespace, ref, id_or_key, now=self._now, with_grants=True
        )
        keys = [event_key(one.source, one.id) for one in new]
        now, known = await consumptions.look_up(connection, namespace, keys)
        counter = await self._counter(connection, found, ref, now, known)
        outcomes = []
        rested = asyncio.get_running_loop().time()
        for key, one in zip(keys, new, strict=True):
            outcomes.append(counter.outcome(key, one))
            if asyncio.get_running_loop().time() - rested > TURN_S:
                await asyncio.sleep(0)
                rested = asyncio.get_running_loop().time()
        id_ = found.entitlement.id
        if not await consumptions.store(connection, namespace, id_, counter.consumed):
            raise _RacedError
        return outcomes

    async def _counter(
        self,
        connection: AsyncConnection,
        found: Entitled,
        ref: OwnerRef,
        now: datetime,
        known: dict[bytes, Known],
    ) -> "_Counter":
        """Raises InvalidInput for what cannot be consumed, whatever the event."""
        terms, meter = metered_terms(found.entitlement), found.feature.meter
        assert meter is not None  # noqa: S101 - a metered one's feature has a meter
        check_consumable(meter)
        times = consumable(terms, now)
        planned = plan_to_consume(terms, found.grants or (), meter.aggregation, times)
        [answers] = await self._usage.of(connection, [found.query(planned.periods)])
        till = Till(planned, answers, is_soft_limit=terms.is_soft_limit)
        subject = await _subject(connection, found, ref)
        # Whether it is active is told by the clock that said from when on it is.
        is_active = found.entitlement.is_active(self._now())
        return _Counter(found, till, times, now, subject, known, is_active)


async def _subject(connection: AsyncConnection, found: Entitled, ref: OwnerRef) -> str:
    """Whose event it is when nobody says so: the subject asked for, or a customer's first name."""
    if not isinstance(ref, OfSubject):
        named = (found.customer_key, *found.subject_keys, found.entitlement.customer_id)
        return next(one for one in named if one is not None)
    if ref.key_or_id in found.subjects:
        return ref.key_or_id
    record = await subjects.find(connection, found.entitlement.namespace, ref.key_or_id)
    return ref.key_or_id if record is None else record.key


@dataclass
class _Counter:
    """Serves the requests of one transaction, one after the other."""

    found: Entitled
    till: Till
    times: Period
    now: datetime
    subject: str
    known: dict[bytes, Known]
    is_active: bool
    consumed: list[Consumed] = field(default_factory=list)

    def outcome(self, key: bytes, new: NewConsumption) -> Outcome:
        try:
            return self._decision(key, new)
        except DomainError as error:
            return error

    def _decision(self, key: bytes, new: NewConsumption) -> Decision:
        """Raises Conflict, InvalidInput."""
        if key in self.known:
            return self._known(self.known[key])
        time = self.now if new.time is None else new.time
        event = event_of(self.found, new, subject=new.subject or self.subject, time=time)
        amount = amount_of(self.found, event, new.amount)
        check_time(self.times, time)
        if not self.is_active:
            return Decision(allowed=False, amount=amount, exceeds_limit=False, has_access=False)
        decision = self.till.decide(time, amount, keep=not new.dry_run)
        if decision.allowed and not new.dry_run:
            self.consumed.append(Consumed(key, event, decision))
            self.known[key] = Known(self.found.entitlement.id, decision)
        return decision

    def _known(self, known: Known) -> Decision:
        if known.decision is None:
            raise Conflict("an event of this source and id was ingested, not consumed: it counts")
        if known.entitlement_id != self.found.entitlement.id:
            raise Conflict(
                "an event of this source and id was consumed of another entitlement",
                conflicting_id=known.entitlement_id,
            )
        return replace(known.decision, duplicate=True)


def _answer(request: _Request, outcome: Decision | Exception) -> None:
    if request.decided.done():  # the sender has gone; what was decided stands all the same
        return
    if isinstance(outcome, Decision):
        request.decided.set_result(outcome)
    else:
        request.decided.set_exception(outcome)
