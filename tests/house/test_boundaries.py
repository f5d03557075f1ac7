"""What stands where: SQL in the store, the clock and the environment in one place each."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "monometer"
OUTSIDE_STORE = sorted(
    path for path in PACKAGE.rglob("*.py") if PACKAGE / "store" not in path.parents
)

_SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b",
    re.DOTALL,
)


def _texts(path: Path) -> list[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


@pytest.mark.parametrize("path", OUTSIDE_STORE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_sql_stands_in_the_store_only(path: Path) -> None:
    # The embedded server is the one exception: it asks its own PostgreSQL who uses it.
    if path.parent.name == "embedded":
        return
    assert [text for text in _texts(path) if _SQL.search(text)] == []


@pytest.mark.parametrize("path", OUTSIDE_STORE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_store_imports_the_driver(path: Path) -> None:
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert "asyncpg" not in imported


def test_one_file_knows_the_library_of_tokens() -> None:
    importing = re.compile(r"^\s*(from|import) jose\b", re.MULTILINE)
    files = [path.name for path in PACKAGE.rglob("*.py") if importing.search(path.read_text())]
    assert files == ["portal_jwt.py"]


def test_no_statement_is_put_together_from_pieces_of_text() -> None:
    """f-strings are the road to injection: values are bound, shapes are composed."""
    pieces = [
        (path.name, node.lineno)
        for path in (PACKAGE / "store").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr)
        and _SQL.search("".join(str(v.value) for v in node.values if isinstance(v, ast.Constant)))
    ]
    assert pieces == []
