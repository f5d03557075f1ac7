"""What a check of access costs, against reading one meter, and how fast limits are consumed."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench import servers
from bench.databases import Cluster
from bench.load import Sent, send
from bench.plan import Plan
from bench.report import Line, Report
from bench.servers import Server

EVENTS_MAX = 1_000_000
PHASES = 48
FEATURES = 50
ENTITLEMENTS = 1_000
CONNECTIONS = 128
REQUESTS_MAX = 20_000
GOAL = 1 / 3  # a value takes at most three times a trivial read
DAYS = 28
METER = {"slug": "m", "eventType": "t", "aggregation": "SUM", "valueProperty": "$.v"}
# One subject's, over all but the last of the days.
EVENTS = """
INSERT INTO event (namespace, key, source, id, type, subject, time, data, ingested_at)
SELECT 'default', md5(n::text)::uuid, 'bench', n::text, 't', 'hot',
       now() - interval '1 day' - n %% 38000 * interval '1 minute', '{"v": 1}', now()
FROM generate_series(1, %d) AS n ORDER BY 2
"""


async def measure(report: Report, plan: Plan, cluster: Cluster, directory: Path) -> None:
    """Raises RuntimeError for an answer other than 200."""
    events = min(plan.events, EVENTS_MAX)
    database = await cluster.new_database("entitling")
    with servers.product(database.url, directory) as server:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            await _prepare(client)
        await database.execute(EVENTS % events)
        await database.until_folded()
        await database.execute("VACUUM ANALYZE")
        await _checks(report, plan, server, events)
        await _consumptions(report, plan, server)


async def _prepare(client: httpx.AsyncClient) -> None:
    await _made(client, "meters", METER)
    customer = {"key": "hot", "name": "Hot", "usageAttribution": {"subjectKeys": ["hot-1"]}}
    await _made(client, "customers", customer)
    for number in range(FEATURES):
        key = f"f{number}"
        await _made(client, "features", {"key": key, "name": key, "meterSlug": "m"})
        await _entitle(client, "hot", key)
    every = {"interval": f"PT{DAYS * 24 // PHASES}H", "anchor": _ago(DAYS)}
    await _made(client, "features", {"key": "phases", "name": "phases", "meterSlug": "m"})
    await _entitle(client, "hot", "phases")
    grant = {
        "amount": 1e9, "effectiveAt": _ago(DAYS - 0.001), "recurrence": every,
        "expiration": {"duration": "YEAR", "count": 1},
    }  # fmt: skip
    await _made(client, "subjects/hot/entitlements/phases/grants", grant)
    for number in range(ENTITLEMENTS):
        await _entitle(client, f"s{number}", "f0")


async def _entitle(client: httpx.AsyncClient, who: str, key: str) -> None:
    body = {
        "type": "metered", "featureKey": key, "issueAfterReset": 1e9,
        "measureUsageFrom": _ago(DAYS),
        "usagePeriod": {"interval": "P100Y", "anchor": _ago(DAYS)},
    }  # fmt: skip
    await _made(client, f"subjects/{who}/entitlements", body)


async def _made(client: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> None:
    (await client.post(f"/api/v1/{path}", json=body)).raise_for_status()


def _ago(days: float) -> str:
    now = datetime.now(UTC)  # noqa: TID251 (the bench has no other clock)
    return (now - timedelta(days=days)).isoformat().replace("+00:00", "Z")


async def _checks(report: Report, plan: Plan, server: Server, events: int) -> None:
    trivial = "/api/v1/meters/m"
    values = "/api/v1/subjects/hot/entitlements/{}/value"
    what = {
        trivial: "",
        values.format("f0"): f"value over {events:,} events, 1 phase",
        values.format("phases"): f"value over {events:,} events, {PHASES} phases",
        "/api/v1/customers/hot/access": f"access with {FEATURES + 1} features",
    }
    alone: dict[str, list[Sent]] = {path: [] for path in what}
    together: dict[str, list[Sent]] = {path: [] for path in what}
    for _ in range(plan.rounds):
        for path in what:
            alone[path].append(await _run(server, plan, 1, lambda _, path=path: _get(path)))
            together[path].append(await _run(server, plan, 16, lambda _, path=path: _get(path)))
    for path, name in what.items():
        if not name:
            continue
        rate = median(one.requests_per_s for one in together[path])
        p99 = median(one.p99_ms for one in alone[path])
        report.add(
            Line.cost(
                f"{name}, p50",
                against="GET of a meter",
                limit=median(one.p50_ms for one in alone[trivial]),
                product=median(one.p50_ms for one in alone[path]),
                unit="ms",
                goal=GOAL if path.endswith("value") else None,
                note=f"p99 {p99:.1f} ms; {rate:,.0f}/s over 16 connections",
            )
        )


async def _consumptions(report: Report, plan: Plan, server: Server) -> None:
    """Against the same events ingested one by one, which nobody decides about."""
    numbers = count()

    def consume(path: str) -> bytes:
        event = {"id": f"c{next(numbers)}", "source": "bench", "amount": 1}
        return _post(path, event)

    def ingest(number: int) -> bytes:
        event = {
            "specversion": "1.0", "id": f"i{next(numbers)}", "source": "bench", "type": "t",
            "subject": f"s{number % ENTITLEMENTS}", "data": {"v": 1},
        }  # fmt: skip
        return _post("/api/v1/events", event)

    of = "/api/v1/subjects/s{}/entitlements/f0/consume"
    makers: dict[str, Callable[[int], bytes]] = {
        "ingest": ingest,
        "consume of one entitlement": lambda _: consume(of.format(0)),
        f"consume of {ENTITLEMENTS:,} entitlements": lambda n: consume(of.format(n % ENTITLEMENTS)),
    }
    sent: dict[str, list[Sent]] = {name: [] for name in makers}
    for _ in range(plan.rounds):
        for name, make in makers.items():
            sent[name].append(await _run(server, plan, CONNECTIONS, make))
    rates = {name: median(one.requests_per_s for one in runs) for name, runs in sent.items()}
    for name, runs in sent.items():
        if name == "ingest":
            continue
        p50, p99 = median(one.p50_ms for one in runs), median(one.p99_ms for one in runs)
        report.add(
            Line.rate(
                f"{name} x {CONNECTIONS}",
                against="single events",
                limit=rates["ingest"],
                product=rates[name],
                unit="1/s",
                note=f"p50 {p50:.0f} ms, p99 {p99:.0f} ms",
            )
        )


async def _run(server: Server, plan: Plan, connections: int, make: Callable[[int], bytes]) -> Sent:
    requests = list(islice(map(make, count()), REQUESTS_MAX))
    sent = await send(server.port, requests, connections=connections, seconds=plan.run_s)
    if not sent.statuses.keys() <= {200, 204}:
        raise RuntimeError(f"answers {dict(sent.statuses)} to {requests[0]!r}")
    return sent


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n".encode()


def _post(path: str, body: Mapping[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    media_type = "application/cloudevents+json"
    return (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: {media_type}\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    ).encode() + content
