"""`monometer key` as an operator runs it, and what a server says at its start about keys."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from tests.support.access import Guarded, guarded_server
from tests.support.databases import new_database
from tests.support.server import clean_environment

TIMEOUT_S = 60
METERS = "/api/v1/meters"


def monometer(
    *arguments: str, stdin: str = "", **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end. Nothing it says may be a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "monometer", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=clean_environment({"COLUMNS": "80", **environment}),
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
async def empty_database_url(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def server(empty_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_server(empty_database_url, tmp_path_factory.mktemp("keys")) as found:
        yield found


def new_key(database_url: str, *options: str) -> str:
    """What the command prints on its standard output: the key, and nothing else."""
    done = monometer("key", "create", "a test", *options, MONOMETER_DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"mm_[\w-]{32}\n", done.stdout)
    return done.stdout.strip()


def rows(database_url: str, *options: str) -> dict[str, str]:
    """Line of the list by the beginning of the key."""
    done = monometer("key", "list", *options, MONOMETER_DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    return {
        found[0]: line for line in done.stdout.splitlines() if (found := re.search(r"mm_\S+", line))
    }


async def test_first_key_is_made_before_the_first_start(postgres_url: str) -> None:
    async with new_database(postgres_url) as url:
        assert new_key(url, "--scope", "admin").startswith("mm_")


def test_key_of_the_command_opens_a_running_server(server: Guarded) -> None:
    with server.client(
        new_key(server.database_url, "--scope", "admin", "--namespace", "ns-1")
    ) as client:
        [key] = client.get("/api/v1/keys").raise_for_status().json()
        assert (key["name"], key["namespace"], key["scopes"]) == ("a test", "ns-1", ["admin"])


def test_key_belongs_to_the_servers_namespace_unless_said(server: Guarded) -> None:
    done = monometer(
        "key", "create", "x", "--scope", "events:write", "--scope", "events:read",
        MONOMETER_DATABASE_URL=server.database_url, MONOMETER_NAMESPACE="home",
    )  # fmt: skip
    assert done.stderr.endswith("of namespace home; it is not shown again:\n")
    with server.client(done.stdout.strip()) as client:
        assert client.get("/api/v1/events").status_code == HTTPStatus.OK
        assert client.get(METERS).status_code == HTTPStatus.FORBIDDEN


def test_list_shows_keys_of_all_namespaces_or_of_one_and_never_a_key(server: Guarded) -> None:
    keys = [
        new_key(server.database_url, "--scope", "admin", "--namespace", ns) for ns in ("a", "b")
    ]
    listed = rows(server.database_url)
    assert {key[:11] for key in keys} <= listed.keys()
    assert all(key not in line for key in keys for line in listed.values())
    assert rows(server.database_url, "--namespace", "a").keys() == {keys[0][:11]}


def test_revoked_key_is_refused_by_the_running_server(server: Guarded) -> None:
    key = new_key(server.database_url, "--scope", "meters:read")
    [id_] = re.findall(r"^\S+", rows(server.database_url)[key[:11]])
    done = monometer("key", "revoke", id_, MONOMETER_DATABASE_URL=server.database_url)
    assert done.stdout == f"revoked key {id_} (a test)\n"
    with server.client(key) as client:
        assert client.get(METERS).status_code == HTTPStatus.UNAUTHORIZED
    assert key[:11] not in rows(server.database_url)
    assert "revoked 20" in rows(server.database_url, "--revoked")[key[:11]]


def test_key_with_an_expiry_tells_it(server: Guarded) -> None:
    key = new_key(server.database_url, "--scope", "admin", "--expires", "2999-01-01T00:00:00+01:00")
    assert "2998-12-31T23:00:00+00:00" in rows(server.database_url)[key[:11]]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ["create", "x", "--scope", "everything"],
            "no such scope: everything; there are events:read",
        ),
        (["create", "x", "--scope", "admin", "--namespace", "a b"], "invalid namespace: a b"),
        (["create", "x", "--scope", "admin", "--expires", "tomorrow"], "--expires must be"),
        (["revoke", "01ARZ3NDEKTSV4RRFFQ69G5FAV"], "key not found: 01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    ],
)
def test_what_cannot_be_is_one_line(server: Guarded, arguments: list[str], reason: str) -> None:
    done = monometer("key", *arguments, MONOMETER_DATABASE_URL=server.database_url)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"monometer: {reason}") or reason in line


def test_commands_that_talk_to_a_server_send_the_key_of_the_environment(server: Guarded) -> None:
    key = new_key(server.database_url, "--scope", "admin", "--namespace", "sender")
    given = {"MONOMETER_URL": server.url, "MONOMETER_TOKEN": key}
    options = ["--aggregation", "COUNT", "--event-type", "t"]
    assert monometer("meter", "create", "calls", *options, **given).returncode == 0
    line = json.dumps({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "x"})
    assert monometer("ingest", "-", stdin=line, **given).returncode == 0
    assert monometer("query", "calls", **given).stdout.split()[-1] == "1"
    assert monometer("meter", "list", "--token", key, "--url", server.url).returncode == 0


@pytest.mark.parametrize(
    "arguments", [["ingest", "-"], ["query", "calls"], ["meter", "list"], ["meter", "delete", "m"]]
)
def test_commands_without_a_key_say_that_one_is_needed(
    server: Guarded, arguments: list[str]
) -> None:
    event = '{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "x"}'
    done = monometer(*arguments, "--url", server.url, stdin=event)
    assert done.returncode == 1
    assert "the server answers 401 Unauthorized: unauthorized error: an API key is needed" in (
        done.stderr
    )


@contextmanager
def started(
    database_url: str, directory: Path, address: str, **settings: str
) -> Iterator[tuple[str, Path]]:
    """URL of a server on `address`, and its log; ended with its workers."""
    log = directory / "server.log"
    environment = {"MONOMETER_DATABASE_URL": database_url}
    environment |= {f"MONOMETER_{name.upper()}": value for name, value in settings.items()}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "monometer", "serve", "--address", address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            env=clean_environment(environment),
        )
        timer = threading.Timer(TIMEOUT_S, lambda: os.kill(process.pid, signal.SIGKILL))
        timer.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:[0-9]+", line)
            assert found, log.read_text()
            yield found[0], log
        finally:
            timer.cancel()
            process.terminate()
            process.wait(TIMEOUT_S)
            if process.stdout:
                process.stdout.close()


EVERYWHERE = "0.0.0.0:0"
LOOPBACK = "127.0.0.1:0"


@pytest.mark.parametrize(
    ("address", "auth", "said"),
    [
        (LOOPBACK, "auto", None),
        (EVERYWHERE, "auto", "auth.no_key"),
        (EVERYWHERE, "off", "auth.off"),
    ],
)
async def test_keys_are_asked_for_where_others_may_reach_the_server(
    postgres_url: str, tmp_path: Path, address: str, auth: str, said: str | None
) -> None:
    async with new_database(postgres_url) as database_url:
        settings = {"auth": auth, "workers": "2", "log_level": "warning", "log_format": "json"}
        with started(database_url, tmp_path, address, **settings) as (url, log):
            expected = HTTPStatus.UNAUTHORIZED if said == "auth.no_key" else HTTPStatus.OK
            headers = {"authorization": "Bearer x"}
            answer = httpx.get(f"{url}{METERS}", headers=headers, timeout=TIMEOUT_S)  # noqa: ASYNC210
            assert answer.status_code == expected
        records = [json.loads(line) for line in log.read_text().splitlines()]
        events = [record["event"] for record in records if record["event"].startswith("auth.")]
        # Once, not once a worker.
        assert events == ([said] if said else [])


async def test_key_of_the_settings_opens_the_first_start_and_is_never_logged(
    postgres_url: str, tmp_path: Path
) -> None:
    admin_key = "from-a-secret-store-0123456789abcdef"
    async with new_database(postgres_url) as database_url:
        settings = {"auth": "required", "admin_key": admin_key, "log_level": "debug"}
        with started(database_url, tmp_path, LOOPBACK, **settings) as (url, log):
            headers = {"authorization": f"Bearer {admin_key}"}
            answer = httpx.get(f"{url}/api/v1/keys", headers=headers, timeout=TIMEOUT_S)  # noqa: ASYNC210
            assert answer.json() == []
            assert httpx.get(f"{url}{METERS}").status_code == HTTPStatus.UNAUTHORIZED  # noqa: ASYNC210
        assert "auth.no_key" not in log.read_text()
        assert admin_key not in log.read_text()
