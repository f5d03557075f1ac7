"""Runs each vendor's client once in a process of its own and hands out what it printed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias
from uuid import uuid4

import pytest
from tests.interop.install import (
    NODE,
    PYTHON_B185,
    PYTHON_B236,
    Target,
    node_is_missing,
    node_is_required,
)
from tests.interop.story import EVERY, HERE, Told, story_for

DRIVER_TIMEOUT_S: Final = 120

DRIVERS: Final = {
    "node-beta185": (NODE, HERE / "node" / "beta185.mjs"),
    "node-beta232": (NODE, HERE / "node" / "beta232.mjs"),
    "python-b185": (PYTHON_B185, HERE / "python" / "b185.py"),
    "python-b236": (PYTHON_B236, HERE / "python" / "b236.py"),
}

ENTITLING_DRIVERS: Final = {
    "node-beta185": (NODE, HERE / "node" / "entitlements185.mjs"),
    "node-beta232": (NODE, HERE / "node" / "entitlements232.mjs"),
    "python-b185": (PYTHON_B185, HERE / "python" / "entitlements_b185.py"),
    "python-b236": (PYTHON_B236, HERE / "python" / "entitlements_b236.py"),
}


def command(target: Target, driver: Path) -> list[str]:
    if target is not NODE:
        return [sys.executable, "-P", str(driver)]
    # A script read from standard input finds its packages from the working directory.
    return [str(shutil.which("node")), "--input-type=module", "-"]


def require(target: Target) -> None:
    """Skip where node is missing, unless CI is set; fail where the client is not installed."""
    if target is NODE and node_is_missing():
        notice = "node or npm is missing: the JavaScript clients are not tested"
        if node_is_required():
            pytest.fail(notice)
        pytest.skip(notice)
    if not target.is_current():
        pytest.fail(f"{target.name} is not installed: run python tests/interop/install.py")


@pytest.fixture(scope="session")
def tell(
    base_url: str,
) -> Callable[[Target, Path], tuple[str, subprocess.CompletedProcess[str]]]:
    """Runs a client's driver, once in a session, with a tag of its own."""

    @cache
    def run(target: Target, driver: Path) -> tuple[str, subprocess.CompletedProcess[str]]:
        tag = f"i{uuid4().hex[:12]}"
        with driver.open("rb") as script:
            ended = subprocess.run(
                [*command(target, driver), json.dumps(story_for(tag, base_url))],
                stdin=script,
                capture_output=True,
                text=True,
                check=False,
                timeout=DRIVER_TIMEOUT_S,
                cwd=target.folder,
                env={"PYTHONPATH": str(target.folder)},
            )
        return tag, ended

    return run


Tell: TypeAlias = Callable[[Target, Path], tuple[str, subprocess.CompletedProcess[str]]]


@pytest.fixture(params=EVERY)
def told(request: pytest.FixtureRequest, tell: Tell) -> Told:
    """The story as one client told it; a test that fits some clients only names them."""
    return _told(tell, request.param, *DRIVERS[request.param])


@pytest.fixture(params=EVERY)
def entitling(request: pytest.FixtureRequest, tell: Tell) -> Told:
    """The story of features, entitlements and grants, as one client told it."""
    return _told(tell, request.param, *ENTITLING_DRIVERS[request.param])


def _told(tell: Tell, client: str, target: Target, driver: Path) -> Told:
    require(target)
    tag, ended = tell(target, driver)
    assert ended.returncode == 0, f"{client}:\n{ended.stderr}"
    return Told(client=client, tag=tag, steps=json.loads(ended.stdout))
