"""Data is looked at quickly: the quick look must see everything that a slow one would."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monometer.api.event_data import DataLimits, data_problem, surrogate_member

LIMITS = DataLimits(bytes_max=100_000, depth_max=4)

# Brackets, quotes and backslashes often, so that strings look like structure.
texts = st.text(st.one_of(st.sampled_from('[]{}"\\,:u0dDeE\0\ud800\udfff'), st.characters()))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), texts)
values = st.recursive(
    scalars,
    lambda children: st.one_of(
        st.lists(children, max_size=4), st.dictionaries(texts, children, max_size=4)
    ),
    max_leaves=30,
)
objects = st.dictionaries(texts, values, max_size=4)


def slow_problem(data: object) -> set[str]:
    """Every reason to refuse `data`, found by looking at each part of it."""
    found: set[str] = set()

    def look(value: Any, level: int) -> None:
        if isinstance(value, dict | list) and level > LIMITS.depth_max:
            found.add("must not be nested deeper than 4 levels")
        if isinstance(value, str) and "\0" in value:
            found.add("must not contain a NUL character")
        if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
            found.add("must not contain a lone surrogate")
        for part in [*value, *value.values()] if isinstance(value, dict) else ():
            look(part, level + 1)
        for part in value if isinstance(value, list) else ():
            look(part, level + 1)

    look(data, 1)
    return found


@settings(deadline=None)
@given(objects)
def test_quick_look_sees_what_a_slow_one_does(data: dict[str, Any]) -> None:
    text = json.dumps(data)
    # Two escapes that stand side by side may make a pair, and are none then.
    expected = slow_problem(json.loads(text))
    found = data_problem(text.encode(), LIMITS)
    assert found in expected if expected else found is None


@settings(deadline=None)
@given(objects)
def test_escaped_or_not_makes_no_difference(data: dict[str, Any]) -> None:
    text = json.dumps(data, ensure_ascii=False).encode(errors="replace").decode()
    escaped = json.dumps(json.loads(text))
    assert data_problem(text.encode(), LIMITS) == data_problem(escaped.encode(), LIMITS)


@pytest.mark.parametrize("text", ["null", "{}", '{"a": 1}', '{"a":[{"b":[]}]}'])
def test_objects_and_null_are_data(text: str) -> None:
    assert data_problem(text.encode(), LIMITS) is None


@pytest.mark.parametrize("text", ["[]", '"{}"', "1", "true", "nullx"])
def test_nothing_else_is(text: str) -> None:
    assert data_problem(text.encode(), LIMITS) == "must be a JSON object or null"


@pytest.mark.parametrize(
    ("numbers", "digits"),
    [
        ("1e99", 100), ("1e-99", 100), ("-1.5E+98", 99), ("1e999", 1000), ("1e-1000", 1001),
        ("1.25e-100", 103), ("1e99, 1e99", 200), ('1e99, 1, "1e99", "eee", true', 101),
        ("[1e99], 1e99, [[1e99]]", 300), ('{"1e99": 1e-99, "1e99": 1e-99}', 200),
    ],
)  # fmt: skip
def test_digits_are_counted_as_postgresql_writes_them(numbers: str, digits: int) -> None:
    raw = f'{{"n":[{numbers}]}}'.encode()
    assert data_problem(raw, DataLimits(bytes_max=digits, depth_max=4)) is None
    problem = data_problem(raw, DataLimits(bytes_max=digits - 1, depth_max=4))
    assert problem == f"must not hold numbers of more than {digits - 1} digits in all"


@pytest.mark.parametrize(
    ("text", "member"),
    [
        (r'{"a": 1, "b": "\ud800", "c": "\ud800"}', "b"),
        (r'{"a": {"b": ["\udfff"]}}', "a"),
        (r'{"\ud800": 1}', "\ud800"),
        (r'{"a": "\ud800", "a": 1}', "a"),
        (r'{"a": "\ud83d\ude00"}', None),
        ("{}", None),
        ("[1]", None),
        ("5", None),
        (r'"\ud800"', None),
        ("{", None),
        ('{"a": ' + "[" * 100_000, None),
    ],
)
def test_member_with_a_lone_surrogate_is_found(text: str, member: str | None) -> None:
    assert surrogate_member(text) == member
    assert surrogate_member(text.encode()) == member


@pytest.mark.parametrize("levels", range(930, 1000))
def test_no_depth_breaks_the_search_for_a_surrogate(levels: int) -> None:
    text = '{"a": ' + "[" * levels + r'"\ud800"' + "]" * levels + "}"
    assert surrogate_member(text) in {"a", None}
