"""The scripts that move others' data here, run from one namespace of a server to another."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from tests.support.access import Guarded, guarded_server, migrated_database, new_key
from tests.support.polar import Polar, clause, every
from tests.support.server import clean_environment
from tests.support.togai import Togai

SCRIPTS = Path(__file__).parents[2] / "examples" / "moving"
IN_JUNE = {
    "start_timestamp": "2024-06-01T00:00:00Z", "end_timestamp": "2024-06-30T00:00:00Z",
    "interval": "month",
}  # fmt: skip


class Two(NamedTuple):
    """A server, and the keys of the namespace that is left and of the one moved to."""

    server: Guarded
    old: str
    new: str


@pytest.fixture
def togais(two: Two) -> Iterator[tuple[Togai, Togai]]:
    clients = Togai(two.server.url, two.old), Togai(two.server.url, two.new)
    yield clients
    for one in clients:
        one.http.close()


@pytest.fixture
def polars(two: Two) -> Iterator[tuple[Polar, Polar]]:
    clients = Polar(two.server.url, two.old), Polar(two.server.url, two.new)
    yield clients
    for one in clients:
        one.http.close()


@pytest.fixture(scope="module")
async def two(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    async with migrated_database(postgres_url) as url:
        keys = [await new_key(url, namespace) for namespace in ("old", "new")]
        with guarded_server(url, tmp_path_factory.mktemp("moving")) as server:
            yield Two(server, *keys)


def run(*command: str, stdin: str | None = None, **settings: str) -> str:
    ended = subprocess.run(
        [sys.executable, *command],
        input=stdin, capture_output=True, text=True, timeout=60, check=False,
        env=clean_environment(settings),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_everything_of_togai_moves(two: Two, togais: tuple[Togai, Togai]) -> None:
    old, new = togais
    fields = [
        {"name": "kilo", "type": "ATTRIBUTE", "enrichmentType": "JSON_LOGIC", "order": 1,
         "value": '{"/":[{"var":"attribute.bytes"},1000]}'},
    ]  # fmt: skip
    old.told("PATCH", f"/event_schema/{old.schema}", enrichments={"fields": fields})
    old.active(computations=[{"computation": '{"var":"attributes.kilo"}'}])
    alias = uuid4().hex
    account = old.account(aliases=[alias])["id"]
    events = [old.event(alias, {"bytes": f"{n}.5"}) for n in range(60)]
    assert old.ingest(*events[:40], old.event("nobody"))[-1] == "FAILED_ACCOUNT_NOT_FOUND"
    old.ingest(*events[40:])

    script = str(SCRIPTS / "from_togai.py")
    sides = [(f"{two.server.url}/togai", key) for key in (two.old, two.new)]
    for _ in range(2):
        assert "60 events sent" in run(script, *(part for side in sides for part in side))
        (meter,) = new.told("GET", "/usage_meters")["data"]
        assert (meter["status"], meter["computations"][0]["order"]) == ("ACTIVE", 1)
        assert new.points(meter["id"], groupBy="ACCOUNT_ID") == {account: Decimal("1.8")}
        assert new.told("GET", f"/accounts/{account}")["aliases"] == [{"alias": alias}]


def test_events_of_polar_move(two: Two, polars: tuple[Polar, Polar]) -> None:
    old, new = polars
    sent = [{"external_id": f"{old.name}-{n}", "metadata": {"v": n + 0.25}} for n in range(120)]
    assert old.ingest(*sent).json() == {"inserted": 120, "duplicates": 0}
    lines = run(str(SCRIPTS / "from_polar.py"), two.server.url, two.old)
    for _ in range(2):
        done = run(
            "-m", "monometer", "ingest", "-", "--url", two.server.url,
            stdin=lines, MONOMETER_TOKEN=two.new,
        )  # fmt: skip
        assert "rejected 0" in done
    of_name = every(clause("name", "eq", old.name))
    for side in (old, new):
        meter = side.create("sum", filter_=of_name, on="v")
        (_, total) = side.quantities(meter, **IN_JUNE)
        assert total == sum(range(120)) + 30
