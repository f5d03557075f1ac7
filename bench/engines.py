"""Two stores made for analysis, on the same events: DuckDB, and ClickHouse's engine."""

import importlib
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import msgspec

from bench.answers import Answer, from_rows
from bench.datasets import Dataset
from bench.questions import Question, clickhouse_sql, duckdb_sql

_CSV = (
    "namespace VARCHAR, key VARCHAR, source VARCHAR, id VARCHAR, event_type VARCHAR,"
    " subject VARCHAR, time TIMESTAMP, data VARCHAR, ingested_at TIMESTAMP"
)


class Engine(Protocol):
    name: str

    def seconds(self, question: Question) -> float:
        """How long the engine itself takes, from the query's text to its result in memory."""

    def answer(self, question: Question) -> Answer: ...

    def close(self) -> None: ...


class DuckDb:
    """Typed columns in memory: what a table made for this one meter could do."""

    name = "DuckDB, typed"

    def __init__(self, csv: Path, dataset: Dataset) -> None:
        self._connection = duckdb.connect()
        texts = ", ".join(
            f"data->>'$.{name}' AS {name}" for name in (*dataset.groups, dataset.unique)
        )
        columns = dict(one.strip().split(" ") for one in _CSV.split(","))
        self._connection.execute(
            f"CREATE TABLE usage AS SELECT event_type, subject, time,"
            f" CAST(data->>'$.{dataset.value}' AS DECIMAL(18, 1)) AS {dataset.value}, {texts}"
            f" FROM read_csv('{csv}', header = false, columns = {columns})"
        )

    def seconds(self, question: Question) -> float:
        began = time.perf_counter()
        self._connection.execute(duckdb_sql(question))
        return time.perf_counter() - began

    def answer(self, question: Question) -> Answer:
        rows = self._connection.execute(duckdb_sql(question)).fetchall()
        return from_rows(_window_as_text(row) for row in rows)

    def close(self) -> None:
        self._connection.close()


class ClickHouse:
    """OpenMeter's table: JSON as text, ordered by type, subject and hour; merged into few parts."""

    name = "ClickHouse, JSON"

    def __init__(self, csv: Path, directory: Path) -> None:
        """Raises ImportError when chdb is not installed."""
        session: Any = importlib.import_module("chdb.session")
        self._session: Any = session.Session(str(directory))
        columns = _CSV.replace("VARCHAR", "String").replace("TIMESTAMP", r"DateTime64(6, \'UTC\')")
        self._session.query("CREATE DATABASE bench")
        self._session.query("USE bench")
        self._session.query(
            "CREATE TABLE events (namespace String, id String, event_type LowCardinality(String),"
            " source String, subject String, time DateTime('UTC'), data String,"
            " ingested_at DateTime('UTC'), stored_at DateTime('UTC')) ENGINE = MergeTree"
            " PARTITION BY toYYYYMM(time)"
            " ORDER BY (namespace, event_type, subject, toStartOfHour(time))"
        )
        self._session.query(
            "INSERT INTO events SELECT namespace, id, event_type, source, subject, time, data,"
            f" ingested_at, ingested_at FROM file('{csv}', CSV, '{columns}')"
        )
        self._session.query("OPTIMIZE TABLE events FINAL")

    def seconds(self, question: Question) -> float:
        began = time.perf_counter()
        self._session.query(clickhouse_sql(question), "JSONEachRow")
        return time.perf_counter() - began

    def answer(self, question: Question) -> Answer:
        text = self._session.query(clickhouse_sql(question), "JSONCompactEachRow").bytes()
        rows = (msgspec.json.decode(line) for line in text.splitlines())
        return from_rows(tuple(row) for row in rows)

    def close(self) -> None:
        self._session.close()


def _window_as_text(row: tuple[Any, ...]) -> tuple[Any, ...]:
    first = row[0]
    return (f"{first:%Y-%m-%d %H:%M:%S}", *row[1:]) if isinstance(first, datetime) else row
