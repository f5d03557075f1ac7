"""Fixtures of a server that a file's tests share with no other file, for a conftest to import."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.databases import new_database
from tests.support.portal import PORTAL_SECRET
from tests.support.server import running_server


@pytest.fixture(scope="module")
async def server_database_url(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def base_url(server_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("own")
    with running_server(server_database_url, directory, portal_token_secret=PORTAL_SECRET) as url:
        yield url
