"""Polar's published clients, pointed here: every operation on meters, events and customers."""

from typing import Any

import pytest
from tests.interop.story import POLAR_NEW, Told, instant

newer = pytest.mark.parametrize("told_polar", POLAR_NEW, indirect=True)


def points(told: Told, step: str) -> tuple[list[tuple[str, float]], float]:
    value = told.value(step)
    quantities = [(instant(one["timestamp"]), one["quantity"]) for one in value["quantities"]]
    return quantities, value["total"]


def names(told: Told, step: str) -> list[str]:
    return [item["name"].removeprefix(told.tag) for item in told.value(step)["items"]]


def places(told: Told, step: str) -> list[list[Any]]:
    """Where the client's own class of validation errors says that something is wrong."""
    error = told.error(step)
    assert error["name"] == "HTTPValidationError"
    return [one["loc"] for one in error["detail"]]


def test_a_meter_comes_back_as_it_was_written(told_polar: Told) -> None:
    meter = told_polar.value("create")
    assert meter["filter"]["conjunction"] == "and"
    name, inner = meter["filter"]["clauses"]
    assert (name["property"], name["operator"], name["value"]) == (
        "name",
        "eq",
        f"{told_polar.tag}.prompt",
    )
    assert [clause["property"] for clause in inner["clauses"]] == ["model", "cached", "batch"]
    assert [clause["value"] for clause in inner["clauses"]] == ["gpt", True, 10]
    assert meter["aggregation"] == {"func": "sum", "property": "tokens"}
    assert meter["metadata"] == {"team": told_polar.tag, "level": 3, "live": True}
    assert meter["modified_at"] is None
    assert told_polar.value("get") == meter | {"metadata": told_polar.value("get")["metadata"]}


def test_meters_are_found_by_a_part_of_their_name_and_by_metadata(told_polar: Told) -> None:
    assert names(told_polar, "list") == [" tokens"]
    assert names(told_polar, "list of a team") == [" tokens"]


def test_a_meter_is_renamed(told_polar: Told) -> None:
    renamed = told_polar.value("update")
    assert renamed["name"] == f"{told_polar.tag} renamed"
    assert renamed["modified_at"] is not None


def test_what_is_not_there_is_the_clients_own_class_of_error(told_polar: Told) -> None:
    for step in ("get missing", "event missing", "customer missing", "customer deleted"):
        error = told_polar.error(step)
        assert (error["name"], error["detail"]) == ("ResourceNotFound", "Not found")


def test_what_is_wrong_is_the_clients_own_class_of_error(told_polar: Told) -> None:
    assert places(told_polar, "create invalid") == [["body", "name"]]
    assert places(told_polar, "get odd") == [["path", "id"]]
    assert places(told_polar, "ingest of a stranger") == [["body", "events", 0, "customer_id"]]
    assert places(told_polar, "backwards") == [["query"]]
    assert places(told_polar, "customer taken") == [["body", "external_id"]]


def test_aggregation_is_locked_once_events_match(told_polar: Told) -> None:
    assert places(told_polar, "locked") == [["body", "aggregation"]]
    assert told_polar.error("locked")["detail"][0]["type"] == "forbidden"


@newer
def test_an_external_id_is_taken_once(told_polar: Told) -> None:
    assert told_polar.value("ingest") == {"inserted": 6, "duplicates": 1}
    assert told_polar.value("ingest again") == {"inserted": 0, "duplicates": 2}


def test_events_are_listed_newest_first_with_their_customer(told_polar: Told) -> None:
    events = told_polar.value("events")["items"]
    assert [instant(event["timestamp"])[8:16] for event in events] == [
        "17T23:59", "15T09:30", "15T09:20", "15T09:10", "15T09:00", "14T22:30",
    ]  # fmt: skip
    assert events[0]["external_customer_id"] == f"{told_polar.tag}-zoe"
    assert events[0]["customer"] is None
    assert events[2]["external_customer_id"] == f"{told_polar.tag}-acme"
    assert events[2]["customer"]["email"] == f"{told_polar.tag}@example.com"
    assert events[0]["metadata"] == {"batch": 10, "tokens": 8}
    assert told_polar.value("event") == events[0]


def test_events_of_a_meter_are_those_it_counts(told_polar: Told) -> None:
    events = told_polar.value("events of the meter")["items"]
    assert [event["metadata"]["tokens"] for event in events] == [20, 2, 4, 8]


def test_names_tell_how_often_and_when_they_were_seen(told_polar: Told) -> None:
    [name] = told_polar.value("names")["items"]
    assert name["name"] == f"{told_polar.tag}.prompt"
    assert name["occurrences"] == 6
    assert instant(name["last_seen"]) == "2024-06-17T23:59:59Z"


def test_quantities_are_whole_buckets_with_zeros_between(told_polar: Told) -> None:
    assert points(told_polar, "by day") == (
        [
            ("2024-06-14T12:00:00Z", 20),
            ("2024-06-15T12:00:00Z", 6),
            ("2024-06-16T12:00:00Z", 0),
            ("2024-06-17T12:00:00Z", 8),
        ],
        34,
    )
    assert points(told_polar, "by month") == (
        [("2024-05-31T00:00:00Z", 0), ("2024-06-30T00:00:00Z", 34)],
        34,
    )


def test_quantities_of_a_customer_are_of_either_id(told_polar: Told) -> None:
    assert points(told_polar, "of acme") == ([("2024-06-14T12:00:00Z", 24)], 24)
    assert points(told_polar, "of nobody") == ([("2024-06-14T12:00:00Z", 0)], 0)


@newer
def test_quantities_follow_a_zone_and_fold_customers(told_polar: Told) -> None:
    assert points(told_polar, "in Berlin") == (
        [("2024-06-14T00:00:00Z", 0), ("2024-06-15T00:00:00Z", 26), ("2024-06-16T00:00:00Z", 0)],
        26,
    )
    assert points(told_polar, "by customer") == ([("2024-06-14T12:00:00Z", 24)], 24)


@newer
def test_an_archived_meter_is_listed_as_such_and_comes_back(told_polar: Told) -> None:
    assert told_polar.value("archive")["archived_at"] is not None
    assert names(told_polar, "list archived") == [" renamed"]
    assert told_polar.value("unarchive")["archived_at"] is None


def test_a_customer_is_found_by_either_id(told_polar: Told) -> None:
    created = told_polar.value("customer create")
    assert created["external_id"] == f"{told_polar.tag}-acme"
    assert told_polar.value("customer")["id"] == created["id"]
    assert told_polar.value("customer by external id")["id"] == created["id"]
    assert [one["id"] for one in told_polar.value("customers")["items"]] == [created["id"]]
    assert told_polar.value("customer update")["name"] == "Acme"


def test_customer_meters_tell_what_was_consumed(told_polar: Told) -> None:
    [item] = told_polar.value("customer meters")["items"]
    assert (item["consumed_units"], item["credited_units"], item["balance"]) == (24, 0, -24)
    assert item["customer"]["name"] == "Acme"
    assert item["meter"]["id"] == told_polar.value("create")["id"]
    assert told_polar.value("customer meter") == item


def test_the_state_of_a_customer_has_its_meters(told_polar: Told) -> None:
    state = told_polar.value("state")
    [meter] = [
        one for one in state["active_meters"] if one["meter_id"] == told_polar.value("create")["id"]
    ]
    assert meter["consumed_units"] == 24
    assert state["active_subscriptions"] == state["granted_benefits"] == []
    assert told_polar.value("state by external id") == state


def test_a_deleted_customer_answers_nothing(told_polar: Told) -> None:
    assert told_polar.value("customer delete") is None
