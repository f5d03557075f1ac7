"""So many requests of each key, and no more."""

import time
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest
from tests.support.access import Guarded, guarded_server, new_key
from tests.support.metering import refusal
from tests.support.sending import event

METERS = "/api/v1/meters"
RATE = 5
WINDOW_S = 2


@pytest.fixture(scope="module")
def limited(
    guarded_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    directory = tmp_path_factory.mktemp("limited")
    rate = f"{RATE}/{WINDOW_S}seconds"
    with guarded_server(guarded_database_url, directory, key_rate_max=rate) as server:
        yield server


def used_up(client: httpx.Client) -> httpx.Response:
    """The first answer that is not a good one."""
    for _ in range(RATE + 1):
        answer = client.get(METERS)
        if answer.status_code != HTTPStatus.OK:
            return answer
    raise AssertionError("no limit")


async def test_key_over_its_rate_is_told_when_to_come_back(limited: Guarded) -> None:
    with limited.client(await new_key(limited.database_url)) as client:
        answers = [client.get(METERS) for _ in range(RATE + 1)]
        assert [one.status_code for one in answers] == [200] * RATE + [429]
        assert refusal(answers[-1]) == (429, "the API key has used up its 5 per 2 second")
        wait_s = int(answers[-1].headers["retry-after"])
        assert 1 <= wait_s <= WINDOW_S
        time.sleep(wait_s)  # noqa: ASYNC251 - nothing else runs here
        assert client.get(METERS).status_code == HTTPStatus.OK


async def test_ingest_and_refused_requests_count_too(limited: Guarded) -> None:
    with limited.client(await new_key(limited.database_url)) as client:
        for _ in range(RATE):
            client.get("/nowhere")
        refused = client.post("/api/v1/events", json=event())
        assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS


async def test_keys_do_not_use_up_each_others_rate(limited: Guarded) -> None:
    one, other = await new_key(limited.database_url), await new_key(limited.database_url)
    with limited.client(one) as client:
        assert used_up(client).status_code == HTTPStatus.TOO_MANY_REQUESTS
    with limited.client(other) as client:
        assert client.get(METERS).status_code == HTTPStatus.OK


async def test_what_needs_no_key_has_no_limit(limited: Guarded) -> None:
    with limited.client(None) as client:
        assert {client.get("/healthz/live").status_code for _ in range(3 * RATE)} == {200}


async def test_there_is_no_limit_by_default(guarded: Guarded) -> None:
    with guarded.client(await new_key(guarded.database_url)) as client:
        assert {client.get(METERS).status_code for _ in range(100)} == {HTTPStatus.OK}
