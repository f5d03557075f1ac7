"""The flights example: 336 776 real flights in, and the answers of DuckDB out.

The events go the way the example's README says: written by its script, ingested with
`monometer ingest` over HTTP. Every answer is compared exactly with what DuckDB computes from the
data set's own CSV file: windows as instants, groups, and values as decimals.
"""

# ruff: noqa: S608 (the SQL is put together from this file's own pieces, for an oracle in memory)

import csv
import importlib.util
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import duckdb
import httpx
import pytest
import yaml

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"
FLIGHTS = 336_776
NEW_YORK = "America/New_York"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AVG_CONTEXT = Context(prec=34, rounding=ROUND_HALF_EVEN)

# One row of an answer: start, end, subject, group values in the order asked for, value.
Row = tuple[datetime, datetime, str | None, tuple[str, ...], Decimal]

# With a window: its bounds on New York's clock. Without: first and last minute of the flights.
MONTH = f"""
    epoch_us(timezone('{NEW_YORK}', date_trunc('month', local))) AS s,
    epoch_us(timezone('{NEW_YORK}', date_trunc('month', local) + INTERVAL 1 MONTH)) AS e
"""
DAY = MONTH.replace("month", "day").replace("MONTH", "DAY")
WHOLE = "epoch_us(min(time)) AS s, epoch_us(max(time) + INTERVAL 1 MINUTE) AS e"


@dataclass(frozen=True)
class Flights:
    """A server that holds the flights, and the data set they came from."""

    url: str
    oracle: duckdb.DuckDBPyConnection

    def query(self, slug: str, **params: Any) -> list[Row]:
        """Ask the server; numbers are read as decimals, never as floats."""
        response = httpx.get(f"{self.url}/api/v1/meters/{slug}/query", params=params, timeout=60)
        assert response.status_code == 200, response.text
        answer = json.loads(response.text, parse_float=Decimal, parse_int=Decimal)
        keys = [key for key in params.get("groupBy", []) if key != "subject"]
        rows = []
        for row in answer["data"]:
            assert set(row["groupBy"]) == set(keys)
            groups = tuple(row["groupBy"][key] for key in keys)
            start, end = instant(row["windowStart"]), instant(row["windowEnd"])
            rows.append((start, end, row["subject"], groups, row["value"]))
        return rows

    def expect(self, select: str, *, groups: int = 0, subject: bool = False) -> list[Row]:
        """The same of DuckDB: bounds in microseconds, subject if any, groups, value or (sum, n)."""
        rows = []
        for start, end, *cells in self.oracle.sql(select).fetchall():
            who = cells.pop(0) if subject else None
            labels, numbers = tuple(cells[:groups]), [Decimal(cell) for cell in cells[groups:]]
            value = numbers[0] if len(numbers) == 1 else AVG_CONTEXT.divide(*numbers)
            rows.append((at(start), at(end), who, labels, value))
        return rows


