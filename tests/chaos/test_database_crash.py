"""The database crashes and comes back while the server runs: refusals, no failure, no loss."""

import asyncio
import os
import signal
import time
from pathlib import Path

import httpx
from tests.chaos.cells import compared
from tests.chaos.oracle import create_meters
from tests.chaos.run import Run
from tests.chaos.servers import (
    WAIT_S,
    ServerProcess,
    backends,
    crash_database,
    frozen_database,
)
from tests.chaos.traffic import Manner, Traffic

from monometer import embedded

POOL_WAIT_S = 3
# Behind the wait: the flush that was in flight before, and a busy machine.
ANSWERED_WITHIN_S = 2 * POOL_WAIT_S + 4
# That a database is frozen shows only when a statement has run out of time, and a new connection.
FROZEN_ANSWERED_WITHIN_S = 40
SETTINGS = {"pool_wait_s": str(POOL_WAIT_S), "query_timeout_s": "1"}
MANNER = Manner(connections_may_break=False, answer_within_s=FROZEN_ANSWERED_WITHIN_S)


async def test_the_server_outlives_crashes_of_its_database(run: Run) -> None:
    slowest_s: dict[str, float] = {}
    with (
        await asyncio.to_thread(embedded.start, run.directory) as database,
        ServerProcess(run.directory, database_url=database.url, **SETTINGS) as server,
    ):
        await server.ready()
        await create_meters(server.url, run.ledger)
        traffic = Traffic(server.url, run.ledger, MANNER)
        crashes = run.hurts("stopped", "backend killed", longer=["frozen"])
        async with compared(traffic, server, run):
            for crash in crashes:
                await asyncio.sleep(run.rng.uniform(0.05, 0.7))
                await _crash(crash, run, traffic)
                await traffic.moves(WAIT_S)  # without a restart of the server
                slowest_s[crash] = round(traffic.slowest_s, 2)
                assert crash == "frozen" or traffic.slowest_s < ANSWERED_WITHIN_S
                traffic.slowest_s = 0
        assert server.failures() == []
    run.tell(crashes=len(crashes), slowest_s=slowest_s)


async def _crash(how: str, run: Run, traffic: Traffic) -> None:
    if how == "stopped":
        await _stop_and_start(run.directory, traffic.url, run.rng.uniform(0, 1))
    elif how == "backend killed":  # the database cuts every connection and recovers by itself
        os.kill(run.rng.choice(backends(run.directory)), signal.SIGKILL)
    else:
        with frozen_database(run.directory):
            await _refused_again(traffic)


async def _stop_and_start(directory: Path, url: str, down_s: float) -> None:
    await asyncio.to_thread(crash_database, directory)
    await asyncio.sleep(down_s)
    async with httpx.AsyncClient(base_url=url, timeout=ANSWERED_WITHIN_S) as http:
        ready, live = await http.get("/healthz/ready"), await http.get("/healthz/live")
    assert (ready.status_code, live.status_code) == (503, 200), ready.text
    (await asyncio.to_thread(embedded.start, directory)).stop()  # the test's own share keeps it


async def _refused_again(traffic: Traffic) -> None:
    before = traffic.ledger.figures["refused or broken"]
    deadline = time.monotonic() + FROZEN_ANSWERED_WITHIN_S
    while traffic.ledger.figures["refused or broken"] == before:
        assert time.monotonic() < deadline, "requests hang with the database"
        await asyncio.sleep(0.05)
