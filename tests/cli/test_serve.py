"""`monometer serve`, `migrate` and `openapi` as an operator runs them."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.support.databases import new_database
from tests.support.server import clean_environment, free_port

TIMEOUT_S = 60


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end. Nothing it says may be a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "monometer", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=clean_environment(environment),
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


@contextmanager
def serving(
    directory: Path, *arguments: str, **environment: str
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """URL and process of a server on a port the system chose; stopped at the end."""
    with (directory / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "monometer", "serve", "--address", "127.0.0.1:0", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=clean_environment(environment),
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:[0-9]+", line)
            assert found, line
            wait_until_ready(found[0])
            yield found[0], process
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)
            if process.stdout:
                process.stdout.close()


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz/ready", timeout=TIMEOUT_S).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"{url} is not ready")


def call_event(number: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"serve-{number}",
        "source": "t",
        "type": "t",
        "subject": "s",
    }


@pytest.mark.parametrize(
    ("arguments", "environment", "reason"),
    [
        (["--address", "nonsense"], {}, "--address"),
        (["--workers", "0"], {}, "--workers"),
        (["--config", "nowhere.yaml"], {}, "nowhere.yaml: no such file"),
        ([], {"MONOMETER_BODY_BYTES_MAX": "much"}, "MONOMETER_BODY_BYTES_MAX"),
        ([], {"MONOMETER_DATABASE_URL": "mysql://x/y"}, "MONOMETER_DATABASE_URL"),
    ],
)
def test_wrong_settings_are_one_line(
    arguments: list[str], environment: dict[str, str], reason: str
) -> None:
    done = run("serve", *arguments, **environment)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("monometer: ")
    assert reason in line


def test_a_taken_port_is_one_line_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        data = tmp_path / "data"
        done = run("serve", "--address", address, MONOMETER_DATA_DIR=str(data))
    assert done.returncode == 1
    assert done.stderr == f"monometer: cannot listen on {address}: Address already in use\n"
    assert not data.exists()


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_is_not_there_is_said_without_its_password(command: str) -> None:
    url = f"postgresql://me:geheim@127.0.0.1:{free_port()}/x"
    address = ["--address", "127.0.0.1:0"] if command == "serve" else []
    done = run(command, *address, MONOMETER_DATABASE_URL=url)
    assert done.returncode == 1
    assert "geheim" not in done.stdout + done.stderr
    assert done.stderr.splitlines()[-1].startswith("monometer: ")


def test_a_configured_meter_that_differs_from_the_stored_one_is_one_line(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    meter = "meters: [{slug: serve_differs, eventType: t, aggregation: SUM, valueProperty: $.a}]"
    file.write_text(meter)
    config = ["--config", str(file)]
    with serving(tmp_path, *config, MONOMETER_DATABASE_URL=database_url) as (url, _):
        assert httpx.get(f"{url}/api/v1/meters/serve_differs").json()["valueProperty"] == "$.a"
    file.write_text(meter.replace("$.a", "$.b"))
    done = run("serve", "--address", "127.0.0.1:0", *config, MONOMETER_DATABASE_URL=database_url)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert re.match("monometer: meters: serve_differs: .*(valueProperty|value_property)", line)


async def test_migrate_may_be_repeated(postgres_url: str) -> None:
    async with new_database(postgres_url) as url:
        for _ in range(2):
            done = run("migrate", MONOMETER_DATABASE_URL=url)
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith("migrated: postgresql://")


def test_openapi_prints_the_document() -> None:
    done = run("openapi", MONOMETER_DATABASE_URL="postgresql://127.0.0.1:1/nobody")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["openapi"].startswith("3.")
    assert "/api/v1/events" in document["paths"]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_answers_the_open_request_and_exits_with_0(
    database_url: str, tmp_path: Path, stop: signal.Signals
) -> None:
    with serving(tmp_path, MONOMETER_DATABASE_URL=database_url) as (url, process):
        host, port = url.removeprefix("http://").split(":")
        body = json.dumps(call_event(stop)).encode()
        with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
            connection.sendall(
                b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/cloudevents+json\r\n"
                b"Expect: 100-continue\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body)
            )
            # The application asks for the body: the request is open.
            assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
            process.send_signal(stop)
            time.sleep(1)
            connection.sendall(body)
            answer = b"".join(iter(lambda: connection.recv(4096), b""))  # to the end: it closes
        assert answer.startswith(b"HTTP/1.1 204 "), answer
        assert process.wait(TIMEOUT_S) == 0


def test_workers_share_the_port_and_their_metrics_add_up(database_url: str, tmp_path: Path) -> None:
    environment = {"MONOMETER_DATABASE_URL": database_url}
    with serving(tmp_path, "--workers", "2", **environment) as (url, process):
        for number in range(20):
            # A connection each: the kernel spreads them over the workers.
            sent = httpx.post(f"{url}/api/v1/events", json=call_event(1000 + number))
            assert sent.status_code == 204
        counts = {ingested(url) for _ in range(10)}
        assert counts == {20.0}
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0


def ingested(url: str) -> float:
    """Events accepted so far, as /metrics tells."""
    text = httpx.get(f"{url}/metrics").text
    found = re.findall(
        r'^monometer_ingest_events_total\{result="accepted"\} ([0-9.e+]+)$', text, re.MULTILINE
    )
    return sum(map(float, found))
