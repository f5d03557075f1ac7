"""A client of the shared server."""

from collections.abc import Iterator

import pytest
from tests.support.polar import Polar


@pytest.fixture
def polar(base_url: str) -> Iterator[Polar]:
    client = Polar(base_url)
    yield client
    client.http.close()
