"""The load generator: as many connections as wanted, each sending when it was answered."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import cast

CONNECT_WITHIN_S = 30
ANSWER_WITHIN_S = 60  # after the time to send is over
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Sent:
    """`seconds` from the first request sent to the last answer."""

    requests: int
    seconds: float
    statuses: Counter[int]
    p50_ms: float
    p99_ms: float

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.seconds


async def send(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Sent:
    """Send in order, until there are no more or the time is over; every request is answered.

    Raises TimeoutError and ConnectionError.
    """
    loop = asyncio.get_running_loop()
    run = _Run(iter(requests))
    async with asyncio.timeout(CONNECT_WITHIN_S):
        for _ in range(connections):
            await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port)
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        run.deadline = began + seconds
        for connection in run.open:
            connection.next()
        async with asyncio.timeout(seconds + ANSWER_WITHIN_S):
            await asyncio.gather(*(connection.done for connection in run.open))
        elapsed = time.perf_counter() - began
    finally:
        gc.enable()
        for connection in run.open:
            connection.close()
    latencies = sorted(run.latencies)
    p99 = latencies[len(latencies) * 99 // 100]
    return Sent(
        len(latencies), elapsed, run.statuses, median(latencies) * 1000, p99 * 1000
    )  # fmt: skip


class _Run:
    """What the connections share."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.deadline = 0.0
        self.open: list[_Connection] = []
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._read = b""
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no such base
        self._run.open.append(self)

    def next(self) -> None:
        self._sent_at = time.perf_counter()
        request = next(self._run.requests, None) if self._sent_at < self._run.deadline else None
        if request is None:
            self.done.set_result(None)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head_ends = self._read.find(_END_OF_HEAD)
        if head_ends < 0 or len(self._read) < head_ends + 4 + self._body_bytes(head_ends):
            return
        self._run.latencies.append(time.perf_counter() - self._sent_at)
        self._run.statuses[int(self._read[9:12])] += 1
        self._read = b""
        self.next()

    def _body_bytes(self, head_ends: int) -> int:
        head = self._read[:head_ends].lower()
        _, found, rest = head.partition(b"content-length:")
        return int(rest.partition(b"\r\n")[0]) if found else 0

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def close(self) -> None:
        if not self.done.done():
            self.done.cancel()
        self._transport.close()
