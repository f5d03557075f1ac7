"""Liveness, readiness, version and metrics; and a database that goes away and comes back."""

import asyncio
import platform
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from tests.support.databases import new_database
from tests.support.metering import Metering, refusal

from monometer import embedded
from monometer.app import create_app
from monometer.config import Settings
from monometer.store.engine import create_engine, transaction

EVENT = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "s"}


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@asynccontextmanager
async def running(database_url: str, directory: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(database_url=database_url, data_dir=directory))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


def test_live_says_ok(api: Metering) -> None:
    answer = api.http.get("/healthz/live")
    assert (answer.status_code, answer.text) == (200, "ok")
    assert answer.headers["content-type"] == "text/plain"


def test_ready_tells_what_it_checked(api: Metering) -> None:
    answer = api.http.get("/healthz/ready")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"status": "ok", "checks": {"database": "ok", "migrations": "ok"}}


def test_version_names_release_system_and_machine(api: Metering) -> None:
    assert api.http.get("/version").json() == {
        "version": version("monometer"),
        "os": platform.system().lower(),
        "arch": platform.machine(),
    }


@pytest.fixture
def own_directory() -> Iterator[Path]:
    """Short, and open to the user that PostgreSQL runs as."""
    directory = Path(tempfile.mkdtemp(prefix="monometer-health-"))
    yield directory
    shutil.rmtree(directory)


async def test_without_its_database_a_server_lives_but_is_not_ready(own_directory: Path) -> None:
    database = embedded.start(own_directory)
    try:
        async with running(database.url, own_directory) as client:
            assert (await client.get("/healthz/ready")).status_code == 200
            await asyncio.to_thread(database.stop)  # the server goes on meanwhile

            answer = await client.get("/healthz/ready")
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/json"
            assert answer.json() == {
                "status": "unavailable",
                "checks": {"database": "the database cannot be reached", "migrations": "unknown"},
            }
            for answer in (
                await client.get("/api/v1/meters"),
                await client.get("/api/v1/events"),
                await client.get("/api/v1/meters/m/query"),
                await client.get("/api/v1/debug/metrics"),
                await client.post("/api/v1/events", json=EVENT),
            ):
                assert refusal(answer) == (503, "the database cannot be reached")
                assert int(answer.headers["retry-after"]) >= 1
            for path in ("/healthz/live", "/metrics", "/version", "/api/v1/info/currencies"):
                assert (await client.get(path)).status_code == 200

            database = embedded.start(own_directory)
            assert (await client.get("/healthz/ready")).status_code == 200
            assert (await client.post("/api/v1/events", json=EVENT)).status_code == 204
    finally:
        database.stop()


async def test_database_of_another_version_is_not_ready(postgres_url: str, tmp_path: Path) -> None:
    async with new_database(postgres_url) as url, running(url, tmp_path) as client:
        engine = create_engine(url, connections_max=1, wait_s=10, statement_timeout_s=10)
        async with transaction(engine) as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
        await engine.dispose()
        answer = await client.get("/healthz/ready")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "ok"
        assert answer.json()["checks"]["migrations"].startswith("at older, expected ")


def samples(api: Metering, name: str, **labels: str) -> float:
    """Sum of the samples of that name with at least these labels."""
    answer = api.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "charset" not in answer.headers["content-type"]
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_metrics_count_what_became_of_events(api: Metering) -> None:
    name = "monometer_ingest_events_total"
    before = {r: samples(api, name, result=r) for r in ("accepted", "duplicate", "rejected")}
    commits = samples(api, "monometer_ingest_commit_seconds_count")
    meter = api.create()
    event = {"id": meter["slug"]}
    api.send(meter, event, event, {})
    api.post("/api/v1/events", {**EVENT, "subject": ""})
    after = {r: samples(api, name, result=r) for r in before}
    assert {r: after[r] - before[r] for r in before} == {
        "accepted": 2,
        "duplicate": 1,
        "rejected": 1,
    }
    assert samples(api, "monometer_ingest_commit_seconds_count") > commits


def test_metrics_count_requests_by_route_and_status(api: Metering) -> None:
    route = "/api/v1/meters/{meterIdOrSlug}/query"
    names = {
        "monometer_requests_total": {"route": route, "method": "GET", "status": "404"},
        "monometer_request_seconds_count": {"route": route, "method": "GET"},
    }
    before = {name: samples(api, name, **labels) for name, labels in names.items()}
    for number in range(3):
        api.query({"slug": f"nobody{number}"})
    for name, labels in names.items():
        assert samples(api, name, **labels) - before[name] == 3


def test_metrics_time_queries(api: Metering) -> None:
    before = samples(api, "monometer_query_seconds_count")
    api.query(api.create())
    assert samples(api, "monometer_query_seconds_count") - before == 1


def test_metrics_show_the_queue_and_the_pool(api: Metering) -> None:
    page = api.http.get("/metrics").text
    assert "\nmonometer_ingest_queued_events " in page
    for state in ("idle", "in_use"):
        assert f'\nmonometer_pool_connections{{state="{state}"}} ' in page


def test_unknown_paths_and_methods_make_no_new_series(api: Metering) -> None:
    for number in range(3):
        api.http.get(f"/unknown/{number}")
    page = api.http.get("/metrics").text
    assert "/unknown/" not in page
    assert samples(api, "monometer_requests_total", route="unmatched", status="404") >= 3
