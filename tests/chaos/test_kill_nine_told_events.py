"""SIGKILL while events of Togai's API come in: what is told of them and counted stay one."""

import asyncio
import os
import random
import signal
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from tests.chaos.run import Run
from tests.chaos.servers import WAIT_S, ServerProcess, postmaster
from tests.support.togai import Togai

CLIENTS = 6
BATCH_MAX = 40
KILLS = 2
RETRY_S = 0.1
BETWEEN_KILLS = 200  # acknowledged events
COMPLETED = "INGESTION_COMPLETED_EVENT_METERED"


async def test_what_is_told_is_counted_after_kill_nine(run: Run) -> None:
    with ServerProcess(run.directory, data_dir=str(run.directory)) as server:
        await server.ready()
        togai = Togai(server.url)
        meter, account = togai.active(), str(togai.account()["id"])
        traffic = Traffic(togai, account)
        async with httpx.AsyncClient(base_url=server.url) as http, asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(traffic.client(http, run.rng))
            for number in range(KILLS):
                await traffic.moves()
                server.kill_everything()
                if number:  # the second time its database too
                    os.kill(postmaster(run.directory), signal.SIGKILL)
                await server.port_free()
                server.start()
                await server.ready()
            await traffic.moves()
            traffic.ending = True
        assert traffic.acknowledged == traffic.sent  # each was tried until it was
        assert sorted(completed(togai)) == sorted(traffic.sent)
        assert togai.used(meter) == len(traffic.sent)
        togai.http.close()
    run.tell(kills=KILLS, events=len(traffic.sent))


@dataclass
class Traffic:
    """The clients, and the ids of their events. Each event is 1 unit."""

    togai: Togai
    account: str
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    ending: bool = False

    async def client(self, http: httpx.AsyncClient, rng: random.Random) -> None:
        """Sends one request after the other, each until it is acknowledged."""
        while not self.ending:
            size = rng.randint(1, BATCH_MAX)
            events = [
                self.togai.event(self.account, {"bytes": "1"}, id=uuid4().hex) for _ in range(size)
            ]
            names = {one["id"] for one in events}
            self.sent |= names
            is_taken = False
            while not is_taken:
                is_taken = await _is_taken(http, events)
                await asyncio.sleep(0 if is_taken else RETRY_S)
            self.acknowledged |= names

    async def moves(self) -> None:
        """Some are acknowledged from now on."""
        wanted, deadline = len(self.acknowledged) + BETWEEN_KILLS, time.monotonic() + WAIT_S
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, "nothing moves"
            await asyncio.sleep(0.02)


async def _is_taken(http: httpx.AsyncClient, events: list[dict[str, Any]]) -> bool:
    try:
        answer = await http.post("/togai/ingestBatch", json={"events": events})
    except httpx.TransportError:
        return False
    assert answer.status_code in {202, 503}, answer.text
    return answer.status_code == httpx.codes.ACCEPTED


def completed(togai: Togai) -> list[str]:
    """Ids of the events that are told to be metered, as often as they are."""
    found: list[str] = []
    token = ""
    while True:
        page = togai.told("GET", f"/events?status={COMPLETED}{token}")
        found += [one["eventPayload"]["id"] for one in page["events"]]
        if "nextToken" not in page:
            return found
        token = f"&nextToken={page['nextToken']}"
