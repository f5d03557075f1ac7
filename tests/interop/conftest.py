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
    POLAR_1,
    POLAR_16,
    POLAR_30,
    PYTHON_B185,
    PYTHON_B236,
    TOGAI_1,
    Target,
    node_is_missing,
    node_is_required,
)
from tests.interop.story import EVERY, HERE, POLAR, Told, story_for

DRIVER_TIMEOUT_S: Final = 120

Ended: TypeAlias = tuple[str, subprocess.CompletedProcess[str]]
Tell: TypeAlias = Callable[[str, Target, Path], Ended]

DRIVERS: Final = {
    "node-beta185": (NODE, HERE / "node" / "beta185.mjs"),
    "node-beta232": (NODE, HERE / "node" / "beta232.mjs"),
    "python-b185": (PYTHON_B185, HERE / "python" / "b185.py"),
    "python-b236": (PYTHON_B236, HERE / "python" / "b236.py"),
    "polar-node": (NODE, HERE / "node" / "polar.mjs"),
    "polar-0.16": (POLAR_16, HERE / "python" / "polar0.py"),
    "polar-0.30": (POLAR_30, HERE / "python" / "polar0.py"),
    "polar-1.0": (POLAR_1, HERE / "python" / "polar1.py"),
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
def tell(base_url: str) -> Tell:
    """Runs a client's driver, once in a session, with a tag of its own."""

    @cache
    def run(client: str, target: Target, driver: Path) -> Ended:
        tag = f"i{uuid4().hex[:12]}"
        with driver.open("rb") as script:
            ended = subprocess.run(
                [*command(target, driver), json.dumps(story_for(client, tag, base_url))],
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


@pytest.fixture(params=EVERY)
def told(request: pytest.FixtureRequest, tell: Tell) -> Told:
    """The story as one client told it; a test that fits some clients only names them."""
    return _told(tell, request.param, *DRIVERS[request.param])


@pytest.fixture(params=EVERY)
def entitling(request: pytest.FixtureRequest, tell: Tell) -> Told:
    """The story of features, entitlements and grants, as one client told it."""
    return _told(tell, request.param, *ENTITLING_DRIVERS[request.param])


@pytest.fixture(params=POLAR)
def told_polar(request: pytest.FixtureRequest, tell: Tell) -> Told:
    """The story of Polar's clients as one of them told it."""
    return _told(tell, request.param, *DRIVERS[request.param])


@pytest.fixture
def told_togai(tell: Tell) -> Told:
    """The story of event schemas and usage meters as Togai's client told it."""
    return _told(tell, "togai-1.0", TOGAI_1, HERE / "python" / "togai1.py")


@pytest.fixture
def told_togai_events(tell: Tell) -> Told:
    """The story of accounts and events as Togai's client told it."""
    return _told(tell, "togai-1.0", TOGAI_1, HERE / "python" / "togai1_events.py")


def _told(tell: Tell, client: str, target: Target, driver: Path) -> Told:
    require(target)
    tag, ended = tell(client, target, driver)
    assert ended.returncode == 0, f"{client}:\n{ended.stderr}"
    return Told(client=client, tag=tag, steps=json.loads(ended.stdout))
