"""Togai's published client, pointed here: what it sends, gets back and raises."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.interop.conftest import require
from tests.interop.install import TOGAI_1
from tests.interop.story import HERE, Told
from tests.support.access import guarded_server, migrated_database, new_key

from monometer.core.access import KeyScope


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


def statuses(told: Told, step: str) -> list[str]:
    events = told.value(step)["events"]
    return [one["ingestionStatus"]["status"].removeprefix("INGESTION_") for one in events]


def test_customers_are_kept(told_togai_events: Told) -> None:
    told, tag = told_togai_events, told_togai_events.tag
    made = told.value("customer")
    assert (made["id"], made["billingAddress"]) == (tag, "1 Market Street, Berlin, DE")
    assert "already exists" in refusal(told, "customer again")
    assert told.value("customer got") == told.value("customer changed")
    assert told.value("customer got")["name"] == "Acme AG"
    (listed,) = told.value("customers")["data"]
    assert listed.keys() == told.value("customer got").keys()
    assert told.value("customer with account")["account"]["customerId"] == f"{tag}-2"
    assert told.value("customer deleted") == {"success": True}
    assert told.error("customer missing")["name"] == "NotFoundException"


def test_accounts_and_aliases_are_kept(told_togai_events: Told) -> None:
    told, tag = told_togai_events, told_togai_events.tag
    made = told.value("account")
    assert (made["customerId"], made["status"], made["metadata"]) == (
        tag, "ACTIVE", {"plan": "gold"},
    )  # fmt: skip
    assert "already exists" in refusal(told, "account again")
    assert told.value("account changed")["netTermDays"] == 30
    both = [{"alias": f"{tag}-alias"}, {"alias": f"{tag}-more"}]
    assert told.value("alias added")["aliases"] == both
    assert [one["value"] for one in told.value("aliases")["data"]] == [
        f"{tag}-alias",
        f"{tag}-more",
    ]
    assert told.value("alias removed")["aliases"] == both[:1]
    assert told.value("account got") == told.value("alias removed")
    assert len(told.value("accounts")["data"]) == 1
    assert told.value("account deleted") == {"success": True}
    assert told.error("account missing")["name"] == "NotFoundException"


def test_events_are_told_with_what_became_of_them(told_togai_events: Told) -> None:
    told, tag = told_togai_events, told_togai_events.tag
    assert told.value("ingest") == told.value("ingest batch") == {"success": True}
    assert statuses(told, "events") + statuses(told, "events on") == [
        "FAILED_DUPLICATE_EVENT",
        "FAILED_NO_EVENT_ID",
        "FAILED_ACCOUNT_NOT_FOUND",
        "COMPLETED_EVENT_NOT_METERED",
        "COMPLETED_EVENT_METERED",
        "COMPLETED_EVENT_METERED",
    ]
    assert "nextToken" not in told.value("events on")
    assert statuses(told, "events failed") == ["FAILED_ACCOUNT_NOT_FOUND"]
    assert len(told.value("events of account")["events"]) == 5
    again, first = told.value("event")["events"]
    assert again["ingestionStatus"]["status"] == "INGESTION_FAILED_DUPLICATE_EVENT"
    assert first["eventPayload"]["accountId"] == f"{tag}-alias"
    pipeline = first["eventPipelineInfo"]
    assert (pipeline["account"]["id"], pipeline["customer"]["id"]) == (f"{tag}-eu", tag)
    assert pipeline["enrichments"]["attributes"][0]["value"] == "1.5"
    (units,) = pipeline["usageMeters"]
    assert (units["status"], units["units"]) == ("PROCESSED_UNITS_COMPUTED", 1.5)
    assert told.error("event missing")["name"] == "NotFoundException"
    assert told.value("ingest long") == {"success": True}


def test_an_event_comes_in_if_its_account_is_entitled(told_togai_events: Told) -> None:
    assert told_togai_events.value("entitled") == {"success": True}
    error = told_togai_events.error("too much")
    assert (error["name"], error["status"]) == ("ForbiddenException", 403)


def test_metrics_are_of_units_and_of_events(told_togai_events: Told) -> None:
    units, events = told_togai_events.value("metrics")["results"]
    (of_customer,) = units["data"]
    assert of_customer["groupedBy"]["fieldValue"] == told_togai_events.tag
    assert sum(of_customer["metricValues"]) == 1.50025
    by_status = {one["groupedBy"]["fieldValue"]: one["metricValues"] for one in events["data"]}
    assert {name: sum(values) for name, values in by_status.items()} == {
        "PROCESSED": 5, "UNPROCESSED": 4,
    }  # fmt: skip


async def test_whoever_may_not_gets_the_clients_own_errors(
    postgres_url: str, tmp_path: Path
) -> None:
    require(TOGAI_1)
    async with migrated_database(postgres_url) as url:
        reader = await new_key(url, scopes=[KeyScope.METERS_READ])
        writer = await new_key(url, scopes=[KeyScope.METERS_WRITE])
        with guarded_server(url, tmp_path) as server:
            story = {"baseUrl": server.url, "keys": [None, "wrong", reader, writer]}
            driver = HERE / "python" / "togai1_keys.py"
            ended = subprocess.run(  # noqa: ASYNC221 - nothing else happens meanwhile
                [sys.executable, "-P", str(driver), json.dumps(story)],
                env={"PYTHONPATH": str(TOGAI_1.folder)},
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
    told = json.loads(ended.stdout)
    assert [(name, status) for name, status, _ in told] == [
        ("UnauthorizedException", 401),
        ("UnauthorizedException", 401),
        ("ForbiddenException", 403),
        ("NotFoundException", 404),
    ]
    assert all(isinstance(message, str) for _, _, message in told)
