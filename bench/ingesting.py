"""Events over HTTP, in every size of request, next to the limits."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median

from bench.asking import metrics
from bench.databases import Cluster, Database
from bench.limits import CopyLimit
from bench.load import Sent, send
from bench.plan import Plan
from bench.report import Line, Report
from bench.servers import Server
from bench.shipments import Shipment, shipment

SINGLE_EVENTS_PER_S = 25_000  # no more are made for a run of single events
GOAL_BATCHES, GOAL_DUPLICATES, GOAL_SINGLE = 0.35, 0.9, 0.5
GOAL_P99_P50 = 8
GOAL_LAG_S = 1.0
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Scenario:
    connections: int
    batch: int
    duplicates: float

    @property
    def what(self) -> str:
        one = "single events" if self.batch == 1 else f"batches of {self.batch:,}"
        again = f", {self.duplicates:.0%} dup." if self.duplicates else ""
        return f"{one} x {self.connections}{again}"


SINGLE = Scenario(128, 1, 0.0)
BATCHES = Scenario(16, 100, 0.0)
REPEATED = Scenario(16, 100, 0.2)
SHAPES = ((1, 1), (16, 1), (128, 1), (16, 100), (16, 1_000))


@dataclass(slots=True)
class Measured:
    """Of the rounds of one scenario. CPU in microseconds an event."""

    limits: list[float]
    events_per_s: list[float]
    p50_ms: list[float]
    p99_ms: list[float]
    server_us: list[float]
    postgres_us: list[float]

    def note(self) -> str:
        return (
            f"p50 {median(self.p50_ms):.1f} p99 {median(self.p99_ms):.1f} ms,"
            f" CPU {median(self.server_us):.1f} + {median(self.postgres_us):.1f} us"
        )


@dataclass(frozen=True, slots=True)
class Ingest:
    """Measures one server on one database. `where` says onto what, for people."""

    plan: Plan
    cluster: Cluster
    database: Database
    server: Server
    parse_only: Server
    copy: CopyLimit
    where: str
    emptied: bool

    async def measure(self, report: Report) -> None:
        shares = self.plan.duplicates if self.emptied else self.plan.duplicates_preloaded
        scenarios = [Scenario(*shape, share) for share in shares for shape in SHAPES]
        measured = {scenario: Measured([], [], [], [], [], []) for scenario in scenarios}
        for number in range(self.plan.rounds):
            for scenario in scenarios:
                if number < self._rounds(scenario):
                    await self._round(scenario, measured[scenario])
        for scenario in scenarios:
            self._tell(report, scenario, measured)

    def _rounds(self, scenario: Scenario) -> int:
        decisive = self.emptied and scenario in {SINGLE, BATCHES, REPEATED}
        return self.plan.rounds if decisive else self.plan.other_rounds

    async def _round(self, scenario: Scenario, measured: Measured) -> None:
        load = self._shipment(scenario)
        if scenario.batch == 1:
            again = list(islice(cycle(load.requests), len(load.requests) * 2))
            sent = await self._send(self.parse_only, again, scenario)
            measured.limits.append(sent.requests_per_s)
        else:
            measured.limits.append(await self.copy.rows_per_s(self.database))
        await self._settle()
        stored = await self._stored()
        server, postgres = self.server.cpu_s(), self.cluster.cpu_s()
        sent = await self._send(self.server, load.requests, scenario)
        events = sent.requests * scenario.batch
        measured.server_us.append((self.server.cpu_s() - server) / events * 1e6)
        measured.postgres_us.append((self.cluster.cpu_s() - postgres) / events * 1e6)
        measured.events_per_s.append(events / sent.seconds)
        measured.p50_ms.append(sent.p50_ms)
        measured.p99_ms.append(sent.p99_ms)
        _same_counts(stored, await self._stored(), load, sent.requests)

    def _shipment(self, scenario: Scenario) -> Shipment:
        events = self.plan.run_events
        if scenario.batch == 1:
            events = min(events, int(self.plan.run_s * SINGLE_EVENTS_PER_S))
        return shipment(events, batch=scenario.batch, duplicates=scenario.duplicates)

    async def _send(self, server: Server, requests: Sequence[bytes], scenario: Scenario) -> Sent:
        sent = await send(
            server.port, requests, connections=scenario.connections, seconds=self.plan.run_s
        )
        if sent.statuses.keys() != {204}:
            raise RuntimeError(f"{scenario.what}: answers {dict(sent.statuses)}")
        return sent

    async def _settle(self) -> None:
        """Every run starts from the same state: nothing left to fold."""
        if self.emptied:
            await self.database.empty()
        await self.database.until_folded()

    async def _stored(self) -> tuple[int, int]:
        """How many events the server has called new, and how many it knew."""
        counts = await metrics(self.server.port)
        name = 'monometer_ingest_events_total{{result="{}"}}'
        return int(counts.get(name.format("accepted"), 0)), int(
            counts.get(name.format("duplicate"), 0)
        )

    def _tell(self, report: Report, scenario: Scenario, measured: dict[Scenario, Measured]) -> None:
        mine = measured[scenario]
        single = scenario.batch == 1
        goals = {SINGLE: GOAL_SINGLE, BATCHES: GOAL_BATCHES} if self.emptied else {}
        report.add(
            Line.rate(
                f"{scenario.what}, {self.where}",
                against="parse-only" if single else "raw COPY",
                limit=median(mine.limits),
                product=median(mine.events_per_s),
                unit="events/s",
                goal=goals.get(scenario),
                note=mine.note(),
            )
        )
        if scenario == SINGLE and self.emptied:
            report.add(
                Line.cost(
                    f"p99 of {scenario.what}",
                    against=f"{GOAL_P99_P50} x p50",
                    limit=median(mine.p50_ms) * GOAL_P99_P50,
                    product=median(mine.p99_ms),
                    unit="ms",
                    goal=1,
                )
            )
        if scenario == REPEATED:
            report.add(
                Line.rate(
                    f"batches of 100 x 16, 20% dup., {self.where}",
                    against="0% dup.",
                    limit=median(measured[BATCHES].events_per_s),
                    product=median(mine.events_per_s),
                    unit="events/s",
                    goal=GOAL_DUPLICATES if self.emptied else None,
                )
            )

    async def indexed(self, report: Report) -> None:
        """What the indexes leave of the limit of batches, with nobody beside that COPY."""
        limits: list[float] = []
        indexed: list[float] = []
        for _ in range(self.plan.rounds):
            limits.append(await self.copy.rows_per_s(self.database))
            indexed.append(await self.copy.rows_per_s(self.database, indexed=True))
        report.add(
            Line.rate(
                "COPY alone, with all indexes",
                against="raw COPY",
                limit=median(limits),
                product=median(indexed),
                unit="rows/s",
            )
        )

    async def lag(self, report: Report) -> None:
        """How far folding stays behind while events come in as fast as they can."""
        await self._settle()
        seconds = self.plan.lag_run_s
        events = int(seconds / self.plan.run_s * self.plan.run_events)
        load = shipment(events, batch=BATCHES.batch, duplicates=0)
        told: list[float] = []
        seen: list[float] = []

        async def watch() -> None:
            while True:
                told.append((await metrics(self.server.port))["monometer_fold_lag_seconds"])
                seen.append(await self.database.oldest_unfolded_s())
                await asyncio.sleep(POLL_S)

        watching = asyncio.create_task(watch())
        sent = await send(
            self.server.port, load.requests, connections=BATCHES.connections, seconds=seconds
        )
        await self.database.until_folded()
        await asyncio.sleep(1)  # the round that folded the last event is told too
        watching.cancel()
        rate = sent.requests * BATCHES.batch / sent.seconds
        report.add(
            Line.cost(
                f"fold lag at full ingest, {self.where}",
                against="goal",
                limit=GOAL_LAG_S,
                product=max(told),
                unit="s",
                goal=1,
                note=f"{rate:,.0f} events/s, {sent.seconds:.0f} s; in the tables {max(seen):.2f} s",
            )
        )


def _same_counts(
    before: tuple[int, int], after: tuple[int, int], load: Shipment, requests: int
) -> None:
    """Raises RuntimeError unless every different event was new once, and known when repeated."""
    new = load.new[requests - 1]
    expected = (before[0] + new, before[1] + requests * load.batch - new)
    if after != expected:
        raise RuntimeError(f"{after} events are called new and known, expected {expected}")
