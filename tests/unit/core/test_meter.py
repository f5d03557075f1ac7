from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from monometer.core.aggregation import Aggregation
from monometer.core.errors import InvalidInput
from monometer.core.expression import EVERYTHING, Expression, Number, Text
from monometer.core.jsonpath import parse
from monometer.core.meter import Meter, validate, validate_groups

ONLY_WORDS = "is invalid, only alphanumeric and underscore characters are allowed"
NUMBER_AGGREGATIONS = [
    one for one in Aggregation if one not in {Aggregation.COUNT, Aggregation.UNIQUE_COUNT}
]


def definition(**changed: Any) -> dict[str, Any]:
    usual = {
        "key": "tokens",
        "aggregation": Aggregation.SUM,
        "event_type": "prompt",
        "value_property": "$.tokens",
        "group_by": {"model": "$.model"},
    }
    return {**usual, **changed}


def problems(**changed: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        validate(**definition(**changed))
    return caught.value.message.split("\n")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"key": "a"},
        {"key": "0"},
        {"key": "a_1_b"},
        {"key": "a" * 64},
        {"event_type": "com.example/über.typ v1"},
        {"value_property": "$"},
        {"value_property": '$["a b"][0].c'},
        {"value_property": "$.items[*].n"},
        {"group_by": {}},
        {"group_by": {"A_1": "$.a", "_": "$.b"}},
        {"group_by": {"a": "$.same", "b": "$.same"}},
        {"group_by": {f"g{i}": "$.a" for i in range(100)}},
        {"aggregation": Aggregation.COUNT, "value_property": None},
        *[{"aggregation": one} for one in NUMBER_AGGREGATIONS],
        {"aggregation": Aggregation.UNIQUE_COUNT, "value_property": "$.user"},
    ],
    ids=str,
)
def test_a_sound_definition_is_accepted(changed: dict[str, Any]) -> None:
    validate(**definition(**changed))


@pytest.mark.parametrize("key", ["", "A", "a-b", "a b", "_a", "a_", "a__b", "ä", "a\n", "a" * 65])
def test_a_slug_is_lower_case_words_joined_by_single_underscores(key: str) -> None:
    pattern = "^[a-z0-9]+(?:_[a-z0-9]+)*$"
    assert "\n".join(problems(key=key)) == f"invalid meter slug: {key} does not match {pattern}"


@pytest.mark.parametrize(
    ("aggregation", "value_property", "message"),
    [
        (
            Aggregation.COUNT,
            "$.v",
            "meter value property is not allowed when the aggregation is count",
        ),
        (
            Aggregation.COUNT,
            "",
            "meter value property is not allowed when the aggregation is count",
        ),
        (
            Aggregation.SUM,
            None,
            "meter value property is required when the aggregation is not count",
        ),
        (
            Aggregation.UNIQUE_COUNT,
            None,
            "meter value property is required when the aggregation is not count",
        ),
        (
            Aggregation.MAX,
            "",
            "meter value property cannot be empty when the aggregation is not count",
        ),
        (Aggregation.AVG, "v", "meter value property must start with $"),
        (
            Aggregation.LATEST,
            "$..v",
            "invalid JSONPath, not understood from character 2: $..v",
        ),
    ],
)
def test_the_value_property_fits_the_aggregation(
    aggregation: Aggregation, value_property: str | None, message: str
) -> None:
    told = problems(aggregation=aggregation, value_property=value_property)
    assert told == [f"invalid meter aggregation: {message}"]


@pytest.mark.parametrize(
    ("group_by", "message"),
    [
        ({"": "$.a"}, "meter group by key cannot be empty"),
        ({" ": "$.a"}, "meter group by key cannot be empty"),
        (
            {"a-b": "$.a"},
            f"meter group by key a-b {ONLY_WORDS}",
        ),
        (
            {"1a": "$.a"},
            f"meter group by key 1a {ONLY_WORDS}",
        ),
        (
            {"ä": "$.a"},
            f"meter group by key ä {ONLY_WORDS}",
        ),
        ({"subject": "$.a"}, "meter group by key subject is reserved"),
        ({"customer_id": "$.a"}, "meter group by key customer_id is reserved"),
        ({"a": ""}, "meter group by value must start with $ for key a"),
        ({"a": "a"}, "meter group by value must start with $ for key a"),
        ({"a": "$.tokens"}, "meter group by value a cannot be the same as value property"),
        ({"a": "$.b["}, "invalid JSONPath, not understood from character 4: $.b["),
        ({f"g{i}": "$.a" for i in range(101)}, "a meter has at most 100 group keys"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_groups_have_names_and_paths(group_by: Mapping[str, str], message: str) -> None:
    assert problems(group_by=group_by) == [f"invalid meter group by: {message}"]
    with pytest.raises(InvalidInput, match=r"^invalid meter group by: "):
        validate_groups("$.tokens", group_by)


def test_an_event_type_is_required() -> None:
    assert problems(event_type="") == ["invalid meter event type: it cannot be empty"]


def test_every_broken_rule_is_named_at_once() -> None:
    told = problems(key="-", event_type="", value_property="v", group_by={"subject": "a"})
    assert [line.partition(":")[0] for line in told] == [
        "invalid meter aggregation",
        "invalid meter group by",
        "invalid meter group by",
        "invalid meter slug",
        "invalid meter event type",
    ]


@pytest.mark.parametrize(
    ("aggregation", "value_property", "value"),
    [
        (Aggregation.COUNT, None, None),
        (Aggregation.UNIQUE_COUNT, "$.v", Text(parse("$.v"))),
        *[(one, "$.v", Number(parse("$.v"))) for one in NUMBER_AGGREGATIONS],
    ],
)
def test_a_meter_measures_numbers_texts_or_nothing(
    aggregation: Aggregation, value_property: str | None, value: Expression | None
) -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC)
    meter = Meter(
        namespace="ns",
        id="1",
        key="k",
        name="K",
        description=None,
        aggregation=aggregation,
        event_type="prompt",
        event_from=now,
        value_property=value_property,
        group_by={"g": "$.g"},
        metadata=None,
        annotations=None,
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )
    measure = meter.measure()
    assert (measure.event_type, measure.event_from) == ("prompt", now)
    assert measure.value == value
    assert measure.groups == {"g": Text(parse("$.g"), "")}
    assert measure.where == EVERYTHING
