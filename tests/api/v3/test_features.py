"""Features in v3: made, read, repriced, deleted, and listed in pages, filtered and sorted."""

from typing import Any
from uuid import uuid4

import pytest
from tests.support.v3 import FEATURES, METERS, Client, Wrong, bracketed, failure, page_of, wrong

UNKNOWN = "01HM6ZYX0000000000000000AB"
MANUAL = {"type": "manual", "amount": "0.0020"}
LLM = {"type": "llm", "provider": "p", "model_property": "model", "token_type": "cache_read"}
DIMENSIONS = {"model": "$.model", "kind": "$.kind"}


@pytest.fixture(scope="module")
def meter(v3: Client) -> dict[str, Any]:
    return dict(v3.create("sum", dimensions=DIMENSIONS))


def v1_feature(v3: Client, id_: str) -> dict[str, Any]:
    return page_of(v3.http.get(f"/api/v1/features/{id_}"))


@pytest.mark.parametrize("cost", [MANUAL, LLM])
def test_feature_is_told_with_all_it_was_made_of(
    v3: Client, meter: dict[str, Any], cost: dict[str, str]
) -> None:
    filters = {"model": {"in": ["a", "b"]}, "kind": {"neq": "c"}}
    members = {"description": "What for", "labels": {"team": "x"}, "unit_cost": cost}
    feature = v3.feature(meter, filters=filters, **members)
    assert members.items() <= feature.items()
    assert feature["meter"] == {"id": meter["id"], "filters": filters}
    assert feature["created_at"] == feature["updated_at"]
    url = f"{FEATURES}/{feature['id']}"
    assert page_of(v3.http.get(url)) == feature
    assert page_of(v3.http.get(url.lower())) == feature


def test_unset_members_are_left_out(v3: Client) -> None:
    assert v3.feature().keys() == {"id", "key", "name", "created_at", "updated_at"}


def test_it_is_the_same_feature_as_in_the_first_version(v3: Client, meter: dict[str, Any]) -> None:
    feature = v3.feature(meter, filters={"model": {"eq": "a"}}, unit_cost=LLM, labels={"team": "x"})
    told = v1_feature(v3, feature["id"])
    assert (told["key"], told["meterSlug"]) == (feature["key"], meter["key"])
    assert (told["meterGroupByFilters"], told["metadata"]) == ({"model": "a"}, {"team": "x"})
    assert told["unitCost"] == {
        "type": "llm", "provider": "p", "modelProperty": "model", "tokenType": "cache_read",
    }  # fmt: skip


@pytest.mark.parametrize(
    "condition",
    [
        {"eq": "a"},
        {"neq": "a"},
        {"in": ["a", "b"]},
        {"nin": ["a", "b"]},
        {"contains": "50%_\\"},
        {"ncontains": "%"},
        {"exists": True},
        {"exists": False},
        {"and": [{"neq": "a"}, {"or": [{"contains": "b"}, {"eq": "c"}]}]},
    ],
)
def test_condition_is_told_as_it_was_sent(
    v3: Client, meter: dict[str, Any], condition: dict[str, object]
) -> None:
    assert v3.feature(meter, filters={"model": condition})["meter"]["filters"] == {
        "model": condition
    }


@pytest.mark.parametrize(
    "condition",
    [{"$gt": "a"}, {"$like": "a%b"}, {"$ilike": "%a%"}, {"$or": [{"$eq": "a"}, {"$lt": "b"}]}],
)
def test_condition_that_has_no_words_here_is_told_empty(
    v3: Client, meter: dict[str, Any], condition: dict[str, object]
) -> None:
    body = {
        "key": f"f_{uuid4().hex}",
        "name": "n",
        "meterSlug": meter["key"],
        "advancedMeterGroupByFilters": {"model": condition},
    }
    made = v3.post("/api/v1/features", body)
    told = page_of(v3.http.get(f"{FEATURES}/{made.json()['id']}"))
    assert told["meter"]["filters"] == {"model": {}}