@pytest.fixture(scope="module")
def flights(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flights]:
    script = load_script()
    directory = tmp_path_factory.mktemp("flights")
    with ZipFile(script.data_file()) as archive:
        original = archive.extract("flights.csv", directory)
    for meter in yaml.safe_load((EXAMPLE / "meters.yaml").read_text())["meters"]:
        created = httpx.post(f"{base_url}/api/v1/meters", json=meter, timeout=30)
        assert created.status_code == 201, created.text

    events = directory / "flights.ndjson"
    with events.open("wb") as output:
        subprocess.run([sys.executable, EXAMPLE / "flights.py"], stdout=output, check=True)
    ingest = [sys.executable, "-m", "monometer", "ingest", str(events), "--url", base_url]
    done = subprocess.run(ingest, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.startswith(f"accepted {FLIGHTS}, duplicate 0, rejected 0 "), done.stderr
    assert done.returncode == 0

    with duckdb.connect() as oracle:
        oracle.execute("SET TimeZone = 'UTC'")
        oracle.execute(
            f"""
            CREATE TABLE flight AS
            SELECT carrier, origin, dest, tailnum, distance::BIGINT AS distance,
                   air_time::BIGINT AS air_time,
                   time_hour::TIMESTAMPTZ + to_minutes(minute::BIGINT) AS time,
                   timezone('{NEW_YORK}', time) AS local
            FROM read_csv('{original}', header = true, all_varchar = true, nullstr = 'NA')
            """
        )
        yield Flights(base_url, oracle)


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("flights_example", EXAMPLE / "flights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def at(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_the_data_set_is_the_one_described(flights: Flights) -> None:
    counted = flights.oracle.sql(
        """
        SELECT count(*), count(*) - count(air_time), count(*) - count(tailnum),
               count(*) FILTER (timezone('America/New_York', time) <> local)
        FROM flight
        """
    ).fetchall()
    assert counted == [(FLIGHTS, 9_430, 2_512, 0)]


def test_all_flights_count_once(flights: Flights) -> None:
    found = flights.query("flights")
    assert found == flights.expect(f"SELECT {WHOLE}, count(*) FROM flight")
    assert found[0][-1] == FLIGHTS


def test_miles_flown(flights: Flights) -> None:
    found = flights.query("flights_distance")
    assert found == flights.expect(f"SELECT {WHOLE}, sum(distance) FROM flight")


def test_days_of_new_york_over_both_changes_of_the_clock(flights: Flights) -> None:
    found = flights.query("flights", windowSize="DAY", windowTimeZone=NEW_YORK)
    assert found == flights.expect(f"SELECT {DAY}, count(*) FROM flight GROUP BY s, e ORDER BY s")
    lengths = {start.date().isoformat(): (end - start) for start, end, *_ in found}
    assert len(lengths) == 365
    assert lengths.pop("2013-03-10") == timedelta(hours=23)
    assert lengths.pop("2013-11-03") == timedelta(hours=25)
    assert set(lengths.values()) == {timedelta(hours=24)}


def test_days_of_utc_are_other_days(flights: Flights) -> None:
    found = flights.query("flights_distance", windowSize="DAY")
    assert found == flights.expect(
        """
        SELECT epoch_us(date_trunc('day', time)) AS s,
               epoch_us(date_trunc('day', time) + INTERVAL 1 DAY) AS e,
               sum(distance)
        FROM flight GROUP BY s, e ORDER BY s
        """
    )
    assert len(found) == 366


def test_months_by_origin(flights: Flights) -> None:
    found = flights.query(
        "flights_distance", windowSize="MONTH", windowTimeZone=NEW_YORK, groupBy=["origin"]
    )
    assert found == flights.expect(
        f"SELECT {MONTH}, origin, sum(distance) FROM flight GROUP BY s, e, origin ORDER BY s, 3",
        groups=1,
    )
    assert len(found) == 36


def test_mean_air_time_leaves_out_the_missing_ones(flights: Flights) -> None:
    found = flights.query("flights_air_time_avg", groupBy=["origin", "dest"])
    # The bounds of a group are those of its usable values or of all its flights: the windows of
    # an answer without a window size are compared in other tests.
    expected = flights.expect(
        """
        SELECT 0, 0, origin, dest, sum(air_time), count(air_time) FROM flight
        WHERE air_time IS NOT NULL GROUP BY origin, dest ORDER BY origin, dest
        """,
        groups=2,
    )
    assert [row[3:] for row in found] == [row[3:] for row in expected]
    assert len(found) > 200


def test_mean_and_most_air_time_by_month(flights: Flights) -> None:
    window = {"windowSize": "MONTH", "windowTimeZone": NEW_YORK}
    assert flights.query("flights_air_time_avg", **window) == flights.expect(
        f"SELECT {MONTH}, sum(air_time), count(air_time) FROM flight GROUP BY s, e ORDER BY s"
    )
    for aggregate in ("max", "min"):
        assert flights.query(f"flights_air_time_{aggregate}", **window) == flights.expect(
            f"SELECT {MONTH}, {aggregate}(air_time) FROM flight GROUP BY s, e ORDER BY s"
        )


def test_different_planes_of_each_month(flights: Flights) -> None:
    found = flights.query("flights_planes", windowSize="MONTH", windowTimeZone=NEW_YORK)
    assert found == flights.expect(
        f"SELECT {MONTH}, count(DISTINCT tailnum) FROM flight GROUP BY s, e ORDER BY s"
    )


def test_latest_air_time_of_each_carrier(flights: Flights) -> None:
    end = "2014-01-01T04:59:00Z"  # in the last minute of the year, three of B6 leave together
    found = flights.query("flights_air_time_latest", groupBy=["subject"], to=end)
    latest = flights.oracle.sql(
        f"""
        SELECT carrier, air_time FROM flight WHERE air_time IS NOT NULL AND time < '{end}'
        QUALIFY time = max(time) OVER (PARTITION BY carrier) ORDER BY carrier
        """
    ).fetchall()
    assert len({carrier for carrier, _ in latest}) == len(latest) == 16  # so none is a tie
    assert [(row[2], row[4]) for row in found] == latest


def test_two_filters_at_once(flights: Flights) -> None:
    found = flights.query(
        "flights_air_time_avg",
        windowSize="DAY",
        windowTimeZone=NEW_YORK,
        **{
            "subject": ["AA", "UA"],
            "filterGroupBy[origin]": "JFK",
            "filterGroupBy[dest]": "LAX",
            "from": "2013-10-20T00:00:00-04:00",
            "to": "2013-11-20T00:00:00-05:00",
        },
    )
    assert found == flights.expect(
        f"""
        SELECT {DAY}, carrier, sum(air_time), count(air_time) FROM flight
        WHERE carrier IN ('AA', 'UA') AND origin = 'JFK' AND dest = 'LAX'
          AND local >= '2013-10-20' AND local < '2013-11-20' AND air_time IS NOT NULL
        GROUP BY s, e, carrier ORDER BY s, carrier
        """,
        subject=True,
    )
    assert len(found) > 50


def test_csv_has_the_same_numbers(flights: Flights) -> None:
    command = ["query", "flights_distance", "--url", flights.url, "--format", "csv"]
    window = ["--window-size", "MONTH", "--window-time-zone", NEW_YORK]
    groups = ["--group-by", "subject", "--group-by", "origin"]
    chosen = ["--filter", '{"dest": {"$in": ["LAX", "SFO"]}}']
    done = subprocess.run(
        [sys.executable, "-m", "monometer", *command, *window, *groups, *chosen],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    header, *rows = csv.reader(io.StringIO(done.stdout))
    assert header == ["window_start", "window_end", "subject", "origin", "value"]
    expected = flights.expect(
        f"""
        SELECT {MONTH}, carrier, origin, sum(distance) FROM flight WHERE dest IN ('LAX', 'SFO')
        GROUP BY s, e, carrier, origin ORDER BY s, carrier, origin
        """,
        groups=1,
        subject=True,
    )
    assert [
        (instant(start), instant(end), subject, (origin,), Decimal(value))
        for start, end, subject, origin, value in rows
    ] == expected
    assert len({row[2:4] for row in expected}) > 5
