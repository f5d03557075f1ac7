"""A server and a database that are there to be hurt, and to come back."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import httpx
import psutil
from tests.support.server import clean_environment, free_port

from monometer.embedded.programs import programs_for
from monometer.embedded.server import _package

WAIT_S = 120  # starts take seconds; a busy machine makes them ten times as long
POLL_S = 0.05


class ServerProcess:
    """`monometer serve` in a process group of its own, always on the same port. A context manager.

    `settings` are variables without their prefix (`pool_wait_s="2"`); events are folded into cells
    unless they say otherwise. The number of workers may be changed between two lives. The log of
    all of them is `directory`/server.log.
    """

    def __init__(self, directory: Path, workers: int = 1, /, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = directory / "server.log"
        self.workers = workers
        told = {"projections": "true", **settings}
        variables = {f"MONOMETER_{name.upper()}": value for name, value in told.items()}
        # What a killed process leaves behind goes with the directory.
        self._environment = clean_environment(variables | {"TMPDIR": str(directory)})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_everything()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        arguments = ["--address", f"127.0.0.1:{self.port}", "--workers", str(self.workers)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "monometer", "serve", *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Return when it answers that it is ready; a failure shows its log."""
        deadline = time.monotonic() + WAIT_S
        async with httpx.AsyncClient(base_url=self.url, timeout=WAIT_S) as http:
            while self._process is None or self._process.poll() is None:
                assert time.monotonic() < deadline, f"not ready; {self.log()}"
                try:
                    if (await http.get("/healthz/ready")).is_success:
                        return
                except httpx.TransportError:
                    pass  # not listening yet
                await asyncio.sleep(POLL_S)
        raise AssertionError(f"it ended by itself; {self.log()}")

    def worker_pids(self) -> list[int]:
        """Process ids of the workers, as the system knows them."""
        found = []
        for child in psutil.Process(self.pid).children():
            with suppress(psutil.Error):  # it has just ended
                # The other kind of child cleans up shared resources.
                if any("spawn_main" in argument for argument in child.cmdline()):
                    found.append(child.pid)
        return found

    def resident_bytes(self) -> int:
        found: int = psutil.Process(self.pid).memory_info().rss
        return found

    def terminate(self) -> None:
        """Ask it to stop, as a supervisor does."""
        os.kill(self.pid, signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None
        deadline = time.monotonic() + WAIT_S
        while (code := self._process.poll()) is None:
            assert time.monotonic() < deadline, f"it does not end; {self.log()}"
            await asyncio.sleep(POLL_S)
        return code

    def kill_parent(self) -> None:
        """SIGKILL for the process that was started, and for nobody else."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(WAIT_S)

    def kill_everything(self) -> None:
        """SIGKILL for the process and its workers at once."""
        assert self._process is not None
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # ended, and nobody is left in its group
        self._process.wait(WAIT_S)

    async def port_free(self) -> None:
        """Return when no process listens on the port any more."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except ConnectionRefusedError:
                return
            except ConnectionResetError:  # the last one was just leaving
                continue
            writer.close()
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"somebody still listens; {self.log()}")

    def failures(self) -> list[str]:
        """What it logged as an error: refusals are none, defects are."""
        return [line for line in self._log.read_text().splitlines() if '"level": "error"' in line]

    def log(self) -> str:
        return f"its log:\n{self._log.read_text()}"


def crash_database(data_dir: Path) -> None:
    """`pg_ctl stop -m immediate`: no checkpoint, every connection cut; the next start recovers.

    Nothing happens where none runs.
    """
    if not (data_dir / "postgres" / "postmaster.pid").exists():
        return
    programs = programs_for(data_dir / "postgres", _package())
    programs.run("pg_ctl", "stop", "--mode=immediate", "--pgdata=.")


def postmaster(data_dir: Path) -> int:
    """Process id of the embedded PostgreSQL."""
    return int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def backends(data_dir: Path) -> list[int]:
    """Process ids of its connections from a monometer server."""
    processes = psutil.Process(postmaster(data_dir)).children()
    return [one.pid for one in processes if "[local]" in " ".join(one.cmdline())]


@contextmanager
def frozen_database(data_dir: Path) -> Iterator[None]:
    """None of its processes moves while the block runs: as behind a dead network or disk."""
    parent = psutil.Process(postmaster(data_dir))
    processes = [parent, *parent.children()]
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.suspend()
    try:
        yield
    finally:
        for one in processes:
            with suppress(psutil.NoSuchProcess):
                one.resume()
