"""What the documents say is held by something that runs."""

import re
from pathlib import Path

import pytest

from monometer.api.document import TAGS
from monometer.app import create_app
from monometer.config import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/**/*.md")]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
_TEST = re.compile(r"`(tests/[\w/.-]+?)(?:::(\w+))?`")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(path: Path) -> None:
    targets = [path.parent / target for target in _LINK.findall(path.read_text())]
    assert [str(target) for target in targets if not target.exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_that_a_document_names_exists(path: Path) -> None:
    for file, test in _TEST.findall(path.read_text()):
        named = ROOT / file
        assert named.exists(), file
        assert not test or re.search(rf"def {test}\b", named.read_text()), f"{file}::{test}"


def test_every_operation_is_named_summed_up_tagged_and_has_an_example() -> None:
    document = create_app(Settings()).openapi()
    tags = {tag["name"] for tag in TAGS}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            assert operation.get("operationId"), where
            assert operation.get("summary"), where
            assert set(operation["tags"]) <= tags, where
            assert _has_example(document, operation), where


def _has_example(document: dict[str, object], operation: dict[str, object]) -> bool:
    """In the operation itself, or in a schema that it refers to."""
    text = str(operation)
    if "'example" in text:
        return True
    schemas: dict[str, object] = document["components"]["schemas"]  # type: ignore[index]
    names = re.findall(r"#/components/schemas/(\w+)", text)
    return any("'example" in str(schemas[name]) for name in names if name != "Problem")
