"""A real server in its own process, as an operator would start it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

START_WAIT_S = 60
STOP_WAIT_S = 30


def free_port() -> int:
    """A port of the loopback interface that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without any setting of a server, and with `settings`."""
    inherited = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - for another process
        if not name.startswith(("MONOMETER_", "OPENMETER_")) and name != "DATABASE_URL"
    }
    return {**inherited, **settings}


@contextmanager
def running_server(database_url: str, directory: Path, **settings: str) -> Iterator[str]:
    """URL of a server on `database_url`, ready to answer; stopped at the end.

    `settings` are variables without their prefix (`body_bytes_max="1000"`). The server's log is
    `directory`/server.log; a failure to start shows it.
    """
    address = f"127.0.0.1:{free_port()}"
    variables = {"database_url": database_url, "data_dir": str(directory), **settings}
    environment = clean_environment(
        {f"MONOMETER_{name.upper()}": value for name, value in variables.items()}
    )
    log = directory / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "monometer", "serve", "--address", address],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://{address}"
            _wait_until_ready(url, process, log)
            yield url
        finally:
            _stop(process)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_WAIT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz/ready", timeout=5).is_success:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    end = f"exited with {process.returncode}" if process.returncode is not None else "is not ready"
    raise RuntimeError(f"the server {end}; its log:\n{log.read_text()}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
