"""SIGTERM under load: what is in flight is answered, what is acknowledged is kept, exit code 0."""

import asyncio
import json
import time
from collections import Counter

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send
from tests.chaos.ledger import Sent
from tests.chaos.oracle import check, create_meters
from tests.chaos.run import Run
from tests.chaos.servers import WAIT_S, ServerProcess
from tests.chaos.traffic import SINGLE, Manner, Traffic

from monometer.api.middleware import RequestContext

MANNER = Manner(connections_may_break=True)
STOPPED_WITHIN_S = 15  # half the grace period, which nobody here has any use for
REFUSES_WITHIN_S = 10


@pytest.mark.parametrize("workers", [1, 2])
async def test_sigterm_under_load_answers_every_request_in_flight(
    workers: int, base_url: str, server_database_url: str, run: Run
) -> None:
    await create_meters(base_url, run.ledger)
    settings = {"database_url": server_database_url}
    with ServerProcess(run.directory, workers, **settings) as server:
        await server.ready()
        traffic = Traffic(server.url, run.ledger, MANNER)
        async with traffic.flowing(run.seed):
            await traffic.moves(WAIT_S)
            await asyncio.sleep(run.rng.uniform(0, 0.7))
            (event,) = run.ledger.draw(run.rng, 1, repeated=0)
            slow = await SlowRequest.begun(server.port, event, run.ledger.event_type)
            assert not traffic.broken
            asked = time.monotonic()
            server.terminate()
            # Meanwhile new connections are refused; none is taken and left waiting.
            await asyncio.wait_for(server.port_free(), REFUSES_WITHIN_S)
            await slow.finished()
            run.ledger.acknowledge([event])
            assert await server.ended() == 0
            took = time.monotonic() - asked
            traffic.abandon()
    assert took < STOPPED_WITHIN_S
    # Whoever sends later may find the connection closed, and sends again elsewhere.
    assert [one for one in traffic.broken if one.written_before(asked)] == []
    await check(base_url, run.ledger)
    broken = Counter(type(one.error).__name__ for one in traffic.broken)
    run.tell(stopped_in_s=round(took, 2), broken_later=dict(broken))


class SlowRequest:
    """A client that has sent half of its request. Raises AssertionError if it is not answered."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = rest

    @classmethod
    async def begun(cls, port: int, event: Sent, event_type: str) -> "SlowRequest":
        body = json.dumps(event.to_wire(event_type)).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: {SINGLE}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body[:10])
        return cls(reader, writer, body[10:])

    async def finished(self) -> None:
        self._writer.write(self._rest)
        answer = await self._reader.readline()
        assert answer.startswith(b"HTTP/1.1 204 "), answer
        self._writer.close()


async def test_a_request_cut_off_at_the_end_of_the_grace_period_is_refused_properly() -> None:
    async def endless(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    server = RequestContext(endless, new_id=lambda: "id")
    request = asyncio.create_task(server(scope, _never, send))
    await asyncio.sleep(0)
    request.cancel()  # as uvicorn does
    with pytest.raises(asyncio.CancelledError):
        await request
    assert said[0]["status"] == httpx.codes.SERVICE_UNAVAILABLE
    assert {b"retry-after", b"connection"} <= dict(said[0]["headers"]).keys()


async def _never() -> Message:
    raise AssertionError
