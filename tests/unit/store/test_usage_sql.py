"""The SQL of usage, to be read: a change to it shows as a change of golden/*.sql.

`pytest tests/unit/store --update-golden` writes them anew. The values stand in the text here so
that it reads well; a server sends them apart, as the last test holds.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from monometer.core.aggregation import Aggregation
from monometer.core.expression import (
    AnyOf,
    Arithmetic,
    Attribute,
    Boolean,
    Case,
    Compare,
    Kind,
    Like,
    Literal,
    Not,
    Number,
    OneOf,
    Text,
)
from monometer.core.jsonpath import parse
from monometer.core.meter import Measure
from monometer.core.usage import Axis, Tumbling, UsageQuery, Whole
from monometer.core.windows import WindowSize
from monometer.store.cells import CellSource
from monometer.store.cells import Kind as CellKind
from monometer.store.usage_statement import usage_parameters, usage_statement

GOLDEN = Path(__file__).parent / "golden"

TOKENS = parse("$.usage.tokens")


def query(aggregation: Aggregation, axis: Axis) -> UsageQuery:
    value = {Aggregation.COUNT: None, Aggregation.UNIQUE_COUNT: Text(TOKENS)}
    return UsageQuery(
        namespace="default",
        measure=Measure(
            aggregation=aggregation,
            event_type="prompt",
            value=value.get(aggregation, Number(TOKENS)),
        ),
        axis=axis,
    )


EVERYTHING_AT_ONCE = UsageQuery(
    namespace="default",
    measure=Measure(
        aggregation=Aggregation.SUM,
        event_type=None,
        value=Case(
            ((Compare("=", Boolean(parse("$.free")), Literal(True)), Literal(Decimal(0))),),
            Arithmetic("/", Number(TOKENS, strings=False), Number(parse("$.per[0]"))),
        ),
        groups={"model": Text(parse("$.model"), ""), "tag": Text(parse("$.tags[*].name"), "")},
        where=Not(AnyOf((Like(Attribute("source"), "test-%", ignore_case=True),))),
        event_from=datetime(2024, 1, 1, tzinfo=UTC),
    ),
    axis=Tumbling(WindowSize.HOUR, "Asia/Kolkata"),
    start=datetime(2024, 2, 1, tzinfo=UTC),
    end=datetime(2024, 3, 1, tzinfo=UTC),
    subjects=("ann", "bob"),
    where=OneOf(Kind(TOKENS), ("number", "string")),
    by_subject=True,
    group_by=("tag", "model"),
)

DAYS = Tumbling(WindowSize.DAY, "America/New_York")
QUERIES = {f"{one.lower()}_whole": query(one, Whole()) for one in Aggregation}
QUERIES |= {f"{one.lower()}_days": query(one, DAYS) for one in Aggregation}
QUERIES |= {"everything_at_once": EVERYTHING_AT_ONCE}

CELLS = {
    "cells_by_customer": CellSource(1, CellKind.SUBJECT, 1_000),
    "cells_by_subject": CellSource(1, CellKind.SUBJECT, 1_000),
    "cells_by_group": CellSource(2, CellKind.GROUP, 1_000),
}
HOURS = Tumbling(WindowSize.HOUR)
QUERIES |= {
    "cells_by_subject": replace(
        query(Aggregation.AVG, HOURS),
        start=datetime(2024, 2, 1, 0, 1, tzinfo=UTC),
        end=datetime(2024, 3, 1, 0, 59, tzinfo=UTC),
        by_subject=True,
    ),
    "by_customer": replace(
        query(Aggregation.SUM, DAYS),
        subjects=("ann", "bob"),
        attribution={"ann": "acme", "bob": "acme"},
    ),
    "cells_by_customer": replace(
        query(Aggregation.SUM, DAYS),
        start=datetime(2024, 2, 1, tzinfo=UTC),
        attribution={"ann": "acme", "bob": "acme"},
    ),
    "cells_by_group": query(Aggregation.UNIQUE_COUNT, Tumbling(WindowSize.DAY)),
}


def readable(name: str) -> str:
    """The statement with its values in place, a clause a line."""
    one, source = QUERIES[name], CELLS.get(name)
    statement = usage_statement(one, source)
    values = statement.arguments(usage_parameters(one, source, rows_max=1_000))
    words = " ".join(statement.text.split())
    words = re.sub(
        r"\$(\d+)(::[A-Z]+( WITH TIME ZONE|\[\])?)?",
        lambda m: _literal(values[int(m[1]) - 1]),
        words,
    )
    clauses = r" (?=(SELECT|FROM|WHERE|AND|GROUP BY|HAVING|LIMIT|CASE WHEN|ELSE)\b)"
    return re.sub(rf"{clauses}|(?<!CASE) (?=WHEN\b)", "\n", words) + "\n"


def _literal(value: object) -> str:
    match value:
        case int() | Decimal():
            return str(value)
        case list():
            return f"ARRAY[{', '.join(map(_literal, value))}]"
        case bytes():
            return f"'\\x{value.hex()}'"
        case _:
            return f"'{value}'"


@pytest.mark.parametrize("name", QUERIES)
def test_the_sql_is_as_it_was_reviewed(name: str, pytestconfig: pytest.Config) -> None:
    file = GOLDEN / f"{name}.sql"
    if pytestconfig.getoption("--update-golden"):
        file.write_text(readable(name))
    assert readable(name) == file.read_text()


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.sql")} == set(QUERIES)


def test_nothing_of_a_query_stands_in_the_text_that_is_sent() -> None:
    sent = usage_statement(EVERYTHING_AT_ONCE, None).text
    ours = ["ann", "tokens", "per", "model", "test-", "Kolkata", "default", "2024", "1001"]
    assert [text for text in ours if text in sent] == []
