"""Who owns the cluster. PostgreSQL refuses to run as root, so root needs a second user."""

import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from monometer.config import ConfigError

ROOTS_SERVER_USER = "pgserver"
ANYONE_READS_AND_PASSES = stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH

log = structlog.get_logger(__name__)


def owner_of(cluster: Path, make_user: Callable[[str], object]) -> tuple[int, int]:
    """User and group id the server runs as: the cluster's owner; for a new one us, or `pgserver`.

    Raises ConfigError for another user's cluster, and for root where no user can be made.
    """
    if cluster.exists():
        found = cluster.stat()
        if os.geteuid() not in {0, found.st_uid}:
            raise ConfigError(f"embedded PostgreSQL: {cluster} belongs to another user")
        return found.st_uid, found.st_gid
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    # It may fail because another process has just made the same user.
    with suppress(subprocess.CalledProcessError, FileNotFoundError):
        make_user(ROOTS_SERVER_USER)
    try:
        user = pwd.getpwnam(ROOTS_SERVER_USER)
    except KeyError:
        raise ConfigError(
            f"embedded PostgreSQL: it cannot run as root, and user {ROOTS_SERVER_USER} cannot be"
            " made: run as a normal user"
        ) from None
    return user.pw_uid, user.pw_gid


def let_pass(path: Path, owner: tuple[int, int]) -> None:
    """As root: let the server's user through the directories above `path`; pass, not list."""
    for parent in path.parents:
        found = parent.stat()
        if found.st_uid != owner[0] and not found.st_mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
            log.warning("directory opened for the database's user to pass", directory=str(parent))


def let_read(binaries: Path, owner: tuple[int, int]) -> None:
    """As root: make programs readable that were installed under a strict umask."""
    let_pass(binaries, owner)
    if (binaries / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    installed = binaries.parent
    for path in (installed, *installed.rglob("*")):
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) | ANYONE_READS_AND_PASSES)


def make_private(directory: Path, owner: tuple[int, int]) -> None:
    """A directory in a public place: the server's alone. Raises ConfigError for a stranger's."""
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
        os.chown(directory, *owner)
    if os.geteuid() == 0:
        let_pass(directory, owner)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner[0]:
        raise ConfigError(f"embedded PostgreSQL: {directory} is not ours to use")
