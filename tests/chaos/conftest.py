"""CHAOS_SEED repeats a run, CHAOS_RUNS asks for more of them, CHAOS_ROUNDS for longer ones.

`make chaos` does twenty of both kinds, with their seeds in a summary at the end.
"""

import random
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from tests.chaos.run import FIRST_SEED, IS_ASKED_FOR, RUNS, Run
from tests.chaos.servers import crash_database

FIGURES: Final = "chaos"
_SEED = pytest.StashKey[int]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # The seed itself is no parameter: the workers of pytest-xdist would not agree on it.
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(RUNS), ids="run{}".format)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short path, since a socket is in there; a database in it is ended."""
    path = Path(tempfile.mkdtemp(prefix="monometer-chaos-"))
    path.chmod(0o711)
    yield path
    crash_database(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def run(
    number: int,
    directory: Path,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> Run:
    seed = request.node.stash[_SEED] = FIRST_SEED + number
    return Run(
        seed=seed,
        directory=directory,
        rng=random.Random(seed),  # noqa: S311 - chaos, not secrets
        record=partial(record_property, FIGURES),
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and _SEED in item.stash:
        report.sections.append((FIGURES, f"repeat with CHAOS_SEED={item.stash[_SEED]}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not IS_ASKED_FOR:
        return
    terminalreporter.section(FIGURES)
    for report in terminalreporter.getreports("passed"):
        for name, figures in report.user_properties:
            if name == FIGURES and report.when == "call":
                test = report.nodeid.rpartition("::")[2]
                terminalreporter.line(f"{test} {report.duration:.1f} s, {figures}")
