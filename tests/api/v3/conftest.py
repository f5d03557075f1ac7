"""A client of v3 on the shared server."""

from collections.abc import Iterator

import pytest
from tests.support.v3 import Client


@pytest.fixture(scope="session")
def v3(base_url: str) -> Iterator[Client]:
    with Client(base_url) as client:
        yield client
