"""Consuming over HTTP: one client's calls, and many clients at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, TypeAlias
from uuid import uuid4

import httpx
from tests.support.entitling import Entitling, Found, ago, found

Ask: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[tuple[int, Found]]]

SINCE_YESTERDAY: dict[str, Any] = {
    "usagePeriod": {"interval": "P100Y", "anchor": "2000-01-01T00:00:00Z"},
    "measureUsageFrom": ago(days=1),
}


class Consuming(Entitling):
    def limited(self, limit: float, aggregation: str = "SUM", **members: Any) -> tuple[str, str]:
        """A subject, and the key of a feature that it may use so much of."""
        subject, feature = f"s-{uuid4().hex}", self.feature(self.create(aggregation))
        self.entitle(subject, feature, issueAfterReset=limit, **{**SINCE_YESTERDAY, **members})
        return subject, feature["key"]

    def try_to_consume(self, who: str, key: str, **members: Any) -> httpx.Response:
        """With an id of its own; None leaves a member out."""
        event = {"id": uuid4().hex, "source": "test", **members}
        present = {name: member for name, member in event.items() if member is not None}
        return self.post(f"{self.path(who)}/{key}/consume", present)

    def consume(self, who: str, key: str, **members: Any) -> Found:
        decision: Found = found(self.try_to_consume(who, key, **members))
        return decision

    def events_of(self, subject: str) -> list[Found]:
        events: list[Found] = found(self.http.get("/api/v1/events", params={"subject": subject}))
        return events


async def consume_at_once(
    urls: Sequence[str],
    path: str,
    bodies: Sequence[Mapping[str, Any]],
    *,
    clients: int,
    decided: MutableMapping[str, Found] | None = None,
) -> MutableMapping[str, Found]:
    """Decisions by event id. Clients share the bodies, each connected to one of the servers.

    `decided` is filled as answers come, so that it has them also when a server is lost on the way:
    then raises OSError or EOFError.
    """
    decided = {} if decided is None else decided
    waiting = iter(bodies)

    async def run(url: str) -> None:
        async with connected(url) as ask:
            for body in waiting:
                status, answer = await ask(path, body)
                assert status == HTTPStatus.OK, answer
                decided[body["id"]] = answer

    ended = await asyncio.gather(
        *(run(urls[number % len(urls)]) for number in range(clients)), return_exceptions=True
    )
    for problem in ended:
        if problem is not None:
            raise problem
    return decided


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Ask]:
    """A connection of its own that costs its client little, so that a hundred keep servers busy."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)

    async def ask(path: str, body: Mapping[str, Any]) -> tuple[int, Found]:
        """POST. Status and body of the answer."""
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n"
        writer.write(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answer.partition("content-length:")[2].partition("\r\n")[0])
        return int(answer[9:12]), json.loads(await reader.readexactly(length))

    try:
        yield ask
    finally:
        writer.close()
