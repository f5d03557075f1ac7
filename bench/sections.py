"""The bench from beginning to end: what runs when, and on which database."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from bench import entitling, keys, querying, servers
from bench.asking import ask
from bench.databases import Cluster, Database, running_cluster
from bench.datasets import FLIGHTS, SYNTHETIC, Dataset, flights, synthetic, write_csv
from bench.engines import ClickHouse, DuckDb, Engine
from bench.ingesting import Ingest
from bench.limits import CopyLimit
from bench.plan import LAYERS, Plan, Section
from bench.questions import meters, questions
from bench.report import Line, Report
from bench.servers import Server

GOAL_GROWTH = {"q3": 0.5, "q4": 0.5}  # within two times the time, for four times the events
ASKED = 5  # times, to see what grows
NOTICED_WITHIN_S = 1.0  # a new meter, by the folder


@dataclass(frozen=True, slots=True)
class Bench:
    plan: Plan
    report: Report
    directory: Path

    async def run(self) -> None:
        with (
            running_cluster(self._part("postgres")) as cluster,
            servers.parse_only(self._part("parse-only")) as parse_only,
        ):
            self.report.machine["postgresql"] = await cluster.version()
            copy = CopyLimit(self.plan.run_events)
            if self._wants(Section.EMPTY):
                await self._onto_empty(cluster, parse_only, copy)
            if self._wants(Section.KEYS):
                self.report.progress("what asking for keys costs")
                await keys.measure(self.report, self.plan, cluster, self._part("keys"))
            if self._wants(Section.ENTITLEMENTS):
                self.report.progress("checks of access, and consuming")
                directory = self._part("entitling")
                await entitling.measure(self.report, self.plan, cluster, directory)
            if self._wants(Section.QUERIES, Section.PRELOADED, Section.GROWTH):
                await self._onto_preloaded(cluster, parse_only, copy)
            if self._wants(Section.FLIGHTS):
                await self._flights(cluster)

    def _wants(self, *sections: Section) -> bool:
        return not self.plan.sections.isdisjoint(sections)

    def _part(self, name: str) -> Path:
        path = self.directory / name
        path.mkdir()
        return path

    async def _onto_empty(self, cluster: Cluster, parse_only: Server, copy: CopyLimit) -> None:
        self.report.progress("ingest onto an empty table")
        database = await cluster.new_database("empty")
        directory = self._part("empty")
        with servers.product(database.url, directory) as server:
            await self._with_meters(server, SYNTHETIC)
            ingest = Ingest(
                self.plan, cluster, database, server, parse_only, copy, "empty table", emptied=True
            )
            await ingest.indexed(self.report)
            await ingest.measure(self.report)
            await ingest.lag(self.report)

    async def _onto_preloaded(self, cluster: Cluster, parse_only: Server, copy: CopyLimit) -> None:
        directory = self._part("preloaded")
        database = await cluster.new_database("preloaded")
        csv = directory / "events.csv"
        write_csv(csv, synthetic(self.plan.events, layer=0))
        with servers.product(database.url, directory):
            pass  # it makes the tables
        await self._load(database, csv)
        with servers.product(database.url, directory) as server:
            await self._with_meters(server, SYNTHETIC)
            await self._fold(database, self.plan.events)
            if self._wants(Section.QUERIES):
                await self._queries(SYNTHETIC, database, server, csv)
            if self._wants(Section.PRELOADED):
                await self._ingest_more(cluster, database, server, parse_only, copy)
            if self._wants(Section.GROWTH):
                await self._grow(database, server, csv)

    async def _ingest_more(
        self,
        cluster: Cluster,
        database: Database,
        server: Server,
        parse_only: Server,
        copy: CopyLimit,
    ) -> None:
        self.report.progress("ingest onto the preloaded table")
        where = f"onto {self.plan.events:,}"
        ingest = Ingest(
            self.plan, cluster, database, server, parse_only, copy, where, emptied=False
        )
        await ingest.measure(self.report)
        await ingest.lag(self.report)

    async def _with_meters(self, server: Server, dataset: Dataset) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            for meter in meters(dataset):
                (await client.post("/api/v1/meters", json=meter)).raise_for_status()
        await asyncio.sleep(NOTICED_WITHIN_S)

    async def _load(self, database: Database, csv: Path) -> None:
        began = time.monotonic()
        await database.load(csv)
        self.report.note(f"{csv.stem} loaded past the server in {time.monotonic() - began:.0f} s")

    async def _fold(self, database: Database, events: int) -> None:
        began = time.monotonic()
        await database.until_folded()
        seconds = time.monotonic() - began
        self.report.note(f"{events:,} events folded within {seconds:.0f} s of a new meter")
        # As autovacuum would within a minute.
        await database.execute("VACUUM ANALYZE")

    async def _queries(
        self, dataset: Dataset, database: Database, server: Server, csv: Path
    ) -> None:
        asked = questions(dataset)
        if dataset is SYNTHETIC:  # before anything else has made the server grow
            by_name = {question.name: question for question in asked}
            await querying.stream(self.report, by_name["q2"], server)
        self.report.progress(f"queries on {dataset.name}")
        with (
            self._engines(dataset, csv) as engines,
            servers.product(database.url, csv.parent, projections=False) as raw,
        ):
            stores = (server, raw, engines)
            await querying.measure(self.report, self.plan, asked, stores)

    @contextmanager
    def _engines(self, dataset: Dataset, csv: Path) -> Iterator[list[Engine]]:
        engines: list[Engine] = [DuckDb(csv, dataset)]
        try:
            try:
                engines.append(ClickHouse(csv, csv.with_suffix(".clickhouse")))
            except ImportError:
                self.report.note("ClickHouse's engine is skipped: pip install 'monometer[bench]'")
            yield engines
        finally:
            for engine in engines:
                engine.close()

    async def _grow(self, database: Database, server: Server, csv: Path) -> None:
        """Four times the events, over the same days: more in a cell, no more cells by group."""
        before = await self._seconds(server)
        for layer in range(1, LAYERS):
            write_csv(csv, synthetic(self.plan.events, layer=layer))
            await self._load(database, csv)
        await self._fold(database, (LAYERS - 1) * self.plan.events)
        after = await self._seconds(server)
        for name, seconds in after.items():
            self.report.add(
                Line.cost(
                    f"{name} on {LAYERS * self.plan.events:,} events",
                    against=f"on {self.plan.events:,}",
                    limit=before[name] * 1000,
                    product=seconds * 1000,
                    unit="ms",
                    goal=GOAL_GROWTH.get(name),
                )
            )

    async def _seconds(self, server: Server) -> dict[str, float]:
        """By question; each is asked once before."""
        seconds: dict[str, float] = {}
        for question in questions(SYNTHETIC):
            replies = [await ask(server.port, question.target()) for _ in range(1 + ASKED)]
            seconds[question.name] = median(reply.seconds for reply in replies[1:])
        return seconds

    async def _flights(self, cluster: Cluster) -> None:
        directory = self._part("flights")
        csv = directory / "flights.csv"
        events = write_csv(csv, flights())
        if not events:
            self.report.note("the flights are skipped: pip install 'monometer[bench]'")
            return
        database = await cluster.new_database("flights")
        with servers.product(database.url, directory) as server:
            await self._load(database, csv)
            await self._with_meters(server, FLIGHTS)
            await self._fold(database, events)
            await self._queries(FLIGHTS, database, server, csv)