@pytest.mark.parametrize(
    ("members", "field", "rule"),
    [
        ({"name": None}, "name", "required"),
        ({"name": ""}, "name", "min_length"),
        ({"name": "a\x00"}, "name", "invalid"),
        ({"name": "\ud800"}, "name", "invalid"),
        ({"key": None}, "key", "required"),
        ({"key": "Not a key"}, "key", "matches_regex"),
        ({"key": UNKNOWN.lower()}, "key", "invalid"),
        ({"labels": {"a": "-b"}}, "labels.a", "matches_regex"),
        ({"archived_at": None, "meterSlug": "x"}, "meterSlug", "unknown_property"),
        ({"meter": {"id": "x"}}, "meter.id", "matches_regex"),
        ({"meter": {"id": UNKNOWN}}, "meter.id", "invalid"),
        ({"meter": {}}, "meter.id", "required"),
        ({"filters": {"nothing": {"eq": "a"}}}, "meter.filters", "invalid"),
        ({"filters": {"model": {}}}, "meter.filters", "invalid"),
        ({"filters": {"model": {"eq": "a", "neq": "b"}}}, "meter.filters", "invalid"),
        ({"filters": {"model": {"eq": ""}}}, "meter.filters.model.eq", "min_length"),
        ({"filters": {"model": {"gt": "a"}}}, "meter.filters.model.gt", "unknown_property"),
        ({"filters": {"model": {"eq": "a", "exists": True}}}, "meter.filters.model", "invalid"),
        ({"filters": {f"d{i}": {"eq": "a"} for i in range(11)}}, "meter.filters", "max_items"),
        ({"unit_cost": {"type": "manual", "amount": "-1"}}, "unit_cost", "invalid"),
        ({"unit_cost": {**MANUAL, "amount": "1e3"}}, "unit_cost.manual.amount", "matches_regex"),
        ({"unit_cost": {**MANUAL, "amount": 1}}, "unit_cost.manual.amount", "is_string"),
        ({"unit_cost": {**LLM, "token_type": "x"}}, "unit_cost.llm.token_type", "enum"),
        ({"unit_cost": {**LLM, "model": "m"}}, "unit_cost", "invalid"),
        ({"unit_cost": {"type": "other"}}, "unit_cost", "invalid"),
    ],
)
def test_wrong_member_is_named_with_its_rule(
    v3: Client, meter: dict[str, Any], members: dict[str, object], field: str, rule: str
) -> None:
    assert wrong(v3.try_to_feature(meter, **members)) == [Wrong(field, rule, "body")]


def test_meter_must_be_live_and_add_up(v3: Client) -> None:
    gone = v3.create()
    v3.http.delete(f"{METERS}/{gone['id']}")
    assert wrong(v3.try_to_feature(gone)) == [Wrong("meter.id", "invalid", "body")]
    assert wrong(v3.try_to_feature(v3.create("max"))) == [Wrong("body", "invalid", "body")]


def test_key_that_is_taken_is_a_conflict(v3: Client) -> None:
    assert failure(v3.try_to_feature(key=v3.feature()["key"]))[0] == 409


def test_unit_cost_is_all_that_changes(v3: Client, meter: dict[str, Any]) -> None:
    feature = v3.feature(meter, description="kept")
    url = f"{FEATURES}/{feature['id']}"
    for body in ({"unit_cost": MANUAL}, {"unit_cost": LLM}, {"unit_cost": None}):
        changed = page_of(v3.http.patch(url, json=body))
        assert changed.get("unit_cost") == body["unit_cost"]
        assert changed["updated_at"] > feature["updated_at"]
        same = {"unit_cost": None, "updated_at": None}
        assert {**changed, **same} == {**feature, **same}
        assert page_of(v3.http.get(url)) == changed
        assert page_of(v3.http.patch(url, json={})) == changed


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"name": "other"}, "name", "unknown_property"),
        ({"unit_cost": {"type": "manual"}}, "unit_cost.manual.amount", "required"),
        ({"unit_cost": LLM}, "unit_cost", "invalid"),  # it has no meter
        ([], "body", "is_object"),
    ],
)
def test_wrong_change_is_named_with_its_rule(
    v3: Client, body: object, field: str, rule: str
) -> None:
    answer = v3.http.patch(f"{FEATURES}/{v3.feature()['id']}", json=body)
    assert wrong(answer) == [Wrong(field, rule, "body")]


