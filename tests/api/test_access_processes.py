"""Several server processes on one database: a revoked key dies in all of them, under load too."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http import HTTPStatus

import httpx
import pytest
from tests.support.access import Guarded, guarded_server, new_key

from monometer.core.access import KeyScope
from monometer.services.doorkeeper import REMEMBERED_S

METERS = "/api/v1/meters"
SENDERS = 4
MARGIN_S = 1.0  # for a request that had begun, on a busy machine


@pytest.fixture(scope="module")
def servers(
    guarded: Guarded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Guarded, Guarded]]:
    directory = tmp_path_factory.mktemp("second")
    with guarded_server(guarded.database_url, directory) as second:
        yield guarded, second


async def test_key_made_in_one_process_is_known_in_the_other_at_once(
    servers: tuple[Guarded, Guarded],
) -> None:
    first, second = servers
    with first.client(first.admin_key) as admin:
        made = admin.post("/api/v1/keys", json={"name": "both", "scopes": ["meters:read"]}).json()
    for server in (second, first):
        with server.client(made["key"]) as client:
            assert client.get(METERS).status_code == HTTPStatus.OK


async def test_revoked_key_dies_in_every_process_while_it_is_in_use(
    servers: tuple[Guarded, Guarded],
) -> None:
    first = servers[0]
    key = await new_key(first.database_url, scopes=[KeyScope.METERS_READ])
    with ExitStack() as stack:
        admin = stack.enter_context(first.client(first.admin_key))
        [id_] = [
            one["id"] for one in admin.get("/api/v1/keys").json() if key.startswith(one["prefix"])
        ]
        pool = stack.enter_context(ThreadPoolExecutor(2 * SENDERS))
        clients = [stack.enter_context(server.client(key)) for server in servers * SENDERS]
        # In both, so that each remembers it.
        assert {client.get(METERS).status_code for client in clients} == {HTTPStatus.OK}
        begun = time.monotonic()
        senders = [pool.submit(_seconds_until_refused, client, begun) for client in clients]
        assert admin.delete(f"/api/v1/keys/{id_}").status_code == HTTPStatus.NO_CONTENT
        revoked = time.monotonic() - begun
        refused = [sender.result() for sender in senders]
        assert max(refused) < revoked + REMEMBERED_S + MARGIN_S
        # And it stays dead.
        assert {client.get(METERS).status_code for client in clients} == {HTTPStatus.UNAUTHORIZED}


def _seconds_until_refused(client: httpx.Client, since: float) -> float:
    """Asks without a pause. Every answer until the last is a good one."""
    while (status := client.get(METERS).status_code) == HTTPStatus.OK:
        assert time.monotonic() < since + 30
    assert status == HTTPStatus.UNAUTHORIZED
    return time.monotonic() - since
