"""A server of this dialect's own: its meters of every type would be meters of others' events."""

from collections.abc import Iterator

import pytest
from tests.support.own_server import base_url, server_database_url
from tests.support.polar import Polar

__all__ = ["base_url", "server_database_url"]  # fixtures of every file here


@pytest.fixture
def polar(base_url: str) -> Iterator[Polar]:
    client = Polar(base_url)
    yield client
    client.http.close()
