"""Servers for the tests of the API: the shared one, and one that is strict about sizes."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from tests.support.access import Guarded, guarded_server, migrated_database
from tests.support.databases import new_database
from tests.support.sending import STRICT_LIMITS, Sender
from tests.support.server import running_server


@pytest.fixture(scope="session")
def sender(base_url: str) -> Iterator[Sender]:
    with Sender(base_url) as client:
        yield client


@pytest.fixture(scope="session")
async def strict_database_url(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def strict_url(strict_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a second server, with STRICT_LIMITS."""
    limits = {name: str(limit) for name, limit in STRICT_LIMITS.items()}
    directory = tmp_path_factory.mktemp("strict-server")
    with running_server(strict_database_url, directory, **limits) as url:
        yield url


@pytest.fixture(scope="session")
def strict_sender(strict_url: str) -> Iterator[Sender]:
    with Sender(strict_url) as client:
        yield client


@pytest.fixture(scope="session")
async def guarded_database_url(postgres_url: str) -> AsyncIterator[str]:
    async with migrated_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def guarded(
    guarded_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    """A server that asks for API keys."""
    with guarded_server(guarded_database_url, tmp_path_factory.mktemp("guarded")) as server:
        yield server


@pytest.fixture(scope="session")
def admin(guarded: Guarded) -> Iterator[httpx.Client]:
    """A client of `guarded` that may do everything in namespace HOME."""
    with guarded.client(guarded.admin_key) as client:
        yield client
