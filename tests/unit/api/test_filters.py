"""Filter objects as predicates: each operator, and what is no filter."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from monometer.api.openmeter.filters import (
    FilterString,
    FilterTime,
    of_json_parameter,
    predicate_of,
)
from monometer.api.problems import MalformedRequest
from monometer.core.errors import InvalidInput
from monometer.core.expression import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Attribute,
    Compare,
    Comparison,
    Like,
    Literal,
    Not,
    OneOf,
    Predicate,
)
from monometer.core.filter import DEPTH_MAX, OPERATORS_MAX

SUBJECT = Attribute("subject")
TIME = Attribute("time")
FILTERS = TypeAdapter(dict[str, FilterString])


def predicate(filter_: dict[str, Any], depth_max: int = DEPTH_MAX) -> Predicate:
    return predicate_of(FilterString.model_validate(filter_), SUBJECT, depth_max=depth_max)


def compare(comparison: Comparison, value: str) -> Compare:
    return Compare(comparison, SUBJECT, Literal(value))


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"$eq": "a"}, compare("=", "a")),
        ({"$ne": "a"}, compare("!=", "a")),
        ({"$gt": "a"}, compare(">", "a")),
        ({"$gte": "a"}, compare(">=", "a")),
        ({"$lt": "a"}, compare("<", "a")),
        ({"$lte": "a"}, compare("<=", "a")),
        ({"$in": ["a", "b"]}, OneOf(SUBJECT, ("a", "b"))),
        ({"$nin": ["a"]}, Not(OneOf(SUBJECT, ("a",)))),
        ({"$in": []}, OneOf(SUBJECT, ())),
        ({"$like": "a%"}, Like(SUBJECT, "a%")),
        ({"$nlike": "a%"}, Not(Like(SUBJECT, "a%"))),
        ({"$ilike": "a%"}, Like(SUBJECT, "a%", ignore_case=True)),
        ({"$nilike": "a%"}, Not(Like(SUBJECT, "a%", ignore_case=True))),
        ({"$and": [{"$gt": "a"}, {"$lt": "b"}]}, AllOf((compare(">", "a"), compare("<", "b")))),
        ({"$or": [{"$eq": "a"}, {"$eq": "b"}]}, AnyOf((compare("=", "a"), compare("=", "b")))),
        ({"$and": []}, AllOf(())),
        ({"$or": []}, AnyOf(())),
        ({"$or": [{}]}, AnyOf((EVERYTHING,))),
        ({}, EVERYTHING),
        ({"$eq": None, "$like": None}, EVERYTHING),
        ({"$eq": "a", "$ne": None}, compare("=", "a")),
        ({"eq": "a", "$unknown": 1}, EVERYTHING),
    ],
)
def test_filter_is_its_predicate(filter_: dict[str, Any], expected: Predicate) -> None:
    assert predicate(filter_) == expected


@pytest.mark.parametrize(
    ("operator", "comparison"), [("$gt", ">"), ("$gte", ">="), ("$lt", "<"), ("$lte", "<=")]
)
def test_times_are_compared_as_instants_in_utc(operator: str, comparison: Comparison) -> None:
    filter_ = FilterTime.model_validate({operator: "2024-06-15T14:00:00+02:00"})
    noon = datetime(2024, 6, 15, 12, tzinfo=UTC)
    expected = Compare(comparison, TIME, Literal(noon))
    found = predicate_of(filter_, TIME)
    assert found == expected
    assert isinstance(found, Compare)
    assert isinstance(found.right, Literal)
    assert isinstance(found.right.value, datetime)
    assert found.right.value.tzinfo is UTC


@pytest.mark.parametrize(
    ("filter_", "reason"),
    [
        ({"$eq": "a", "$ne": "b"}, "multiple operators are set"),
        ({"$eq": "a", "$and": []}, "multiple operators are set"),
        ({"$or": [{"$eq": "a"}, {"$gt": "a", "$lt": "b"}]}, "multiple operators are set"),
        ({"$eq": ""}, "format mismatch"),
        ({"$in": ["a", ""]}, "format mismatch"),
        ({"$nilike": ""}, "format mismatch"),
        ({"$and": [{"$or": [{"$ne": ""}]}]}, "format mismatch"),
        ({"$like": "a\\"}, "lone backslash"),
        ({"$nilike": "\\\\\\"}, "lone backslash"),
    ],
)
def test_wrong_filter_is_refused(filter_: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=f"^filter is invalid: .*{reason}"):
        predicate(filter_)


@pytest.mark.parametrize("depth_max", [0, 1, 5, DEPTH_MAX])
def test_depth_is_counted_in_levels_of_and_and_or(depth_max: int) -> None:
    def nested(depth: int) -> dict[str, Any]:
        filter_: dict[str, Any] = {"$eq": "a"}
        for level in range(depth):
            filter_ = {"$and" if level % 2 else "$or": [filter_]}
        return filter_

    assert predicate(nested(depth_max), depth_max)
    with pytest.raises(InvalidInput, match=r"^filter complexity exceeds maximum allowed depth$"):
        predicate(nested(depth_max + 1), depth_max)


def test_operators_are_counted_wherever_they_stand() -> None:
    most = {"$or": [{"$eq": "a"}] * (OPERATORS_MAX - 1)}
    assert predicate(most)
    for more in (
        {"$or": [{"$eq": "a"}] * OPERATORS_MAX},
        {"$and": [most]},
    ):
        with pytest.raises(InvalidInput, match=f"more than {OPERATORS_MAX} operators"):
            predicate(more)


def test_parameter_is_read_as_json() -> None:
    found = of_json_parameter("filter", '{"a": {"$eq": "x"}, "b": {}}', FILTERS)
    assert found == {"a": FilterString.model_validate({"$eq": "x"}), "b": FilterString()}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Invalid JSON"),
        ("", "Invalid JSON"),
        ("[]", "Input should be an object"),
        ('{"a": {"$in": "x"}}', r"a\.\$in: Input should be a valid array"),
        ('{"a": {"$or": [{"$eq": 1}]}}', r"a\.\$or\.0\.\$eq: Input should be a valid string"),
        ('{"a": {"$eq": "\\u0000"}}', r"a\.\$eq: must not contain a NUL character"),
        ("[" * 10_000, "recursion limit"),
    ],
)
def test_broken_parameter_is_told_by_name_and_place(text: str, reason: str) -> None:
    with pytest.raises(MalformedRequest, match=reason) as caught:
        of_json_parameter("filter", text, FILTERS)
    assert caught.value.message.startswith('parameter "filter" in query has an error: ')
    [field] = caught.value.fields
    assert field.field == "filter"
