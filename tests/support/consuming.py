"""Consuming over HTTP: one client's calls, and many clients at once."""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
from tests.support.entitling import Entitling, Found, ago, found

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
    decided: dict[str, Found] | None = None,
) -> dict[str, Found]:
    """Decisions by event id. Clients share the bodies, each connected to one of the servers.

    `decided` is filled as answers come, so that it has them also when a server is lost on the way.
    """
    decided = {} if decided is None else decided
    waiting = iter(bodies)

    async def run(url: str) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            for body in waiting:
                answer = await client.post(path, json=body)
                assert answer.status_code == HTTPStatus.OK, answer.text
                decided[body["id"]] = answer.json()

    await asyncio.gather(*(run(urls[number % len(urls)]) for number in range(clients)))
    return decided
