"""One PostgreSQL for the whole run, one database for each worker, one namespace for each test."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.databases import new_database
from tests.support.portal import PORTAL_SECRET
from tests.support.server import running_server

from monometer import embedded
from monometer.config.addresses import asyncpg_url
from monometer.store import migrate
from monometer.store.engine import create_engine
from monometer.store.postgres_events import PostgresEventStore

_DIRECTORY = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


def pytest_configure(config: pytest.Config) -> None:
    # The embedded PostgreSQL's package says so when imported where no user is logged in.
    config.addinivalue_line("filterwarnings", "ignore:XDG_RUNTIME_DIR is not set")
    if not hasattr(config, "workerinput"):
        # Short, since a socket is in there. pytest's own temporary directories are closed to the
        # user that PostgreSQL runs as when root runs the tests.
        config.stash[_DIRECTORY] = Path(tempfile.mkdtemp(prefix="monometer-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist which directory the run has."""
    node.workerinput["directory"] = str(node.config.stash[_DIRECTORY])


def pytest_unconfigure(config: pytest.Config) -> None:
    if _DIRECTORY in config.stash:
        shutil.rmtree(config.stash[_DIRECTORY], ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """A PostgreSQL for tests, which may make databases on it.

    MONOMETER_TEST_DATABASE_URL names one; otherwise it is an embedded one that the workers of the
    run share, and that the last of them stops.
    """
    given = os.environ.get("MONOMETER_TEST_DATABASE_URL")  # noqa: TID251 - the tests' own setting
    if given:
        yield asyncpg_url(given)
        return
    worker: dict[str, str] = getattr(pytestconfig, "workerinput", {})
    directory = Path(worker["directory"]) if worker else pytestconfig.stash[_DIRECTORY]
    with embedded.start(directory) as server:
        yield server.url


@pytest.fixture(scope="session")
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """A migrated database, this worker's own."""
    async with new_database(postgres_url) as url:
        await migrate.upgrade(url)
        yield url


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    pool = create_engine(database_url, connections_max=10, wait_s=10, statement_timeout_s=60)
    yield pool
    await pool.dispose()


@pytest.fixture(scope="session")
def event_store(engine: AsyncEngine) -> PostgresEventStore:
    return PostgresEventStore(engine)


@pytest.fixture
def namespace() -> str:
    """Nothing is rolled back: each test has its own."""
    return f"ns-{uuid4().hex}"


@pytest.fixture(scope="session")
async def server_database_url(postgres_url: str) -> AsyncIterator[str]:
    """An empty database for `base_url`: the server migrates it itself."""
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def base_url(server_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running server: namespace `default`, no meter, shared by this worker's tests."""
    directory = tmp_path_factory.mktemp("server")
    with running_server(server_database_url, directory, portal_token_secret=PORTAL_SECRET) as url:
        yield url
