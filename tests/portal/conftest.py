"""A meter that two subjects use, on a server of the file's own.

A token that somebody else made tells the second of its age, give or take a clock's skew, so it is
refused for seconds after anybody invalidated all: nobody else may do so here.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.databases import new_database
from tests.support.metering import Meter, Metering, at
from tests.support.portal import PORTAL_SECRET, Portal
from tests.support.server import running_server


@pytest.fixture(scope="module")
async def server_database_url(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def base_url(server_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("portal")
    with running_server(server_database_url, directory, portal_token_secret=PORTAL_SECRET) as url:
        yield url


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def portal(api: Metering) -> Portal:
    return Portal(api)


@pytest.fixture(scope="module")
def meter(api: Metering) -> Meter:
    """1.5 and 2.25 of ann, 300 of bob."""
    meter = api.create("SUM", groupBy={"model": "$.model"})
    api.send(
        meter,
        at(subject="ann", data={"v": 1.5, "model": "m1"}),
        at("2024-06-16T12:00:00Z", subject="ann", data={"v": "2.25", "model": "m2"}),
        at(subject="bob", data={"v": 300, "model": "m1"}),
    )
    return meter
