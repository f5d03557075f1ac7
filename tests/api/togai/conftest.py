"""A server of this dialect's own, so that lists hold what a test has made last."""

from collections.abc import Iterator

import pytest
from tests.support.own_server import base_url, server_database_url
from tests.support.togai import Togai

__all__ = ["base_url", "server_database_url"]  # fixtures of every file here


@pytest.fixture
def togai(base_url: str) -> Iterator[Togai]:
    client = Togai(base_url)
    yield client
    client.http.close()
