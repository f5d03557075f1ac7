"""The bench's own PostgreSQL: databases on it, what it has used of the processor."""

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import asyncpg
import psutil
from sqlalchemy import make_url

from bench.datasets import COLUMNS
from monometer import embedded

ROWS_A_COPY = 20_000
FOLDED_WITHIN_S = 3600

_UNFOLDED = """
SELECT count(*) = 0 OR coalesce(bool_or(NOT sparse AND watermark <= newest.xid), false)
FROM projection JOIN cohort ON cohort.id = cohort_id AND NOT unwanted
LEFT JOIN (SELECT xid FROM event ORDER BY xid DESC LIMIT 1) AS newest ON true
"""
_OLDEST_UNFOLDED_S = """
SELECT extract(epoch FROM clock_timestamp() - stored_at)::float FROM event
WHERE xid >= (SELECT min(watermark) FROM projection JOIN cohort ON cohort.id = cohort_id
              WHERE NOT sparse AND NOT unwanted)
ORDER BY xid LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    url: str
    postmaster: psutil.Process

    async def new_database(self, name: str) -> "Database":
        connection = await Database(self.url).connect()
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        await connection.close()
        url = make_url(self.url).set(database=name)
        return Database(url.render_as_string(hide_password=False))

    async def version(self) -> str:
        connection = await Database(self.url).connect()
        version = await connection.fetchval("SHOW server_version")
        await connection.close()
        return str(version)

    def cpu_s(self) -> float:
        """Of all its processes, those that have ended too."""
        ended = self.postmaster.cpu_times()
        used: float = ended.children_user + ended.children_system
        for process in self.postmaster.children():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            used += times.user + times.system
        return used


@contextmanager
def running_cluster(directory: Path) -> Iterator[Cluster]:
    with embedded.start(directory) as server:
        pid_file = directory / "postgres" / "postmaster.pid"
        yield Cluster(server.url, psutil.Process(int(pid_file.read_text().split("\n")[0])))


@dataclass(frozen=True, slots=True)
class Database:
    url: str
    """For SQLAlchemy, and for the server's setting."""

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        url = make_url(self.url)
        return await asyncpg.connect(
            host=str(url.query["host"]),
            port=int(str(url.query["port"])),
            user=url.username,
            database=url.database,
            server_settings={"timezone": "UTC", "jit": "off"},
        )

    async def execute(self, *statements: str) -> None:
        connection = await self.connect()
        try:
            for statement in statements:
                await connection.execute(statement, timeout=FOLDED_WITHIN_S)
        finally:
            await connection.close()

    async def load(self, path: Path) -> None:
        """Copy a dataset's CSV into the event table, past the server; then VACUUM ANALYZE."""
        connection = await self.connect()
        try:
            with path.open("rb") as file:
                while lines := list(islice(file, ROWS_A_COPY)):
                    await connection.copy_to_table(
                        "event", source=io.BytesIO(b"".join(lines)), columns=COLUMNS, format="csv"
                    )
            await connection.execute("VACUUM ANALYZE event", timeout=FOLDED_WITHIN_S)
        finally:
            await connection.close()

    async def empty(self) -> None:
        await self.execute("TRUNCATE projection, hourly_by_group, hourly_by_subject, event")

    async def until_folded(self) -> None:
        """Wait until no projection misses an event. Raises TimeoutError."""
        connection = await self.connect()
        try:
            async with asyncio.timeout(FOLDED_WITHIN_S):
                while await connection.fetchval(_UNFOLDED):  # noqa: ASYNC110 (another process)
                    await asyncio.sleep(0.1)
        finally:
            await connection.close()

    async def oldest_unfolded_s(self) -> float:
        """For how long the oldest event has waited that some projection misses."""
        connection = await self.connect()
        try:
            waited = await connection.fetchval(_OLDEST_UNFOLDED_S)
        finally:
            await connection.close()
        return float(waited or 0)
