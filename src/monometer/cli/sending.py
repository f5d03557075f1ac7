"""Send events in batches, several at a time, and count what became of them."""

import gzip
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from queue import Queue
from threading import Lock, Thread

import httpx
import msgspec

from monometer.cli.client import Client, json_of, problem_line
from monometer.cli.errors import CliError
from monometer.cli.lines import Ready, Refused

BATCH_BYTES_MAX = 4 * 1024 * 1024
REFUSALS_SHOWN = 10
ATTEMPTS_MAX = 8
PAUSE_S_MAX = 30.0
RETRIED = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
# A request refused as a whole: its halves are tried, down to the one line that is the reason.
SPLIT = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}


class Result(msgspec.Struct):
    """What the server says of one event."""

    index: int
    status: str
    reason: str | None = None
    field: str | None = None


class Answer(msgspec.Struct):
    """What the server says of a batch."""

    accepted: int
    duplicate: int
    rejected: int
    results: list[Result] = []


@dataclass(slots=True)
class Totals:
    """Counts over all batches, and the refusals nearest to the top of the file."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    refusals: list[Refused] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @property
    def done(self) -> int:
        return self.accepted + self.duplicate + self.rejected

    def add(
        self, *, accepted: int = 0, duplicate: int = 0, refused: Iterable[Refused] = ()
    ) -> None:
        refused = list(refused)
        with self._lock:
            self.accepted += accepted
            self.duplicate += duplicate
            self.rejected += len(refused)
            if refused:
                nearest = sorted([*self.refusals, *refused], key=lambda each: each.line)
                self.refusals = nearest[:REFUSALS_SHOWN]


def batches(
    rows: Iterable[Ready | Refused], events_max: int, totals: Totals
) -> Iterator[list[Ready]]:
    """Batches of at most `events_max` events and about BATCH_BYTES_MAX. Counts refused lines."""
    batch: list[Ready] = []
    size = 0
    for row in rows:
        if isinstance(row, Refused):
            totals.add(refused=[row])
            continue
        if batch and size + len(row.event) > BATCH_BYTES_MAX:
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row.event) + 1
        if len(batch) == events_max:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class Sender:
    """Delivers batches; may be called from several threads."""

    def __init__(self, client: Client, totals: Totals, *, packed: bool = False) -> None:
        self._client = client
        self._totals = totals
        self._headers = {
            "Content-Type": "application/cloudevents-batch+json",
            "Prefer": "handling=lenient, return=representation",
        }
        self._packed = packed
        if packed:
            self._headers["Content-Encoding"] = "gzip"

    def deliver(self, batch: list[Ready]) -> None:
        """Send a batch and count it. Raises CliError when the server takes no events at all."""
        response = self._post(b"[" + b",".join(row.event for row in batch) + b"]")
        if response.status_code == HTTPStatus.OK:
            self._count(batch, json_of(response, Answer))
        elif response.is_success:
            # A server that knows nothing of Prefer answers that it has them all.
            self._totals.add(accepted=len(batch))
        elif response.status_code not in SPLIT:
            raise CliError(problem_line(response))
        elif len(batch) == 1:
            self._totals.add(refused=[Refused(batch[0].line, problem_line(response))])
        else:
            half = len(batch) // 2
            self.deliver(batch[:half])
            self.deliver(batch[half:])

    def _count(self, batch: list[Ready], answer: Answer) -> None:
        refused = [
            Refused(
                batch[result.index].line,
                ": ".join(part for part in (result.field, result.reason) if part),
            )
            for result in answer.results
            if result.status == "rejected" and 0 <= result.index < len(batch)
        ]
        if answer.accepted + answer.duplicate + len(refused) != len(batch):
            raise CliError("the server's answer does not add up to the events sent")
        self._totals.add(accepted=answer.accepted, duplicate=answer.duplicate, refused=refused)

    def _post(self, body: bytes) -> httpx.Response:
        """Post until answered. Trying again is safe: the server knows the events it has."""
        if self._packed:
            body = gzip.compress(body, compresslevel=3)
        for attempt in range(1, ATTEMPTS_MAX + 1):
            retry_after = None
            try:
                response = self._client.try_send(
                    "POST", "/api/v1/events", content=body, headers=self._headers
                )
            except httpx.TransportError as error:
                failure = self._client.unreachable(error)
            else:
                if response.status_code not in RETRIED:
                    return response
                failure = CliError(problem_line(response))
                retry_after = response.headers.get("Retry-After")
            if attempt < ATTEMPTS_MAX:
                time.sleep(pause_s(attempt, retry_after))
        raise CliError(f"{failure}; gave up after {ATTEMPTS_MAX} attempts")


def pause_s(attempt: int, retry_after: str | None) -> float:
    """Seconds to wait after failed attempt `attempt` (from 1), at most PAUSE_S_MAX.

    What the server asks for in whole seconds, else half a second, doubled at each attempt.
    """
    asked = retry_after is not None and retry_after.isascii() and retry_after.isdecimal()
    wanted = float(retry_after or 0) if asked else 0.5 * 2 ** (attempt - 1)
    return min(wanted, PAUSE_S_MAX)


class Crew:
    """Threads that deliver batches. At most one batch a thread waits, so memory stays flat.

    The threads are daemons: an interrupted command ends at once, without their leave.
    """

    def __init__(self, sender: Sender, size: int) -> None:
        self._sender = sender
        self._waiting: Queue[list[Ready] | None] = Queue(maxsize=size)
        self._failures: list[Exception] = []
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def hand_out(self, batch: list[Ready]) -> None:
        """Waits for room. Raises what an earlier batch failed with for good."""
        self._waiting.put(batch)
        if self._failures:
            raise self._failures[0]

    def finish(self) -> None:
        """Waits for all batches. Raises what one of them failed with for good."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _work(self) -> None:
        while (batch := self._waiting.get()) is not None:
            try:
                if not self._failures:
                    self._sender.deliver(batch)
            except Exception as error:  # noqa: BLE001 (raised again by the thread that hands out)
                self._failures.append(error)