def test_deleted_feature_is_gone_and_its_key_free(v3: Client) -> None:
    feature = v3.feature()
    url = f"{FEATURES}/{feature['id']}"
    deleted = v3.http.delete(url)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert failure(v3.http.get(url)) == (410, f"feature is archived: {feature['id']}")
    cost = v3.post(f"{url}/cost/query", {})
    for answer in (v3.http.delete(url), v3.http.patch(url, json={}), cost):
        assert failure(answer) == (404, "The requested feature was not found")
    assert v3.page(FEATURES, filter__key=feature["key"])["data"] == []
    assert v3.feature(key=feature["key"])["id"] != feature["id"]


def test_feature_is_found_by_its_id_alone(v3: Client) -> None:
    answer = v3.http.get(f"{FEATURES}/{v3.feature()['key']}")
    assert wrong(answer) == [Wrong("featureId", "matches_regex", "path")]
    url = f"{FEATURES}/{UNKNOWN}"
    change = {"unit_cost": MANUAL}
    for answer in (v3.http.get(url), v3.http.patch(url, json=change), v3.http.delete(url)):
        assert failure(answer) == (404, "The requested feature was not found")


@pytest.fixture(scope="module")
def three(v3: Client, meter: dict[str, Any]) -> str:
    """Start of the keys of three features, made in the order c, a, b; a has no meter."""
    start = f"f{uuid4().hex}"
    for end, name, of in (("c", "beta", meter), ("a", "Alpha", None), ("b", "alpha", meter)):
        v3.feature(of, key=f"{start}_{end}", name=name)
    return start


def listed(v3: Client, start: str, **parameters: str) -> str:
    page = v3.page(FEATURES, filter__key__contains=start, **parameters)
    return "".join(one["key"][-1] for one in page["data"])


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("key", "abc"),
        ("name desc", "cba"),
        ("created_at", "cab"),
        ("updated_at desc", "bac"),
    ],
)
def test_sort_is_by_any_of_four_members(v3: Client, three: str, sort: str, expected: str) -> None:
    assert listed(v3, three, sort=sort) == expected
    assert listed(v3, three) == "cab"


def test_filters_take_what_they_say(v3: Client, three: str, meter: dict[str, Any]) -> None:
    assert listed(v3, three, filter__name="alpha") == "b"
    assert listed(v3, three, filter__name__contains="ALPHA") == "ab"
    for id_ in (meter["id"], meter["id"].lower()):
        assert listed(v3, three, filter__meter_id=id_) == "cb"
        assert listed(v3, three, filter__meter_id__oeq=f"{UNKNOWN},{id_}") == "cb"
        assert listed(v3, three, filter__meter_id__neq=id_) == "a"


def test_pages_hold_every_feature_once(v3: Client, three: str) -> None:
    pages = [listed(v3, three, page__size="2", page__number=number) for number in ("1", "2", "3")]
    assert pages == ["ca", "b", ""]
    page = v3.page(FEATURES, filter__key__contains=three, page__size="2", page__number="2")
    assert page["meta"] == {"page": {"number": 2, "size": 2, "total": 3}}


@pytest.mark.parametrize(
    ("parameters", "field", "rule"),
    [
        ({"sort": "id"}, "sort", "matches_regex"),
        ({"sort": "key\x00"}, "query", "invalid"),
        ({"filter__meter_id": "x"}, "filter[meter_id][eq]", "matches_regex"),
        ({"filter__name": "a\x00"}, "query", "invalid"),
        ({"filter__meter": "x"}, "filter[meter]", "unknown_property"),
        ({"page__size": "1001"}, "page[size]", "max"),
        ({"page__number": "9" * 40}, "page[number]", "max"),
    ],
)
def test_parameter_in_another_form_is_refused_by_its_name(
    v3: Client, parameters: dict[str, str], field: str, rule: str
) -> None:
    answer = v3.http.get(FEATURES, params=bracketed(parameters))
    assert wrong(answer) == [Wrong(field, rule, "query")]
