"""A server of this dialect's own, so that lists hold what a test has made last."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.databases import new_database
from tests.support.server import running_server
from tests.support.togai import Togai


@pytest.fixture(scope="package")
async def server_database_url(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="package")
def base_url(server_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(server_database_url, tmp_path_factory.mktemp("togai")) as url:
        yield url


@pytest.fixture
def togai(base_url: str) -> Iterator[Togai]:
    client = Togai(base_url)
    yield client
    client.http.close()
