"""SIGKILL under full ingest, with the server's own database, and back again."""

import asyncio
import os
import signal
import time
from itertools import zip_longest

from tests.chaos.cells import compared
from tests.chaos.oracle import create_meters
from tests.chaos.run import Run
from tests.chaos.servers import WAIT_S, ServerProcess, crash_database, postmaster
from tests.chaos.traffic import Manner, Traffic

from monometer import embedded
from monometer.cli.serving import WORKER_SILENCE_S

MANNER = Manner(connections_may_break=True)
KILL_AFTER_S = (0.05, 0.7)
WORKER_AND_DATABASE, PARENT = "a worker while the database is away", "the parent of workers"
SERVER, SERVER_AND_DATABASE = "the server", "the server and its database"
OF_WORKERS = {WORKER_AND_DATABASE, PARENT}  # other kills meet one process or two
HEALTH_CHECKED_EVERY_S = 0.6
STARTED = "Application startup complete."


async def test_what_is_acknowledged_survives_kill_nine(run: Run) -> None:
    kills = run.hurts(SERVER, PARENT, WORKER_AND_DATABASE, longer=[SERVER_AND_DATABASE])
    workers = _workers(kills[0], run)
    with ServerProcess(run.directory, workers, data_dir=str(run.directory)) as server:
        await server.ready()
        await create_meters(server.url, run.ledger)
        traffic = Traffic(server.url, run.ledger, MANNER)
        async with compared(traffic, server, run):
            for kill, next_kill in zip_longest(kills, kills[1:]):
                await asyncio.sleep(run.rng.uniform(*KILL_AFTER_S))
                if kill == WORKER_AND_DATABASE:
                    await _kill_a_worker(server, run)
                else:
                    _kill(kill, server, run)
                    await server.port_free()  # workers whose parent is gone leave
                    server.workers = _workers(next_kill, run)
                    server.start()
                    await server.ready()
                await traffic.moves(WAIT_S)
        assert server.failures() == []
    run.tell(kills=len(kills), broken=len(traffic.broken))


def _workers(next_kill: str | None, run: Run) -> int:
    if next_kill in OF_WORKERS:
        return 2
    return run.rng.choice([1, 2])


def _kill(what: str, server: ServerProcess, run: Run) -> None:
    if what == PARENT:
        server.kill_parent()
    else:
        server.kill_everything()
    if what == SERVER_AND_DATABASE:  # which comes back to a crash recovery, else it runs on
        os.kill(postmaster(run.directory), signal.SIGKILL)


async def _kill_a_worker(server: ServerProcess, run: Run) -> None:
    """Another serves in its place at once, even without a database."""
    crash_database(run.directory)
    started = server.log().count(STARTED)
    worker = run.rng.choice(server.worker_pids())
    # Its parent is waiting for its answer to a health check when it dies, and notices all the same.
    os.kill(worker, signal.SIGSTOP)
    await asyncio.sleep(HEALTH_CHECKED_EVERY_S)
    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + WORKER_SILENCE_S
    while server.log().count(STARTED) == started:
        assert time.monotonic() < deadline, f"no other worker; {server.log()}"
        await asyncio.sleep(0.1)
    (await asyncio.to_thread(embedded.start, run.directory)).stop()  # the server's share keeps it
