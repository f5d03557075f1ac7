"""Meters in v3: made, read, replaced, deleted, and listed in pages, filtered and sorted."""

from typing import Any
from uuid import uuid4

import pytest
from tests.support.v3 import METERS, Client, Wrong, failure, page_of, wrong

MEMBERS = {
    "description": "What was used",
    "labels": {"team": "search"},
    "value_property": "$.v",
    "dimensions": {"model": "$.model"},
    "events_from": "2024-01-01T00:00:00Z",
}


def v1_meter(v3: Client, meter_id: str) -> dict[str, Any]:
    return page_of(v3.http.get(f"/api/v1/meters/{meter_id}"))


def test_meter_is_told_with_all_it_was_made_of(v3: Client) -> None:
    meter = v3.create("sum", **MEMBERS)
    assert MEMBERS.items() <= meter.items()
    assert meter["aggregation"] == "sum"
    assert meter["created_at"] == meter["updated_at"]
    assert page_of(v3.http.get(f"{METERS}/{meter['id']}")) == meter
    assert page_of(v3.http.get(f"{METERS}/{meter['id'].lower()}")) == meter


def test_unset_members_are_left_out(v3: Client) -> None:
    assert v3.create().keys() == {
        "id", "key", "name", "aggregation", "event_type", "created_at", "updated_at",
    }  # fmt: skip


def test_it_is_the_same_meter_as_in_the_first_version(v3: Client) -> None:
    meter = v3.create("unique_count", **MEMBERS)
    told = v1_meter(v3, meter["id"])
    assert (told["slug"], told["aggregation"]) == (meter["key"], "UNIQUE_COUNT")
    assert (told["metadata"], told["groupBy"]) == (MEMBERS["labels"], MEMBERS["dimensions"])
    assert (told["eventFrom"], told["valueProperty"]) == (MEMBERS["events_from"], "$.v")


def test_metadata_of_the_first_version_is_told_as_labels_whatever_its_form(v3: Client) -> None:
    key = f"m_{uuid4().hex}"
    made = v3.post(
        "/api/v1/meters",
        {"slug": key, "aggregation": "COUNT", "eventType": key, "metadata": {"a b": "c d!"}},
    )
    assert page_of(v3.http.get(f"{METERS}/{made.json()['id']}"))["labels"] == {"a b": "c d!"}


@pytest.mark.parametrize("member", ["name", "key", "aggregation", "event_type"])
def test_name_key_aggregation_and_event_type_are_required(v3: Client, member: str) -> None:
    assert wrong(v3.try_to_create(**{member: None})) == [Wrong(member, "required", "body")]


@pytest.mark.parametrize(
    ("members", "field", "rule"),
    [
        ({"key": "Not a key"}, "key", "matches_regex"),
        ({"key": "k" * 65}, "key", "max_length"),
        ({"name": ""}, "name", "min_length"),
        ({"name": "n" * 257}, "name", "max_length"),
        ({"name": 5}, "name", "is_string"),
        ({"aggregation": "SUM"}, "aggregation", "enum"),
        ({"events_from": "yesterday"}, "events_from", "is_date_time"),
        ({"events_from": "0999-01-01T00:00:00Z"}, "events_from", "invalid"),
        ({"dimensions": []}, "dimensions", "is_object"),
        ({"dimensions": {"subject": "$.s"}}, "dimensions", "invalid"),
        ({"dimensions": {"customer_id": "$.s"}}, "dimensions", "invalid"),
        ({"dimensions": {"d": "no path"}}, "dimensions", "invalid"),
        ({"value_property": "$.v"}, "value_property", "invalid"),
        ({"labels": {"a": ""}}, "labels.a", "min_length"),
        ({"labels": {"a": "b" * 64}}, "labels.a", "max_length"),
        ({"labels": {"a": "-b"}}, "labels.a", "matches_regex"),
        ({"labels": {"a": "b\n"}}, "labels.a", "matches_regex"),
        ({"labels": {f"l{i}": "x" for i in range(51)}}, "labels", "invalid"),
        ({"slug": "x"}, "slug", "unknown_property"),
    ],
)
def test_wrong_member_is_named_with_its_rule(
    v3: Client, members: dict[str, object], field: str, rule: str
) -> None:
    assert wrong(v3.try_to_create(**members)) == [Wrong(field, rule, "body")]


def test_limit_of_a_rule_is_told(v3: Client) -> None:
    [told] = v3.try_to_create(name="n" * 257).json()["invalid_parameters"]
    assert told["maximum"] == 256
    [told] = v3.try_to_create("SUM").json()["invalid_parameters"]
    assert told["choices"] == ["sum", "count", "unique_count", "avg", "min", "max", "latest"]


def test_fifty_labels_of_63_characters_are_kept(v3: Client) -> None:
    labels = {f"l{i}": "x" * 63 for i in range(50)}
    assert v3.create(labels=labels)["labels"] == labels


def test_key_that_is_taken_is_a_conflict(v3: Client) -> None:
    key = v3.create()["key"]
    again = v3.try_to_create(key=key)
    assert failure(again) == (409, "meter with the same slug already exists")
    assert again.json()["type"] == "https://kongapi.info/konnect/conflict"


def test_replacing_clears_what_is_left_out_but_for_the_description(v3: Client) -> None:
    meter = v3.create("sum", **MEMBERS)
    url = f"{METERS}/{meter['id']}"
    changed = page_of(v3.http.put(url, json={"name": "Other"}))
    assert (changed["name"], changed["description"]) == ("Other", MEMBERS["description"])
    assert not changed.keys() & {"labels", "dimensions"}
    assert changed["updated_at"] > meter["updated_at"]
    assert page_of(v3.http.get(url)) == changed


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, Wrong("name", "required", "body")),
        ({"name": "n", "dimensions": {"subject": "$.s"}}, Wrong("dimensions", "invalid", "body")),
        ({"name": "n", "key": "other"}, Wrong("key", "unknown_property", "body")),
    ],
)
def test_replacement_needs_a_name_and_knows_four_members(
    v3: Client, body: dict[str, object], problem: Wrong
) -> None:
    assert wrong(v3.http.put(f"{METERS}/{v3.create()['id']}", json=body)) == [problem]


def test_deleted_meter_is_still_told_by_id_and_not_changed(v3: Client) -> None:
    meter = v3.create()
    url = f"{METERS}/{meter['id']}"
    for _ in range(2):
        deleted = v3.http.delete(url)
        assert (deleted.status_code, deleted.content) == (204, b"")
    assert page_of(v3.http.get(url))["deleted_at"]
    assert failure(v3.http.put(url, json={"name": "x"}))[0] == 404
    assert v3.page(METERS, filter__key=meter["key"])["data"] == []


def test_meter_is_found_by_its_id_alone(v3: Client) -> None:
    meter = v3.create()
    assert wrong(v3.http.get(f"{METERS}/{meter['key']}")) == [
        Wrong("meterId", "matches_regex", "path")
    ]
    unknown = f"{METERS}/01HM6ZYX0000000000000000AB"
    for answer in (
        v3.http.get(unknown),
        v3.http.put(unknown, json={"name": "x"}),
        v3.http.delete(unknown),
        v3.post(f"{unknown}/query", {}),
    ):
        assert failure(answer) == (404, "The requested meter was not found")
