"""A meter that two subjects use, on the server that the worker's tests share."""

from collections.abc import Iterator

import pytest
from tests.support.metering import Meter, Metering, at
from tests.support.portal import Portal


@pytest.fixture(scope="session")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="session")
def portal(api: Metering) -> Portal:
    return Portal(api)


@pytest.fixture(scope="session")
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
