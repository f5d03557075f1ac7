"""What each node means, one trap a row. SQL means the same: tests/property."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.events import NOON, event, stored

from monometer.core.errors import InvalidInput
from monometer.core.evaluation import Facts, Value, evaluate, facts_of, holds
from monometer.core.expression import (
    AllOf,
    AnyOf,
    Arithmetic,
    Attribute,
    Boolean,
    Case,
    Compare,
    Expression,
    Kind,
    Like,
    Literal,
    Member,
    Not,
    Number,
    OneOf,
    Predicate,
    Text,
)
from monometer.core.jsonpath import parse

V = parse("$.v")
TRUE, FALSE = AllOf(()), AnyOf(())


def on(data: str | None) -> Facts:
    one = event(id="i", source="src", type="call", subject="ann", data=data)
    return facts_of(stored(one, NOON + timedelta(seconds=1)))


def n(text: str) -> Literal:
    return Literal(Decimal(text))


# JSON of `v` → its text, its number with and without strings, its boolean, its kind.
@pytest.mark.parametrize(
    ("json", "as_text", "as_number", "strictly", "as_boolean", "kind"),
    [
        ("1", "1", 1, 1, None, "number"),
        ("1.0", "1", 1, 1, None, "number"),
        ("1.50", "1.5", Decimal("1.5"), Decimal("1.5"), None, "number"),
        ("1e3", "1000", 1000, 1000, None, "number"),
        ("-0", "0", 0, 0, None, "number"),
        ('"1"', "1", 1, None, None, "string"),
        ('"1.0"', "1.0", 1, None, None, "string"),
        ('"1e3"', "1e3", 1000, None, None, "string"),
        ('" 1"', " 1", None, None, None, "string"),
        ('"1\\n"', "1\n", None, None, None, "string"),
        ('"NaN"', "NaN", None, None, None, "string"),
        ('"0x10"', "0x10", None, None, None, "string"),
        ("true", "true", None, None, True, "boolean"),
        ("false", "false", None, None, False, "boolean"),
        ('"true"', "true", None, None, None, "string"),
        ('""', "", None, None, None, "string"),
        ('"null"', "null", None, None, None, "string"),
        ("null", None, None, None, None, "null"),
        ("{}", None, None, None, None, "object"),
        ('{"v": 1}', None, None, None, None, "object"),
        ("[]", None, None, None, None, "array"),
        ("[1]", None, None, None, None, "array"),
    ],
)
def test_a_json_value_is_what_it_is_and_not_what_it_looks_like(
    json: str, *, as_text: str | None, as_number: Any, strictly: Any, as_boolean: Any, kind: str
) -> None:
    facts = on(f'{{"v": {json}}}')
    assert evaluate(Text(V), facts) == as_text
    assert evaluate(Number(V), facts) == as_number
    assert evaluate(Number(V, strings=False), facts) == strictly
    assert evaluate(Boolean(V), facts) is as_boolean
    assert evaluate(Kind(V), facts) == kind


@pytest.mark.parametrize("data", ["{}", None, "null", "[]", "1", '"v"', '{"V": 1}', '{"w": {}}'])
def test_what_is_absent_is_nothing_at_all(data: str | None) -> None:
    for expression in (Text(V), Number(V), Boolean(V), Kind(V)):
        assert evaluate(expression, on(data)) is None


@pytest.mark.parametrize(
    ("json", "text"),
    [("null", "-"), ("{}", "-"), ("[1]", "-"), ('""', ""), ("false", "false"), ("0", "0")],
)
def test_missing_stands_for_no_scalar_and_not_for_an_empty_one(json: str, text: str) -> None:
    assert evaluate(Text(V, missing="-"), on(f'{{"v": {json}}}')) == text
    assert evaluate(Text(V, missing="-"), on("{}")) == "-"


def test_no_data_is_not_a_json_null() -> None:
    assert evaluate(Kind(parse("$")), on("null")) == "null"
    assert evaluate(Kind(parse("$")), on(None)) is None


@pytest.mark.parametrize(
    ("path", "json", "text"),
    [
        ("$.v.a", '{"a": 1}', "1"),
        ("$.v.a", "[1]", None),
        ("$.v.a", '"a"', None),
        ('$.v["0"]', '{"0": 1}', "1"),
        ('$.v["0"]', "[1]", None),
        ("$.v[0]", "[1, 2]", "1"),
        ("$.v[1]", "[1, 2]", "2"),
        ("$.v[2]", "[1, 2]", None),
        ("$.v[0]", '{"0": 1}', None),
        ("$.v[0]", "1", None),  # a scalar is no array of one
        ("$.v[0][0]", "[[1]]", "1"),
        ("$.v[*]", "[1, 2]", "1"),
        ("$.v[*]", "[]", None),
        ("$.v[*]", "1", None),
        ("$.v[*]", '{"a": 1}', None),
        ("$.v[*]", "[{}, [], 3]", "3"),  # the first scalar
        ("$.v[*]", '[null, "a"]', None),  # a null is a scalar, and has no text
        ("$.v[*].a", '[{"b": 1}, {"a": 2}, {"a": 3}]', "2"),
        ("$.v[*][*]", "[[], [4]]", "4"),
        ("$.v[*][1]", "[[1], [2, 3]]", "3"),
    ],
)
def test_a_path_leads_through_objects_by_name_and_arrays_by_place(
    path: str, json: str, text: str | None
) -> None:
    assert evaluate(Text(parse(path)), on(f'{{"v": {json}}}')) == text


def test_of_equal_names_the_last_counts() -> None:
    assert evaluate(Text(V), on('{"v": 1, "v": 2}')) == "2"


def test_no_event_has_a_member_of_what_is_listed() -> None:
    assert evaluate(Member("subject"), on("{}")) is None


def test_attributes_are_the_events_own() -> None:
    facts = on('{"subject": "not this one"}')
    names = ("id", "source", "type", "subject", "time", "ingested_at", "stored_at")
    values = [evaluate(Attribute(name), facts) for name in names]  # type: ignore[arg-type]
    assert values == ["i", "src", "call", "ann", NOON, NOON, NOON + timedelta(seconds=1)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (Arithmetic("+", n("0.1"), n("0.2")), Decimal("0.3")),
        (Arithmetic("-", n("1"), n("1e-30")), Decimal("0." + "9" * 30)),
        (Arithmetic("*", n("1e500"), n("1e500")), Decimal("1e1000")),
        (Arithmetic("/", n("1"), n("8")), Decimal("0.125")),
        (Arithmetic("/", n("2"), n("3")), Decimal("0." + "6" * 20)),
        (Arithmetic("/", n("1"), n("0")), None),
        (Arithmetic("%", n("7"), n("3")), 1),
        (Arithmetic("%", n("-7"), n("3")), -1),
        (Arithmetic("%", n("7"), n("-3")), 1),
        (Arithmetic("%", n("5.5"), n("2")), Decimal("1.5")),
        (Arithmetic("%", n("1"), n("0")), None),
        (Arithmetic("+", n("1"), Number(V)), None),
        (Arithmetic("*", Number(V), n("0")), None),
        (Case(((TRUE, n("1")), (TRUE, n("2")))), 1),
        (Case(((FALSE, n("1")), (TRUE, n("2")))), 2),
        (Case(((FALSE, n("1")),), n("3")), 3),
        (Case(((FALSE, n("1")),)), None),
        (Case(((TRUE, Number(V)),), n("3")), None),  # a branch that holds is taken, None or not
    ],
)
def test_a_computed_value_is_exact_and_none_where_an_operand_is(
    expression: Expression, value: Value
) -> None:
    assert evaluate(expression, on("{}")) == value


@pytest.mark.parametrize(
    ("json", "predicate"),
    [
        ("1.0", Compare("=", Text(V), Literal("1"))),
        ("10", Compare("=", Number(V), n("1e1"))),
        ('"10"', Compare("=", Number(V), n("10"))),
        ('"10"', Compare("<", Text(V), Literal("9"))),  # as text
        ("10", Compare(">", Number(V), n("9"))),  # as a number
        ('"B"', Compare("<", Text(V), Literal("a"))),  # by code point
        ('"\\uffff"', Compare("<", Text(V), Literal("\U00010000"))),
        ("true", Compare("=", Boolean(V), Literal(True))),
        ("true", Compare("=", Text(V), Literal("true"))),
        ("false", Compare("<", Boolean(V), Literal(True))),
        ("null", Compare("=", Kind(V), Literal("null"))),
        ('""', Compare("=", Text(V), Literal(""))),
        ("null", Compare("=", Text(V, ""), Literal(""))),
        ("1", OneOf(Text(V), ("0", "1"))),
        ("1", Not(Compare("=", Text(V), Literal("2")))),
        ("null", Not(Compare("=", Text(V), Literal("2")))),  # unlike SQL's own NOT
        ("null", Not(Compare("!=", Text(V), Literal("2")))),
        ("1", TRUE),
        ("1", Not(FALSE)),
        ("1", AnyOf((FALSE, TRUE))),
        ("1", AllOf((TRUE, Not(FALSE)))),
    ],
)
def test_a_predicate_holds(json: str, predicate: Predicate) -> None:
    assert holds(predicate, on(f'{{"v": {json}}}'))


@pytest.mark.parametrize(
    ("json", "predicate"),
    [
        ("1", Compare("=", Boolean(V), Literal(True))),
        ('"true"', Compare("=", Boolean(V), Literal(True))),
        ("true", Compare("=", Number(V), n("1"))),
        ('"10"', Compare("=", Number(V, strings=False), n("10"))),
        ("null", Compare("=", Text(V), Literal(""))),
        ("null", Compare("=", Text(V), Literal("null"))),
        ("null", Compare("!=", Text(V), Literal("a"))),
        ("null", Compare("=", Text(V), Text(V))),
        ('"a"', Compare("=", Text(V), Literal("A"))),
        ('"a"', Compare("=", Text(V), Literal("a "))),
        ("1", OneOf(Text(V), ())),
        ("null", OneOf(Text(V), ("", "null"))),
        ("1", FALSE),
        ("1", Not(TRUE)),
        ("1", AllOf((TRUE, FALSE))),
    ],
)
def test_a_predicate_does_not_hold(json: str, predicate: Predicate) -> None:
    assert not holds(predicate, on(f'{{"v": {json}}}'))


@pytest.mark.parametrize(
    ("text", "pattern", "ignore_case", "expected"),
    [
        ("", "", False, True),
        ("", "%", False, True),
        ("", "_", False, False),
        ("abc", "abc", False, True),
        ("abc", "b", False, False),
        ("abc", "%b%", False, True),
        ("abc", "a_c", False, True),
        ("💥", "_", False, True),
        ("a\nb", "a%b", False, True),
        ("a\n", "a", False, False),
        ("a.c", "a.c", False, True),
        ("abc", "a.c", False, False),
        ("50%", "50\\%", False, True),
        ("500", "50\\%", False, False),
        ("a_b", "a\\_b", False, True),
        ("axb", "a\\_b", False, False),
        ("a\\b", "a\\\\b", False, True),
        ("ab", "a\\b", False, True),
        ("ABC", "abc", False, False),
        ("ABC", "a%c", True, True),
        ("É", "é", True, False),  # ASCII only
        ("K", "\u212a", True, False),  # the Kelvin sign is no k
        ("\u017f", "s", True, False),
    ],
)
def test_like_is_sqls(text: str, pattern: str, *, ignore_case: bool, expected: bool) -> None:
    assert holds(Like(Literal(text), pattern, ignore_case), on(None)) is expected


@pytest.mark.parametrize("pattern", ["\\", "a\\", "a\\\\\\"])
def test_a_pattern_does_not_end_in_a_lone_backslash(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="lone backslash"):
        Like(Literal(""), pattern)
