"""Files and functions that a reader can hold in mind."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 400
FILE_LINES_MEDIAN_MAX = 150
FUNCTION_LINES_MAX = 70
UNHELPFUL_NAMES = {"utils", "util", "helpers", "common", "base", "manager", "misc"}

SOURCES = sorted((ROOT / "src").rglob("*.py"))
ALL_SOURCES = SOURCES + sorted((ROOT / "tests").rglob("*.py"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # The body alone: a signature with a line for each option is a list, not a thought.
            yield node.name, (node.end_lineno or node.lineno) - node.body[0].lineno + 1


@pytest.mark.parametrize("path", ALL_SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_not_too_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LINES_MAX


def test_the_usual_source_file_fits_in_one_look() -> None:
    assert median(len(path.read_text().splitlines()) for path in SOURCES) <= FILE_LINES_MEDIAN_MAX


@pytest.mark.parametrize("path", ALL_SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_is_not_too_long(path: Path) -> None:
    assert [f for f in functions(path) if f[1] > FUNCTION_LINES_MAX] == []


def test_a_file_is_named_for_what_it_holds() -> None:
    assert [path for path in ALL_SOURCES if path.stem in UNHELPFUL_NAMES] == []
