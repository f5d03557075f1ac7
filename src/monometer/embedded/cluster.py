"""The cluster: made once, its server started, asked, stopped."""

import hashlib
import os
import re
import shlex
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import structlog

from monometer.config import ConfigError
from monometer.embedded.ownership import make_private
from monometer.embedded.programs import Programs

PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
SOCKET_PATH_BYTES_MAX = 103
START_WAIT_S = 600  # crash recovery replays about max_wal_size at most; a slow disk takes minutes
STOP_WAIT_S = 60
ORPHANS_WAIT_S = 40  # the backends of a killed server may finish their statement first
POLL_S = 0.1
# Small machine, mostly inserts and aggregates. Durability settings stay at their safe defaults.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "jit": "off",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # statements carry the users' data
}
INITDB = (
    "--auth=trust",  # the socket lies in a directory that only its owner may enter
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",  # the same words and the same order on every machine ...
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",  # ... with letters beyond ASCII known as letters
)

log = structlog.get_logger(__name__)


class Cluster:
    """One cluster directory. Every method wants the caller to hold the lifecycle lock."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._directory = programs.cluster
        self._log_file = self._directory / "server.log"

    def ensure_initialized(self) -> None:
        """Make the cluster unless it is there: under another name first, so it is whole or absent.

        Raises ConfigError when initdb fails or the directory holds something else.
        """
        if (self._directory / "PG_VERSION").exists():
            return
        if self._directory.exists():
            raise ConfigError(f"embedded PostgreSQL: {self._directory} is not a PostgreSQL cluster")
        draft = self._directory.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        os.chown(draft, *self._programs.owner)
        made = self._programs.run("initdb", *INITDB, "--pgdata", str(draft), cwd=draft)
        if made.returncode:
            raise ConfigError(f"embedded PostgreSQL: initdb: {_reason(made.stderr)}")
        draft.rename(self._directory)
        log.info("embedded database created", directory=str(self._directory))

    def ensure_ready(self) -> None:
        """Return when the server takes connections; start one unless one is there.

        A server is there when its socket answers, even one of another container, where process
        ids say nothing. Raises ConfigError with the server's own reason when it does not start.
        """
        begun = time.monotonic()
        while (answer := self._answer()) != "ready":
            waited = time.monotonic() - begun
            if waited > START_WAIT_S:
                raise ConfigError(f"embedded PostgreSQL: not ready after {START_WAIT_S} s")
            if answer == "silent" and (reason := self._launch()):
                orphans = "pre-existing shared memory block" in reason
                if not orphans or waited > ORPHANS_WAIT_S:
                    raise ConfigError(f"embedded PostgreSQL in {self._directory}: {reason}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop the server, cutting open connections; one that is gone already is fine."""
        socket_directory = self._socket_directory()
        done = self._programs.run(
            *("pg_ctl", "stop", "--mode=fast", f"--timeout={STOP_WAIT_S}", "--pgdata=."),
        )
        if done.returncode and self._answer() != "silent":
            log.warning("embedded database does not stop", directory=str(self._directory))
        elif socket_directory != self._directory:
            with suppress(OSError):
                socket_directory.rmdir()

    def url(self) -> str:
        """The database for SQLAlchemy's asyncpg dialect, over the Unix socket."""
        # Everything said, so that no PG* variable of the environment speaks into it.
        socket = quote(str(self._socket_directory()))
        return f"postgresql+asyncpg://postgres@/postgres?host={socket}&port={PORT}&ssl=disable"

    def _socket_directory(self) -> Path:
        """Where the running server says its socket is, else where a new one puts it.

        The cluster's own directory, unless the path is too long for a socket or holds a character
        that means something to PostgreSQL or to a database URL.
        """
        with suppress(FileNotFoundError, IndexError):
            return Path(self._lock_file_lines()[4])
        path = str(self._directory / SOCKET_NAME)
        if len(path) <= SOCKET_PATH_BYTES_MAX and re.fullmatch(r"[A-Za-z0-9/._+-]+", path):
            return self._directory
        digest = hashlib.blake2b(os.fsencode(self._directory), digest_size=8).hexdigest()
        short = Path(tempfile.gettempdir()) / f"monometer-{self._programs.owner[0]}-{digest}"
        if len(os.fsencode(short / SOCKET_NAME)) > SOCKET_PATH_BYTES_MAX:
            return Path("/tmp") / short.name  # noqa: S108 (made private before use)
        return short

    def _lock_file_lines(self) -> list[str]:
        """PostgreSQL's lock file: process id, cluster, start time, port, socket directory, ..."""
        text = (self._directory / "postmaster.pid").read_text()
        return [line.strip() for line in text.splitlines()]

    def _answer(self) -> str:
        """`ready`, `starting` (or stopping), or `silent` when no server has the socket."""
        asked = self._programs.run(
            *("pg_isready", "--quiet", "--timeout=5", f"--port={PORT}"),
            *("--username=postgres", "--dbname=postgres"),
            *("--host", str(self._socket_directory())),
        )
        return {0: "ready", 1: "starting"}.get(asked.returncode, "silent")

    def _launch(self) -> str | None:
        """Start the server. Returns why it did not start, in its own words."""
        self._drop_dead_lock_files()
        socket_directory = self._socket_directory()
        if socket_directory != self._directory:
            make_private(socket_directory, self._programs.owner)
        settings = SERVER_SETTINGS | {"unix_socket_directories": str(socket_directory)}
        options = shlex.join(f"--{name}={value}" for name, value in settings.items())
        said_before = self._log_text()
        begun = self._programs.run(
            # Relative to the cluster: pg_ctl's shell would trip over a quote or a $ in a path.
            *("pg_ctl", "start", f"--timeout={START_WAIT_S}", "--pgdata=."),
            *(f"--log={self._log_file.name}", f"--options={options}"),
        )
        if begun.returncode == 0:
            return None
        return _reason(self._log_text().removeprefix(said_before) or begun.stderr)

    def _log_text(self) -> str:
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    def _drop_dead_lock_files(self) -> None:
        """Remove the lock files of a killed server whose process id seems to be running.

        The id went to another program, or in a container nobody has collected the dead process.
        PostgreSQL would take either for a running server. Its check of the shared memory still
        keeps two servers off one cluster.
        """
        import psutil  # noqa: PLC0415 (comes with the extra)

        with suppress(FileNotFoundError, IndexError, ValueError, psutil.Error):
            process = psutil.Process(int(self._lock_file_lines()[0]))
            if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
                (self._socket_directory() / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
                (self._directory / "postmaster.pid").unlink()


def _reason(said: str) -> str:
    """The line of a program's words that says why it failed: the first that complains."""
    lines = said.strip().splitlines() or ["it failed without a word"]
    complaints = [line for line in lines if re.search("FATAL|PANIC|ERROR|error:", line)]
    return (complaints or lines)[0]
