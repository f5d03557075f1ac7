"""Togai's published client, pointed here: event schemas, usage meters and metrics."""

from typing import Any

from tests.interop.story import Told


def refusal(told: Told, step: str) -> str:
    """The message of what the client takes for its own class of bad requests."""
    error = told.error(step)
    assert (error["name"], error["status"]) == ("BadRequestException", 400)
    return str(error["detail"])


def test_a_schema_is_a_draft_until_it_is_activated(told_togai: Told) -> None:
    schema: dict[str, Any] = told_togai.value("schema")
    assert (schema["status"], schema["version"]) == ("DRAFT", 1)
    assert schema["attributes"] == [{"name": "bytes", "defaultUnit": "B"}]
    assert told_togai.value("schema active")["status"] == "ACTIVE"
    assert "already exists" in refusal(told_togai, "schema again")


def test_an_active_schema_grows_by_versions(told_togai: Told) -> None:
    assert "neither changed nor removed" in refusal(told_togai, "schema less")
    assert told_togai.value("schema more")["version"] == 2
    versions = told_togai.value("schema versions")["data"]
    assert [(one["version"], one["status"]) for one in versions] == [(2, "ACTIVE"), (1, "ARCHIVED")]
    assert told_togai.value("schema first")["dimensions"] == [{"name": "region"}]
    listed = {one["name"]: one for one in told_togai.value("schemas")["data"]}
    assert listed[told_togai.tag]["usageMetersCount"] == 0


def test_a_meter_comes_back_as_it_was_written(told_togai: Told) -> None:
    meter = told_togai.value("create")
    assert (meter["status"], meter["displayName"]) == ("DRAFT", "Bytes")
    assert len(meter["id"]) == 20
    assert meter["filters"] == [{"field": "region", "value": "eu"}]
    assert meter["computations"] == [
        {
            "matcher": '{"==":[{"var":"dimensions.region"},"eu"]}',
            "computation": '{"var":"attributes.bytes"}',
            "order": 1,
        }
    ]
    got = told_togai.value("get")
    assert got["eventSchema"]["name"] == told_togai.tag
    assert (got["status"], got["lastActivatedAt"] is not None) == ("ACTIVE", True)


def test_meters_are_listed_in_pages(told_togai: Told) -> None:
    listed = told_togai.value("list")
    assert told_togai.value("create")["id"] in [one["id"] for one in listed["data"]]
    assert {(one["status"], one["aggregation"]) for one in listed["data"]} == {("ACTIVE", "SUM")}
    one = told_togai.value("list of one")
    assert (len(one["data"]), one["context"]["pageSize"]) == (1, 1)
    (following,) = told_togai.value("list on")["data"]
    assert following["id"] != one["data"][0]["id"]


def test_an_active_meter_keeps_what_it_counts(told_togai: Told) -> None:
    assert "keeps its aggregation" in refusal(told_togai, "update locked")
    assert told_togai.value("update")["displayName"] == "Traffic"
    assert "active usage meters" in refusal(told_togai, "schema in use")
    assert "same name" in refusal(told_togai, "create again")


def test_a_meter_and_then_its_schema_can_go(told_togai: Told) -> None:
    assert told_togai.value("deactivate")["status"] == "INACTIVE"
    assert told_togai.value("schema inactive")["status"] == "INACTIVE"
    assert told_togai.value("delete") == {"success": True}
    assert told_togai.value("schema deleted") == {"success": True}


def test_what_is_not_there_is_the_clients_own_class_of_error(told_togai: Told) -> None:
    for step in ("get missing", "schema missing"):
        error = told_togai.error(step)
        assert (error["name"], error["status"]) == ("NotFoundException", 404)


def test_metrics_are_points_by_day_and_account(told_togai: Told) -> None:
    assert told_togai.value("sent") == 204
    (result,) = told_togai.value("metrics")["results"]
    (points,) = result["data"]
    assert points["groupedBy"]["fieldValue"] == f"{told_togai.tag}-acme"
    assert points["metricValues"] == [0, 1.5, 0]
    assert "REVENUE" in refusal(told_togai, "metrics of money")
