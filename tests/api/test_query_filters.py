"""Filters of a meter query by group value: exact ones, and the language of operators."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from tests.support.metering import Meter, Metering, at, refusal

VALUES = ("", "10", "5", "Apple", "apple", "banana", "b%", "true", "é")


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def meter(api: Metering) -> Meter:
    """One event for each of VALUES: "" by an absent one, 5 a number, true a boolean."""
    meter = api.create(groupBy={"g": "$.g", "h": "$.h"})
    typed: dict[str, Any] = {"5": 5, "true": True}
    api.send(meter, *(at(data={"g": typed.get(v, v), "h": "x"} if v else {}) for v in VALUES))
    return meter


def taken(api: Metering, meter: Meter, filter_: object, key: str = "g") -> list[str]:
    """Values of `g` that the filter takes, asked by POST and, with the same answer, by GET."""
    body = {"groupBy": ["g"], "advancedMeterGroupByFilters": {key: filter_}}
    by_post = api.query_by_body(meter, body)
    assert by_post.status_code == HTTPStatus.OK, by_post.text
    text = json.dumps(body["advancedMeterGroupByFilters"])
    by_get = api.query(meter, {"groupBy": "g", "advancedMeterGroupByFilters": text})
    assert by_get.content == by_post.content
    return [row["groupBy"]["g"] for row in by_post.json()["data"]]


def all_but(*values: str) -> list[str]:
    return sorted(value for value in VALUES if value not in values)


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"$eq": "apple"}, ["apple"]),
        ({"$eq": "5"}, ["5"]),
        ({"$eq": "true"}, ["true"]),
        ({"$ne": "apple"}, all_but("apple")),
        ({"$in": ["apple", "5", "zebra"]}, ["5", "apple"]),
        ({"$in": []}, []),
        ({"$nin": ["apple", "5"]}, all_but("apple", "5")),
        ({"$nin": []}, all_but()),
        ({"$like": "%an%"}, ["banana"]),
        ({"$like": "_pple"}, ["Apple", "apple"]),
        ({"$like": r"b\%"}, ["b%"]),
        ({"$like": "_"}, ["5", "é"]),
        ({"$like": "%"}, all_but()),
        ({"$nlike": "%e"}, all_but("Apple", "apple", "true")),
        ({"$ilike": "APPLE"}, ["Apple", "apple"]),
        ({"$ilike": "É"}, []),  # the case of ASCII letters only
        ({"$nilike": "apple"}, all_but("Apple", "apple")),
        ({"$gt": "apple"}, ["b%", "banana", "true", "é"]),
        ({"$gte": "apple"}, ["apple", "b%", "banana", "true", "é"]),
        ({"$lt": "5"}, ["", "10"]),  # texts, not numbers
        ({"$lte": "5"}, ["", "10", "5"]),
        ({"$and": [{"$gt": "a"}, {"$lt": "b"}]}, ["apple"]),
        ({"$and": [{"$ne": "5"}, {"$ne": "10"}, {"$lt": "B"}]}, ["", "Apple"]),
        ({"$or": [{"$eq": "5"}, {"$like": "b%"}]}, ["5", "b%", "banana"]),
        ({"$or": [{"$eq": "5"}, {"$and": [{"$gt": "b"}, {"$lt": "c"}]}]}, ["5", "b%", "banana"]),
        ({"$and": []}, all_but()),
        ({"$or": []}, []),
        ({}, all_but()),
        ({"$eq": None}, all_but()),
        ({"$and": [{}, {"$eq": "5"}]}, ["5"]),
        ({"$unknown": "x"}, all_but()),
    ],
    ids=json.dumps,
)
def test_operator_takes_what_it_says(
    api: Metering, meter: Meter, filter_: object, expected: list[str]
) -> None:
    assert taken(api, meter, filter_) == sorted(expected)


def test_filter_of_one_key_tells_the_groups_of_another(api: Metering, meter: Meter) -> None:
    assert taken(api, meter, {"$eq": "x"}, "h") == all_but("")
    assert taken(api, meter, {"$ne": "x"}, "h") == [""]


def test_filters_of_several_keys_hold_together(api: Metering, meter: Meter) -> None:
    filters = {"g": {"$like": "%a%"}, "h": {"$ne": "x"}}
    body = {"advancedMeterGroupByFilters": filters}
    assert api.query_by_body(meter, body).json()["data"][0]["value"] == 0


WRONG: dict[str, tuple[object, str]] = {
    "two operators": ({"$eq": "a", "$ne": "b"}, "filter is invalid: multiple operators are set"),
    "two inside": ({"$and": [{"$gt": "a", "$lt": "b"}]}, "multiple operators are set"),
    "empty text": ({"$eq": ""}, "filter is invalid: format mismatch"),
    "empty pattern": ({"$like": ""}, "filter is invalid: format mismatch"),
    "empty in list": ({"$in": ["a", ""]}, "filter is invalid: format mismatch"),
    "empty inside": ({"$or": [{"$eq": "a"}, {"$gt": ""}]}, "filter is invalid: format mismatch"),
    "lone backslash": ({"$like": "a\\"}, "filter is invalid: pattern ends in a lone backslash"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_filter_is_refused(api: Metering, meter: Meter, case: str) -> None:
    filter_, reason = WRONG[case]
    body = {"advancedMeterGroupByFilters": {"g": filter_}}
    status, detail = refusal(api.query_by_body(meter, body))
    assert status == HTTPStatus.BAD_REQUEST
    assert str(detail).startswith("validation error: ")
    assert reason in str(detail)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "null", "5", '{"g": null}', '{"g": "x"}', '{"g": {"$in": "x"}}',
     '{"g": {"$eq": 5}}', '{"g": {"$and": {"$eq": "x"}}}', '{"g": {"$eq": "\\ud800"}}',
     '{"g": {"$eq": "\\u0000"}}', "[" * 5000],
)  # fmt: skip
def test_broken_json_in_the_parameter_is_told_by_its_name(
    api: Metering, meter: Meter, text: str
) -> None:
    status, detail = refusal(api.query(meter, {"advancedMeterGroupByFilters": text}))
    assert status == HTTPStatus.BAD_REQUEST
    prefix = 'parameter "advancedMeterGroupByFilters" in query has an error: '
    assert str(detail).startswith(prefix)


def nested(depth: int) -> str:
    return '{"$and":[' * depth + '{"$eq":"5"}' + "]}" * depth


def test_filters_nest_as_deep_as_anyone_needs(api: Metering, meter: Meter) -> None:
    assert taken(api, meter, json.loads(nested(32))) == ["5"]


@pytest.mark.parametrize("depth", [33, 100, 5_000])
def test_filters_nested_deeper_are_refused(api: Metering, meter: Meter, depth: int) -> None:
    body = f'{{"advancedMeterGroupByFilters":{{"g":{nested(depth)}}}}}'
    path = f"/api/v1/meters/{meter['slug']}/query"
    answer = api.http.post(path, content=body, headers={"content-type": "application/json"})
    assert refusal(answer)[0] == HTTPStatus.BAD_REQUEST


def test_filter_has_a_bounded_number_of_operators(api: Metering, meter: Meter) -> None:
    body = {"advancedMeterGroupByFilters": {"g": {"$or": [{"$eq": "5"}] * 600}}}
    _, detail = refusal(api.query_by_body(meter, body))
    assert str(detail).startswith("validation error: filter is invalid: more than ")


def exact(api: Metering, meter: Meter, values: list[str]) -> list[str]:
    body = {"groupBy": ["g"], "filterGroupBy": {"g": values}}
    answer = api.query_by_body(meter, body)
    assert answer.status_code == HTTPStatus.OK, answer.text
    return [row["groupBy"]["g"] for row in answer.json()["data"]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["apple"], ["apple"]),
        (["5"], ["5"]),
        (["true"], ["true"]),
        (["apple", "10", "apple", "zebra"], ["10", "apple"]),
        (["b_"], []),
        ([], all_but()),
    ],
)
def test_exact_filter_takes_any_of_its_values(
    api: Metering, meter: Meter, values: list[str], expected: list[str]
) -> None:
    assert exact(api, meter, values) == sorted(expected)


def test_exact_filter_of_a_url_may_be_repeated(api: Metering, meter: Meter) -> None:
    params = {"filterGroupBy[g]": ["5", "10"], "groupBy": "g"}
    assert [row.group["g"] for row in api.rows(meter, params)] == ["10", "5"]


def test_exact_filter_takes_very_many_values(api: Metering, meter: Meter) -> None:
    assert exact(api, meter, [str(number) for number in range(50_000)]) == ["10", "5"]


def test_empty_value_and_unknown_key_are_refused(api: Metering, meter: Meter) -> None:
    mismatch = (400, "validation error: filter is invalid: format mismatch")
    assert refusal(api.query(meter, {"filterGroupBy[g]": ""})) == mismatch
    assert refusal(api.query(meter, {"filterGroupBy[g]": ["5", ""]})) == mismatch
    unknown = (400, "validation error: invalid group by filter: z")
    assert refusal(api.query(meter, {"filterGroupBy[z]": "5"})) == unknown
    assert refusal(api.query_by_body(meter, {"filterGroupBy": {"z": []}})) == unknown


def test_empty_filter_of_one_kind_leaves_the_other(api: Metering, meter: Meter) -> None:
    for body in (
        {"filterGroupBy": {"g": []}, "advancedMeterGroupByFilters": {"g": {"$eq": "5"}}},
        {"filterGroupBy": {"g": ["5"]}, "advancedMeterGroupByFilters": {}},
    ):
        assert api.query_by_body(meter, body).json()["data"][0]["value"] == 1


@pytest.mark.parametrize(
    "name",
    ["filterGroupBy", "filterGroupBy.g", "filterGroupBy[g", "filterGroupBy[g]x", "filterGroupBy g"],
)
def test_filter_in_a_form_without_meaning_is_refused_not_left_out(
    api: Metering, meter: Meter, name: str
) -> None:
    detail = (
        'parameter "filterGroupBy" in query has an error: '
        "it must be sent as filterGroupBy[key]=value"
    )
    assert refusal(api.query(meter, {name: "5"})) == (400, detail)


@pytest.mark.parametrize("name", ["filterGroupBy[]", "filterGroupBy[g][]", "filterGroupBy[g][0]"])
def test_filter_of_a_key_that_is_none_is_refused(api: Metering, meter: Meter, name: str) -> None:
    status, detail = refusal(api.query(meter, {name: "5"}))
    assert status == HTTPStatus.BAD_REQUEST
    assert str(detail).startswith("validation error: invalid group by filter: ")


@pytest.mark.parametrize(
    "glued",
    ["filterGroupBy[g]=5,filterGroupBy[h]=x", "filterGroupBy%5Bg%5D%3D5", "filterGroupBy[g]5=5",
     "filterGroupBy[g]=5%26filterGroupBy[h]=x", "filterGroupBy[=x]", "filterGroupBy[g]"],
)  # fmt: skip
def test_glued_filters_are_never_a_server_error_nor_left_out(
    api: Metering, meter: Meter, glued: str
) -> None:
    answer = api.http.get(f"/api/v1/meters/{meter['slug']}/query?{glued}")
    if answer.status_code == HTTPStatus.OK:  # a value that no event has
        assert answer.json()["data"][0]["value"] == 0
    else:
        assert refusal(answer)[0] == HTTPStatus.BAD_REQUEST
