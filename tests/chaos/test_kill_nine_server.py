"""SIGKILL under full ingest, with the server's own database, and back again."""

import asyncio
import os
import signal
import time

from tests.chaos.oracle import check, create_meters
from tests.chaos.run import Run
from tests.chaos.servers import WAIT_S, ServerProcess, crash_database, postmaster
from tests.chaos.traffic import Manner, Traffic

from monometer import embedded
from monometer.cli.serving import WORKER_SILENCE_S

MANNER = Manner(connections_may_break=True)
KILL_AFTER_S = (0.05, 1)
HEALTH_CHECKED_EVERY_S = 0.6
STARTED = "Application startup complete."


async def test_what_is_acknowledged_survives_kill_nine(run: Run) -> None:
    with ServerProcess(run.directory, data_dir=str(run.directory)) as server:
        await server.ready()
        meter = await create_meters(server.url, run.ledger)
        traffic = Traffic(server.url, run.ledger, MANNER, meter)
        # Alone it leaves its database running; together they come back to a crash recovery.
        kills = run.hurts("server and database", "server")
        async with traffic.flowing(run.seed):
            await traffic.moves(WAIT_S)
            for kill in kills:
                await asyncio.sleep(run.rng.uniform(*KILL_AFTER_S))
                server.kill_everything()
                if kill == "server and database":
                    os.kill(postmaster(run.directory), signal.SIGKILL)
                server.start()
                await server.ready()
                await traffic.moves(WAIT_S)
        await check(server.url, run.ledger, meter)
        assert "request.failed" not in server.log()
    run.tell(kills=len(kills), broken=len(traffic.broken))


async def test_what_is_acknowledged_survives_kill_nine_of_workers(run: Run) -> None:
    with ServerProcess(run.directory, 2, data_dir=str(run.directory)) as server:
        await server.ready()
        meter = await create_meters(server.url, run.ledger)
        traffic = Traffic(server.url, run.ledger, MANNER, meter)
        kills = run.hurts("parent", "worker and database", "everything")
        async with traffic.flowing(run.seed):
            await traffic.moves(WAIT_S)
            for kill in kills:
                await asyncio.sleep(run.rng.uniform(*KILL_AFTER_S))
                if kill == "worker and database":
                    crash_database(run.directory)
                    await _replaced(server, run.rng.choice(server.workers()))
                    (await asyncio.to_thread(embedded.start, run.directory)).stop()
                else:
                    server.kill_parent() if kill == "parent" else server.kill_everything()
                    await server.port_free()  # workers whose parent is gone leave
                    server.start()
                    await server.ready()
                await traffic.moves(WAIT_S)
        await check(server.url, run.ledger, meter)
        assert "request.failed" not in server.log()
    run.tell(kills=len(kills), broken=len(traffic.broken))


async def _replaced(server: ServerProcess, worker: int) -> None:
    """Kill a worker, and wait until another serves in its place, even without a database."""
    started = server.log().count(STARTED)
    # Its parent is waiting for its answer to a health check when it dies, and notices all the same.
    os.kill(worker, signal.SIGSTOP)
    await asyncio.sleep(HEALTH_CHECKED_EVERY_S)
    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + WORKER_SILENCE_S
    while server.log().count(STARTED) == started:
        assert time.monotonic() < deadline, f"no other worker; {server.log()}"
        await asyncio.sleep(0.1)
