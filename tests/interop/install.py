"""Install the vendors' published clients, unmodified and pinned, for the tests of this folder.

    python tests/interop/install.py

Two versions of one client cannot share an environment, so each lives in a folder of its own below
`.cache/interop/`. A folder is made again only when its pins change. Without node the JavaScript
clients are left out with a notice; with `CI=true` that is a failure. Standard library only: it
runs before, and apart from, everything it installs.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).resolve().parent
CACHE: Final = HERE.parents[1] / ".cache" / "interop"
INSTALL_TIMEOUT_S: Final = 300


class Target(NamedTuple):
    """One folder of installed packages: the files that pin it and whether npm or pip fills it."""

    name: str
    pins: tuple[Path, ...]
    installer: str

    @property
    def folder(self) -> Path:
        return CACHE / self.name

    @property
    def stamp(self) -> Path:
        return self.folder / ".pins"

    def wanted(self) -> str:
        """What the stamp says when the folder is up to date: the pins and the runtime they fit."""
        digest = hashlib.sha256(b"\0".join(pin.read_bytes() for pin in self.pins)).hexdigest()
        return digest if self.installer == "npm" else f"{digest} {sys.implementation.cache_tag}"

    def is_current(self) -> bool:
        return self.stamp.is_file() and self.stamp.read_text() == self.wanted()


NODE: Final = Target(
    "node", (HERE / "node" / "package.json", HERE / "node" / "package-lock.json"), "npm"
)
PYTHON_B185: Final = Target("python-b185", (HERE / "python" / "b185.txt",), "pip")
PYTHON_B236: Final = Target("python-b236", (HERE / "python" / "b236.txt",), "pip")
POLAR_16: Final = Target("polar-0.16", (HERE / "python" / "polar-0.16.txt",), "pip")
POLAR_30: Final = Target("polar-0.30", (HERE / "python" / "polar-0.30.txt",), "pip")
POLAR_1: Final = Target("polar-1.0", (HERE / "python" / "polar-1.0.txt",), "pip")
TOGAI_1: Final = Target("togai-1.0", (HERE / "python" / "togai-1.0.txt",), "pip")
TARGETS: Final = (NODE, PYTHON_B185, PYTHON_B236, POLAR_16, POLAR_30, POLAR_1, TOGAI_1)


def node_is_missing() -> bool:
    return shutil.which("node") is None or shutil.which("npm") is None


def node_is_required() -> bool:
    """Whether a missing node fails instead of leaving the JavaScript clients out: in CI it does."""
    return os.environ.get("CI") == "true"  # noqa: TID251  # the program's settings play no part here


def install(target: Target) -> None:
    """Fill the target's folder from its pins; the stamp comes last, so a torn run is run again."""
    shutil.rmtree(target.folder, ignore_errors=True)
    target.folder.mkdir(parents=True)
    if target.installer == "npm":
        for pin in target.pins:
            shutil.copy(pin, target.folder)
        command = ["npm", "ci", "--ignore-scripts", "--omit=dev", "--omit=peer"]
        command += ["--no-audit", "--no-fund", "--loglevel=error"]
    else:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--target", str(target.folder)]
        command += ["--requirement", str(target.pins[0])]
    subprocess.run(command, cwd=target.folder, check=True, timeout=INSTALL_TIMEOUT_S)
    target.stamp.write_text(target.wanted())


def main() -> int:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` runs in one checkout take turns
        for target in TARGETS:
            if target.installer == "npm" and node_is_missing():
                sys.stderr.write("interop: node or npm is missing: no JavaScript clients\n")
                if node_is_required():
                    return 1
            elif not target.is_current():
                sys.stderr.write(f"interop: installing {target.name}\n")
                install(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
