"""Usage in v3: the numbers of the first version, as decimal texts, by dimension."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from tests.support.v3 import METERS, Client, Meter, Wrong, failure, page_of, wrong

EVENTS = (  # time, subject, data
    ("2024-06-15T12:00:30.25Z", "ann", {"v": "0.1", "model": "a", "n": 1}),
    ("2024-06-15T13:10:00Z", "bob", {"v": 0.2, "model": "b_x"}),
    ("2024-06-16T00:30:00Z", "ann", {"v": "12345678901234567890.5", "model": "A"}),
    ("2024-06-16T00:40:00Z", 'c,"d"', {"v": "none", "model": ""}),
    ("2024-07-01T00:00:00Z", "bob", {"v": -3}),
)
DIMENSIONS = {"model": "$.model", "n": "$.n"}


@pytest.fixture(scope="module")
def meter(v3: Client) -> Meter:
    made = v3.create("sum", dimensions=DIMENSIONS)
    as_type = {"type": made["event_type"]}
    v3.send(*({**as_type, "time": t, "subject": s, "data": d} for t, s, d in EVENTS))
    return made


def filtered(dimensions: Mapping[str, object]) -> dict[str, object]:
    return {"filters": {"dimensions": dimensions}}


def test_value_is_a_decimal_text_with_every_digit(v3: Client, meter: Meter) -> None:
    assert v3.query(meter).json() == {
        "data": [
            {
                "value": "12345678901234567887.8",
                "from": "2024-06-15T12:00:00Z",
                "to": "2024-07-01T00:01:00Z",
                "dimensions": {},
            }
        ]
    }


def test_bounds_are_repeated_and_half_open(v3: Client, meter: Meter) -> None:
    asked = {"from": "2024-06-15T12:00:30.25Z", "to": "2024-06-15T15:10:00+02:00"}
    row = {"value": "0.1", "from": asked["from"], "to": asked["to"], "dimensions": {}}
    assert v3.query(meter, asked).json() == {**asked, "data": [row]}


@pytest.mark.parametrize(
    ("granularity", "starts"),
    [
        ("PT1M", ["15T08:00", "15T09:10", "15T20:30", "30T20:00"]),
        ("PT1H", ["15T08:00", "15T09:00", "15T20:00", "30T20:00"]),
        ("P1D", ["15T00:00", "30T00:00"]),
        ("P1M", ["01T00:00"]),
    ],
)
def test_windows_are_those_of_the_granularity_in_the_zone(
    v3: Client, meter: Meter, granularity: str, starts: list[str]
) -> None:
    rows = v3.rows(meter, {"granularity": granularity, "time_zone": "America/New_York"})
    assert [row["from"] for row in rows] == [f"2024-06-{start}:00-04:00" for start in starts]
    assert all(row["to"].endswith("-04:00") for row in rows)


def test_dimensions_come_in_the_order_asked_for_after_the_subject(v3: Client, meter: Meter) -> None:
    rows = v3.rows(meter, {"group_by_dimensions": ["n", "subject", "model", "n"]})
    assert list(rows[0]["dimensions"]) == ["subject", "n", "model"]
    assert [(tuple(row["dimensions"].values()), row["value"]) for row in rows] == [
        (("ann", "", "A"), "12345678901234567890.5"),
        (("ann", "1", "a"), "0.1"),
        (("bob", "", ""), "-3"),
        (("bob", "", "b_x"), "0.2"),
    ]


@pytest.mark.parametrize(
    ("condition", "models"),
    [
        ({"eq": "a"}, ["a"]),
        ({"neq": "a"}, ["", "A", "b_x"]),
        ({"in": ["a", "A"]}, ["A", "a"]),
        ({"nin": ["a", "A"]}, ["", "b_x"]),
        ({"contains": "a"}, ["a"]),
        ({"contains": "_"}, ["b_x"]),
        ({"contains": "%"}, []),
        ({"ncontains": "_"}, ["", "A", "a"]),
        ({"exists": True}, ["A", "a", "b_x"]),
        ({"exists": False}, [""]),
        ({"or": [{"eq": "a"}, {"contains": "b"}]}, ["a", "b_x"]),
        ({"and": [{"neq": "a"}, {"or": [{"eq": "a"}, {"eq": "A"}]}]}, ["A"]),
        ({}, ["", "A", "a", "b_x"]),
    ],
)
def test_filter_takes_what_its_operator_says(
    v3: Client, meter: Meter, condition: dict[str, object], models: list[str]
) -> None:
    rows = v3.rows(meter, {"group_by_dimensions": ["model"], **filtered({"model": condition})})
    assert [row["dimensions"]["model"] for row in rows] == models


def test_filter_of_a_dimension_does_not_group_by_it(v3: Client, meter: Meter) -> None:
    [row] = v3.rows(meter, filtered({"model": {"in": ["a", "b_x"]}}))
    assert (row["value"], row["dimensions"]) == ("0.3", {})


@pytest.mark.parametrize("condition", [{"eq": "ann"}, {"in": ["ann", "nobody"]}])
def test_filter_of_subjects_groups_by_them(
    v3: Client, meter: Meter, condition: dict[str, object]
) -> None:
    [row] = v3.rows(meter, filtered({"subject": condition, "n": {"eq": "1"}}))
    assert (row["value"], row["dimensions"]) == ("0.1", {"subject": "ann"})


def test_csv_has_a_column_for_each_dimension_and_every_digit(v3: Client, meter: Meter) -> None:
    body = {"group_by_dimensions": ["model", "subject"], "to": "2024-06-16T01:00:00Z"}
    answer = v3.query(meter, body, accept="text/csv")
    assert answer.headers["content-type"] == "text/csv"
    assert answer.headers["content-disposition"] == f"attachment; filename={meter['key']}.csv"
    assert answer.text == (
        "from,to,subject,model,value\n"
        "2024-06-16T00:30:00Z,2024-06-16T01:00:00Z,ann,A,12345678901234567890.5\n"
        "2024-06-15T12:00:00Z,2024-06-16T01:00:00Z,ann,a,0.1\n"
        "2024-06-15T13:10:00Z,2024-06-16T01:00:00Z,bob,b_x,0.2\n"
    )


def test_csv_of_nothing_is_its_header(v3: Client, meter: Meter) -> None:
    body = filtered({"model": {"eq": "none"}})
    assert v3.query(meter, body, accept="text/csv").text == "from,to,value\n"


def test_count_of_nothing_is_a_row_of_zero(v3: Client) -> None:
    [row] = v3.rows(v3.create())
    assert (row["value"], row["dimensions"]) == ("0", {})


def test_deleted_meter_still_answers(v3: Client) -> None:
    made = v3.create()
    v3.send({"type": made["event_type"]})
    v3.http.delete(f"{METERS}/{made['id']}")
    assert v3.rows(made)[0]["value"] == "1"


@pytest.mark.parametrize(
    "aggregation", ["sum", "count", "unique_count", "avg", "min", "max", "latest"]
)
@pytest.mark.parametrize(
    ("v1", "body"),
    [
        ({}, {}),
        ({"windowSize": "DAY", "windowTimeZone": "Asia/Kolkata"},
         {"granularity": "P1D", "time_zone": "Asia/Kolkata"}),
        ({"groupBy": ["model", "n"], "subject": ["ann", "bob"]},
         {"group_by_dimensions": ["model", "n"], **filtered({"subject": {"in": ["ann", "bob"]}})}),
        ({"filterGroupBy": {"model": ["a", "b_x"]}, "from": "2024-06-15T12:00:00Z"},
         {**filtered({"model": {"in": ["a", "b_x"]}}), "from": "2024-06-15T12:00:00Z"}),
        ({"advancedMeterGroupByFilters": {"model": {"$ne": "a"}}, "windowSize": "MONTH"},
         {**filtered({"model": {"neq": "a"}}), "granularity": "P1M"}),
    ],
)  # fmt: skip
def test_both_versions_answer_the_same_numbers(
    v3: Client, meter: Meter, aggregation: str, v1: dict[str, object], body: dict[str, object]
) -> None:
    value = {} if aggregation == "count" else {"value_property": "$.v"}
    same = v3.create(aggregation, event_type=meter["event_type"], dimensions=DIMENSIONS, **value)
    told = v3.post(f"/api/v1/meters/{same['key']}/query", v1)
    by_v1 = json.loads(told.text, parse_float=Decimal, parse_int=Decimal)["data"]
    by_v3 = v3.rows(same, body)
    assert by_v1
    assert [as_v1(row) for row in by_v3] == by_v1


def as_v1(row: dict[str, Any]) -> dict[str, object]:
    dimensions = dict(row["dimensions"])
    return {
        "value": Decimal(row["value"]),
        "windowStart": row["from"],
        "windowEnd": row["to"],
        "subject": dimensions.pop("subject", None),
        "groupBy": dimensions,
    }


DIMENSION = "filters.dimensions.model"


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"from": "today"}, "from", "is_date_time"),
        ({"to": 5}, "to", "is_date_time"),
        ({"from": "2024-01-02T00:00:00Z", "to": "2024-01-01T00:00:00Z"}, "from", "invalid"),
        ({"from": "2024-01-01T00:00:00Z", "to": "2024-01-01T00:00:00Z"}, "from", "invalid"),
        ({"granularity": "DAY"}, "granularity", "enum"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "invalid"),
        ({"group_by_dimensions": ["model", "nope"]}, "group_by_dimensions.1", "invalid"),
        ({"group_by_dimensions": ["x"] * 101}, "group_by_dimensions", "max_items"),
        ({"group_by_dimensions": "model"}, "group_by_dimensions", "is_array"),
        ({"windowSize": "DAY"}, "windowSize", "unknown_property"),
        ({"filters": {"subject": {}}}, "filters.subject", "unknown_property"),
        (filtered({"nope": {"eq": "x"}}), "filters.dimensions.nope", "invalid"),
        (filtered({f"d{i}": {} for i in range(11)}), "filters.dimensions", "max_items"),
        (filtered({"model": {"eq": "a", "neq": "b"}}), DIMENSION, "invalid"),
        (filtered({"model": {"exists": True, "neq": "b"}}), DIMENSION, "invalid"),
        (filtered({"model": {"$eq": "a"}}), f"{DIMENSION}.$eq", "unknown_property"),
        (filtered({"model": {"eq": ""}}), f"{DIMENSION}.eq", "min_length"),
        (filtered({"model": {"in": []}}), f"{DIMENSION}.in", "min_items"),
        (filtered({"model": {"in": ["x"] * 101}}), f"{DIMENSION}.in", "max_items"),
        (filtered({"model": {"or": []}}), f"{DIMENSION}.or", "min_items"),
        (filtered({"model": {"or": [{"eq": "x"}] * 11}}), f"{DIMENSION}.or", "max_items"),
        (filtered({"model": {"or": [{"exists": True}]}}), f"{DIMENSION}.or.0.exists",
         "unknown_property"),
        (filtered({"model": {"eq": "a\0"}}), f"{DIMENSION}.eq", "invalid"),
        (filtered({"model": {"eq": "\ud800"}}), f"{DIMENSION}.eq", "invalid"),
        (filtered({"subject": {"neq": "ann"}}), "filters.dimensions.subject", "invalid"),
        (filtered({"subject": {}}), "filters.dimensions.subject", "invalid"),
        (filtered({"subject": {"exists": True}}), "filters.dimensions.subject", "invalid"),
        (filtered({"subject": {"eq": "a", "in": ["b"]}}), "filters.dimensions.subject", "invalid"),
    ],
)  # fmt: skip
def test_question_that_makes_no_sense_is_refused_by_the_field(
    v3: Client, meter: Meter, body: object, field: str, rule: str
) -> None:
    assert wrong(v3.query(meter, body)) == [Wrong(field, rule, "body")]


def nested(levels: int) -> dict[str, object]:
    condition: dict[str, object] = {"eq": "a"}
    for _ in range(levels):
        condition = {"and": [condition]}
    return filtered({"model": condition})


def test_conditions_are_nested_32_levels_deep_at_most(v3: Client, meter: Meter) -> None:
    assert v3.query(meter, nested(32)).is_success
    for levels in (33, 200, 300):
        [problem] = wrong(v3.query(meter, nested(levels)))[:1]
        assert problem.source == "body"


@pytest.mark.parametrize("levels", [1_000, 100_000])
def test_body_nested_too_deeply_to_be_read_is_refused(
    v3: Client, meter: Meter, levels: int
) -> None:
    deep = '{"filters":{"dimensions":{"model":' + '{"and":[' * levels + "{}" + "]}" * levels + "}}}"
    answer = v3.http.post(
        f"{METERS}/{meter['id']}/query", content=deep, headers={"content-type": "application/json"}
    )
    assert wrong(answer)


def test_a_hundred_conditions_are_enough(v3: Client, meter: Meter) -> None:
    ten = {"or": [{"eq": "x"}] * 10}
    assert v3.query(meter, filtered({"model": {"or": [ten] * 8}})).is_success
    assert wrong(v3.query(meter, filtered({"model": {"or": [ten] * 10}}))) == [
        Wrong("filters.dimensions", "invalid", "body")
    ]


def test_body_is_needed(v3: Client, meter: Meter) -> None:
    answer = v3.http.post(f"{METERS}/{meter['id']}/query")
    assert wrong(answer) == [Wrong("body", "required", "body")]


def test_form_of_the_body_comes_before_the_meter(v3: Client) -> None:
    unknown = {"id": "01HM6ZYX0000000000000000AB"}
    assert wrong(v3.query(unknown, {"from": 1})) == [Wrong("from", "is_date_time", "body")]
    assert failure(v3.query(unknown, {"time_zone": "Mars/Olympus"}))[0] == 404
    assert page_of(v3.query(v3.create(), {"from": None, "filters": None}))
