"""A queue far too small for the burst: refusals with Retry-After, bounded memory, nothing lost."""

import asyncio
import re

import httpx
from tests.chaos.oracle import check, create_meters
from tests.chaos.run import Run
from tests.chaos.servers import ServerProcess
from tests.chaos.traffic import Manner, Traffic

MiB = 1024 * 1024
QUEUE_EVENTS_MAX = 50
GROWTH_MAX = 64 * MiB
MANNER = Manner(
    clients=30,
    batch_events_max=QUEUE_EVENTS_MAX,
    single=0.2,
    connections_may_break=False,
    padding="x" * 1024,
)
SETTINGS = {
    "queue_events_max": str(QUEUE_EVENTS_MAX),
    "batch_events_max": str(QUEUE_EVENTS_MAX),
    "queue_bytes_max": str(MiB),
    "body_bytes_max": str(MiB),
}


async def test_a_burst_is_refused_until_there_is_room_and_all_of_it_lands_once(
    server_database_url: str, run: Run
) -> None:
    with ServerProcess(run.directory, database_url=server_database_url, **SETTINGS) as server:
        await server.ready()
        await create_meters(server.url, run.ledger)
        traffic = Traffic(server.url, run.ledger, MANNER)
        at_rest = server.resident_bytes()
        queued, grown = [0.0], [0]
        async with traffic.flowing(run.seed), httpx.AsyncClient(base_url=server.url) as http:
            for _ in range(run.rng.randint(15, 25)):
                await asyncio.sleep(0.05)
                queued.append(_queued_events((await http.get("/metrics")).text))
                grown.append(server.resident_bytes() - at_rest)
        grown.append(server.resident_bytes() - at_rest)
        await check(server.url, run.ledger)
    assert run.ledger.acknowledged == run.ledger.sent.keys()
    assert run.ledger.figures["refused or broken"] > 0
    assert 0 < max(queued) <= QUEUE_EVENTS_MAX
    assert max(grown) < GROWTH_MAX
    run.tell(
        queued_max=max(queued),
        grown_MiB=round(max(grown) / MiB, 1),
        slowest_s=round(traffic.slowest_s, 2),
    )


def _queued_events(metrics: str) -> float:
    found = re.search(r"^monometer_ingest_queued_events ([0-9.e+]+)$", metrics, re.MULTILINE)
    assert found, metrics
    return float(found[1])
