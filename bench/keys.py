"""What asking for API keys costs a single event: two servers on one database take turns."""

from pathlib import Path
from statistics import median

import httpx

from bench import servers
from bench.databases import Cluster
from bench.ingesting import SINGLE, SINGLE_EVENTS_PER_S
from bench.load import send
from bench.plan import Plan
from bench.report import Line, Report
from bench.servers import Server
from bench.shipments import shipment

GOAL = 0.95
ROUNDS = 8  # few percents want more of them than other ratios do
ON, OFF = "required", "off"


async def measure(report: Report, plan: Plan, cluster: Cluster, directory: Path) -> None:
    """Raises RuntimeError when a server refuses an event."""
    database = await cluster.new_database("keys")
    cpu_us: dict[str, list[float]] = {OFF: [], ON: []}
    events_per_s: dict[str, list[float]] = {OFF: [], ON: []}
    with (
        servers.product(database.url, directory, auth=OFF) as off,
        servers.product(database.url, directory, auth=ON) as on,
    ):
        header = f"authorization: Bearer {await _new_key(off)}\r\n".encode()
        turns = [(OFF, off), (ON, on)]
        for _ in range(ROUNDS):
            turns.reverse()  # so that a machine that gets slower is no advantage
            for auth, server in turns:
                # Each event is new, and the one who asks for no key is sent it, too.
                events = min(plan.run_events, int(plan.run_s * SINGLE_EVENTS_PER_S))
                load = shipment(events, batch=1, duplicates=0)
                requests = [_with(request, header) for request in load.requests]
                await database.empty()
                used = server.cpu_s()
                sent = await send(
                    server.port, requests, connections=SINGLE.connections, seconds=plan.run_s
                )
                if sent.statuses.keys() != {204}:
                    raise RuntimeError(f"keys {auth}: answers {dict(sent.statuses)}")
                cpu_us[auth].append((server.cpu_s() - used) / sent.requests * 1e6)
                events_per_s[auth].append(sent.requests_per_s)
    rates = f"{median(events_per_s[ON]):,.0f} against {median(events_per_s[OFF]):,.0f} events/s"
    report.add(
        Line.cost(
            f"CPU of the server for {SINGLE.what}, keys asked for",
            against="not asked for",
            limit=median(cpu_us[OFF]),
            product=median(cpu_us[ON]),
            unit="us",
            goal=GOAL,
            note=rates,
        )
    )


async def _new_key(server: Server) -> str:
    body = {"name": "bench", "scopes": ["events:write"]}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        answer = (await client.post("/api/v1/keys", json=body)).raise_for_status()
    key: str = answer.json()["key"]
    return key


def _with(request: bytes, header: bytes) -> bytes:
    line, _, rest = request.partition(b"\r\n")
    return line + b"\r\n" + header + rest
