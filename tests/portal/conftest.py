"""A meter that two subjects use, on a server of the file's own.

A token that somebody else made tells the second of its age, give or take a clock's skew, so it is
refused for seconds after anybody invalidated all: nobody else may do so here.
"""

from collections.abc import Iterator

import pytest
from tests.support.metering import Meter, Metering, at
from tests.support.own_server import base_url, server_database_url
from tests.support.portal import Portal

__all__ = ["base_url", "server_database_url"]  # fixtures of every file here


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
