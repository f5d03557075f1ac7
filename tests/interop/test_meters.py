"""Every published client creates, reads, lists, changes and deletes meters."""

from typing import Any

import pytest
from tests.interop.story import EVERY, NEWEST, Told

CONFLICT = {
    "node-beta185": "HttpError",
    "node-beta232": "HTTPError",
    "python-b185": "ResourceExistsError",
    "python-b236": "ResourceExistsError",
}
NOT_FOUND = {
    "node-beta185": "HttpError",
    "node-beta232": "HTTPError",
    "python-b185": "ResourceNotFoundError",
    "python-b236": "ResourceNotFoundError",
}
BAD_REQUEST = {
    "node-beta185": "HttpError",
    "node-beta232": "HTTPError",
    "python-b185": "HttpResponseError",
    "python-b236": "HttpResponseError",
}


def described(meter: dict[str, Any], told: Told) -> dict[str, Any]:
    """The meter without what the server chose and without the tag."""
    chosen = {"id", "createdAt", "updatedAt"}
    return {
        name: value.removeprefix(told.tag) if isinstance(value, str) else value
        for name, value in meter.items()
        if name not in chosen
    }


def test_create_returns_the_meter_with_everything_it_was_given(told: Told) -> None:
    meter = told.value("create")
    assert described(meter, told) == {
        "slug": "_tokens",
        "name": "_tokens",
        "description": "Tokens of one prompt",
        "eventType": ".prompt",
        "aggregation": "SUM",
        "valueProperty": "$.tokens",
        "groupBy": {"model": "$.model", "kind": "$.kind"},
        "windowSize": "MINUTE",
        "metadata": None,
        "annotations": None,
    }
    assert len(meter["id"]) == 26
    assert meter["createdAt"] == meter["updatedAt"]


def test_get_returns_what_create_returned(told: Told) -> None:
    assert told.value("get") == told.value("create")


@pytest.mark.parametrize("told", [c for c in EVERY if c != "node-beta185"], indirect=True)
def test_get_takes_the_id_as_well_as_the_slug(told: Told) -> None:
    assert told.value("get by id") == told.value("create")


def test_list_is_a_bare_array_that_holds_the_meter(told: Told) -> None:
    assert told.value("create") in told.value("list")


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
def test_list_sorts_by_slug_in_the_order_asked_for(told: Told) -> None:
    slugs = [meter["slug"] for meter in told.value("list sorted")]
    assert slugs == sorted(slugs, reverse=True)
    assert f"{told.tag}_tokens" in slugs
    assert told.error("list wrongly sorted")["status"] == 400


def test_second_meter_of_the_same_slug_is_the_clients_conflict_error(told: Told) -> None:
    assert told.error("create again") == {
        "name": CONFLICT[told.client],
        "status": 409,
        "detail": "conflict error: meter with the same slug already exists",
    }


def test_unknown_meter_is_the_clients_not_found_error(told: Told) -> None:
    missing = f"{told.tag}_tokens_missing"
    for step in ("get missing", "query missing"):
        assert told.error(step) == {
            "name": NOT_FOUND[told.client],
            "status": 404,
            "detail": f"not found error: meter not found: {missing}",
        }


def test_invalid_slug_is_the_clients_bad_request_error_with_the_problems_detail(
    told: Told,
) -> None:
    error = told.error("create invalid")
    assert (error["name"], error["status"]) == (BAD_REQUEST[told.client], 400)
    assert "slug" in error["detail"]


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
def test_reply_fits_the_typed_model(told: Told) -> None:
    assert told.value("created typed") == [f"{told.tag}_tokens", "SUM", 0]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_update_replaces_name_and_groups_and_keeps_the_description(told: Told) -> None:
    meter = told.value("update")
    assert meter["name"] == "Tokens"
    assert meter["groupBy"] == {"kind": "$.kind"}
    assert meter["description"] == "Tokens of one prompt"
    assert meter["updatedAt"] > meter["createdAt"]


@pytest.mark.parametrize("told", [c for c in EVERY if c != "node-beta185"], indirect=True)
def test_deleted_meter_is_gone_by_slug(told: Told) -> None:
    assert told.value("delete") is None
    assert told.error("get deleted")["status"] == 404


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_deleted_meter_is_still_found_by_id(told: Told) -> None:
    meter = told.value("get deleted by id")
    assert meter["slug"] == f"{told.tag}_tokens"
    assert meter["deletedAt"] >= meter["createdAt"]


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
def test_list_shows_deleted_meters_when_asked(told: Told) -> None:
    assert f"{told.tag}_tokens" in told.value("list deleted")
