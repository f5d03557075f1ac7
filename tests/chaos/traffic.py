"""Clients that send at the same time, notice every answer, and try again until acknowledged."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from tests.chaos.ledger import Ledger, Sent
from tests.chaos.oracle import total

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
ACKNOWLEDGED_WITHIN_S = 120
CLIENT_RETRIES_WITHIN_S = 0.3  # sooner than Retry-After says: more violence in less time


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the clients of a test behave, and what they put up with."""

    clients: int = 6
    batch_events_max: int = 60
    single: float = 0.5  # share of requests with one event
    repeated: float = 0.1  # share of events that were sent before
    doubled: float = 0.2  # share of requests sent twice at the same time
    resent: float = 0.05  # share of acknowledged requests sent again
    connections_may_break: bool
    answer_within_s: float = 20
    padding: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A request without an answer. `written` is when its last byte was, on the monotonic clock."""

    written: float | None
    error: httpx.TransportError

    def written_before(self, instant: float) -> bool:
        return self.written is not None and self.written < instant


@dataclass(slots=True)
class Traffic:
    """The clients of one test against one URL. A client's failed check fails `flowing`."""

    url: str
    ledger: Ledger
    manner: Manner
    broken: list[Broken] = field(default_factory=list)
    slowest_s: float = 0
    _ending: bool = False
    _abandoned: bool = False

    def abandon(self) -> None:
        """From now on nobody tries again: the server will not be back."""
        self._ending = self._abandoned = True

    @asynccontextmanager
    async def flowing(self, seed: object) -> AsyncIterator[None]:
        """Send while the block runs. At its end, what is unacknowledged is tried again until it is.

        Raises a group of AssertionErrors for an answer that a client must not get.
        """
        # One pool for all: as many connections as requests are open. Idle ones are let go before
        # the server does it, which would break a request on its way.
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=None, keepalive_expiry=2
        )
        timeout = self.manner.answer_within_s
        async with (
            httpx.AsyncClient(base_url=self.url, timeout=timeout, limits=limits) as http,
            asyncio.TaskGroup() as group,
        ):
            for number in range(self.manner.clients):
                rng = random.Random(f"{seed}/{number}")  # noqa: S311 - chaos, not secrets
                group.create_task(self._client(http, rng))
            group.create_task(self._reader(http))
            yield
            self._ending = True

    async def moves(self, within_s: float) -> None:
        """Return when there is another acknowledgement and another answer to the reader."""
        before = self.ledger.figures.copy()
        deadline = time.monotonic() + within_s
        while any(self.ledger.figures[one] == before[one] for one in ("acknowledged", "queries")):
            assert time.monotonic() < deadline, "nothing moves"
            await asyncio.sleep(0.02)

    async def _client(self, http: httpx.AsyncClient, rng: random.Random) -> None:
        while not self._ending:
            single = rng.random() < self.manner.single
            size = 1 if single else rng.randint(1, self.manner.batch_events_max)
            events = self.ledger.draw(rng, size, repeated=self.manner.repeated)
            await self._deliver(http, rng, events, single=single)
            if rng.random() < self.manner.resent and not self._ending:
                await self._deliver(http, rng, events, single=single)

    async def _deliver(
        self, http: httpx.AsyncClient, rng: random.Random, events: list[Sent], *, single: bool
    ) -> None:
        wire = [one.to_wire(self.ledger.event_type, self.manner.padding) for one in events]
        body = json.dumps(wire[0] if single else wire).encode()
        deadline = time.monotonic() + ACKNOWLEDGED_WITHIN_S
        media_type = SINGLE if single else BATCH
        times = 2 if rng.random() < self.manner.doubled else 1
        while not any(
            await asyncio.gather(*(self._attempt(http, body, media_type) for _ in range(times)))
        ):
            self.ledger.figures["refused or broken"] += 1
            if self._abandoned:
                return
            assert time.monotonic() < deadline, "not acknowledged, however often it was sent"
            await asyncio.sleep(rng.uniform(0.01, CLIENT_RETRIES_WITHIN_S))
        self.ledger.acknowledge(events)
        self.ledger.figures["acknowledged"] += 1

    async def _attempt(self, http: httpx.AsyncClient, body: bytes, media_type: str) -> bool:
        """Whether the request was answered with 204; any other answer must be a proper refusal."""
        written: float | None = None

        async def trace(event: str, _: object) -> None:
            nonlocal written
            if event == "http11.send_request_body.complete":
                written = time.monotonic()

        self.ledger.figures["requests"] += 1
        began = time.monotonic()
        try:
            answer = await http.post(
                "/api/v1/events",
                content=body,
                headers={"content-type": media_type},
                extensions={"trace": trace},
            )
        except httpx.TransportError as error:
            self._note(written, error)
            return False
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        if answer.status_code == httpx.codes.NO_CONTENT:
            return True
        check_refusal(answer)
        return False

    async def _reader(self, http: httpx.AsyncClient) -> None:
        """Ask for the total again and again: what was acknowledged before is in it."""
        meter = self.ledger.slug("count")
        while not self._ending:
            acknowledged = len(self.ledger.acknowledged)
            by_subject = {"groupBy": "subject"} if self.ledger.figures["queries"] % 2 else {}
            try:
                answer = await http.get(f"/api/v1/meters/{meter}/query", params=by_subject)
            except httpx.TransportError as error:
                self._note(None, error)
            else:
                if answer.is_success:
                    counted, sent = total(answer), len(self.ledger.sent)
                    told = f"{acknowledged} acknowledged, {counted} counted, {sent} sent"
                    assert acknowledged <= counted <= sent, told
                    self.ledger.figures["queries"] += 1
                else:
                    check_refusal(answer)
            await asyncio.sleep(0.05)

    def _note(self, written: float | None, error: httpx.TransportError) -> None:
        assert not isinstance(error, httpx.TimeoutException), "a request hangs"
        assert self.manner.connections_may_break, f"a connection broke: {error!r}"
        self.broken.append(Broken(written, error))


def check_refusal(answer: httpx.Response) -> None:
    """503 as a problem document, with a Retry-After: nothing else is a proper refusal."""
    said = f"{answer.status_code}: {answer.text[:500]}"
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, said
    assert int(answer.headers["retry-after"]) > 0, said
    assert answer.headers["content-type"] == "application/problem+json", said
