"""Servers in their own processes: the product, and the route that only parses."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from monometer.config import process_environ

START_WITHIN_S = 60
STOP_WITHIN_S = 30
QUERY_TIMEOUT_S = 900  # raw rows take their time


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    process: psutil.Process

    def cpu_s(self) -> float:
        times = self.process.cpu_times()
        used: float = times.user + times.system
        return used

    def memory_bytes(self) -> int:
        resident: int = self.process.memory_info().rss
        return resident


@contextmanager
def product(
    database_url: str, directory: Path, *, projections: bool = True, auth: str = "auto"
) -> Iterator[Server]:
    """`monometer serve`, with its default settings but for the time a query may take."""
    settings = {
        "MONOMETER_DATABASE_URL": database_url,
        "MONOMETER_DATA_DIR": str(directory),
        "MONOMETER_LOG_LEVEL": "warning",
        "MONOMETER_QUERY_TIMEOUT_S": str(QUERY_TIMEOUT_S),
        "MONOMETER_PROJECTIONS": str(projections).lower(),
        "MONOMETER_AUTH": auth,
    }
    command = ["-m", "monometer", "serve", "--address", "127.0.0.1:0"]
    with _running(command, settings, directory) as server:
        _wait_until_ready(server)
        yield server


@contextmanager
def parse_only(directory: Path) -> Iterator[Server]:
    program = Path(__file__).with_name("parse_only.py")
    with _running([str(program)], {}, directory) as server:
        yield server


@contextmanager
def _running(
    command: Sequence[str], settings: Mapping[str, str], directory: Path
) -> Iterator[Server]:
    inherited = {
        name: value
        for name, value in process_environ().items()
        if not name.startswith(("MONOMETER_", "OPENMETER_")) and name != "DATABASE_URL"
    }
    said = directory / f"server-{time.monotonic_ns()}.txt"
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            env={**inherited, **settings},
            cwd=directory,  # a config.yaml where the bench was started is not for it
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Server(_port(process, said), psutil.Process(process.pid))
        finally:
            _stop(process)


def _port(process: "subprocess.Popen[bytes]", said: Path) -> int:
    """The port that it says it listens on. Raises RuntimeError."""
    deadline = time.monotonic() + START_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", said.read_text())
        if found:
            return int(found[1])
        time.sleep(0.05)
    raise RuntimeError(f"a server did not start:\n{said.read_text()}")


def _wait_until_ready(server: Server) -> None:
    url = f"http://127.0.0.1:{server.port}/healthz/ready"
    # Connections wait in the socket's backlog until the server accepts them.
    httpx.get(url, timeout=START_WITHIN_S).raise_for_status()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
