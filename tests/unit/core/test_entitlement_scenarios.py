"""Entitlements told as scenarios. Those of docs/entitlements.md are the document's own text."""

from pathlib import Path

import pytest
from tests.support.scenarios import run_scenario, scenarios_in

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "entitlements.md"
FILES = sorted((Path(__file__).parent / "scenarios").glob("*.md"))


def _cases(*paths: Path) -> list[object]:
    return [
        pytest.param(text, id=f"{path.stem}: {name}")
        for path in paths
        for name, text in scenarios_in(path)
    ]


@pytest.mark.parametrize("text", _cases(DOCUMENT))
def test_the_document_tells_the_truth(text: str) -> None:
    run_scenario(text)


@pytest.mark.parametrize("text", _cases(*FILES))
def test_scenario_comes_true(text: str) -> None:
    run_scenario(text)


@pytest.mark.parametrize(
    "wrong",
    [
        "2024-01-02T00:00 balance 71",
        "2024-01-02T00:00 balance 70 overage 1",
        "2024-01-02T00:00 balance 70 access no",
        "2024-01-02T00:00 balance 70 B 0",
        "2024-01-02T00:00 period 2024-01-02T00:00 2024-02-01T00:00",
        "2024-01-01T00:00 history 2024-01-02T00:00",
        "2024-01-01T00:00 segment 2024-01-02T00:00",
        "2024-01-02T00:00 worth 70",
    ],
)
def test_wrong_expectation_does_not_pass(wrong: str) -> None:
    """The reader of scenarios reads every word of an expectation."""
    table = "MONTH from 2024-01-01T00:00\n2024-01-01T00:00 grant A 100\n2024-01-01T12:00 use 30\n"
    run_scenario(table + "2024-01-02T00:00 balance 70 overage 0 usage 30 total 100 A 70 access yes")
    with pytest.raises(AssertionError):
        run_scenario(table + wrong)
