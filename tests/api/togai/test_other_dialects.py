"""One core: what one dialect makes, the others list and query as far as they can say it."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.polar import Polar, clause, every
from tests.support.togai import Togai


@pytest.fixture
def polar(base_url: str) -> Iterator[Polar]:
    client = Polar(base_url)
    yield client
    client.http.close()


def listed(togai: Togai, name: str) -> list[dict[str, Any]]:
    meters = togai.told("GET", "/usage_meters?pageSize=100")["data"]
    return [one for one in meters if one["name"] == name]


def test_a_polar_meter_of_a_name_is_a_usage_meter(togai: Togai, polar: Polar) -> None:
    of_name = every(clause("name", "eq", togai.schema))
    name = togai.schema[:20]
    polar.create("sum", name=name, filter_=of_name, on="attributes.bytes")
    (told,) = listed(togai, name)
    assert (told["status"], told["aggregation"]) == ("ACTIVE", "SUM")
    assert told["computations"] == [{"computation": '{"var":"data.attributes.bytes"}', "order": 1}]
    account = togai.account()["id"]
    event, bare = togai.event(account, {"bytes": "1.5"}), togai.event(account)
    assert togai.ingest(event, bare) == ["COMPLETED_EVENT_METERED", "COMPLETED_EVENT_NOT_METERED"]
    assert togai.units(event["id"]) == {told["id"]: 1.5}
    assert togai.points(told["id"], groupBy="ACCOUNT_ID") == {account: 1.5}
    for change in ("deactivate", "activate"):
        assert "another API" in togai.refused("POST", f"/usage_meters/{told['id']}/{change}")


@pytest.mark.parametrize(
    ("function", "filter_", "on"),
    [
        ("max", None, "v"),
        ("sum", None, "timestamp"),
        ("sum", ("region", "eq", "eu"), "v"),
        ("sum", ("name", "ne", "other"), "v"),
    ],
)
def test_what_a_usage_meter_cannot_say_is_not_listed(
    togai: Togai, polar: Polar, function: str, filter_: Any, on: str
) -> None:
    demands = [clause("name", "eq", togai.schema)]
    demands += [] if filter_ is None else [clause(*filter_)]
    name = polar.name[:20]
    polar.create(function, name=name, filter_=every(*demands), on=on)
    assert listed(togai, name) == []


def test_polars_and_openmeters_clients_see_a_usage_meter(togai: Togai, polar: Polar) -> None:
    meter = togai.active()
    name = togai.told("GET", f"/usage_meters/{meter}")["name"]
    native = togai.http.get("/api/v1/meters", params={"pageSize": 1000}).json()
    (told,) = [one for one in native if one["name"] == name]
    assert (told["eventType"], told["valueProperty"]) == (togai.schema, "$.attributes.bytes")
    (found,) = polar.http.get("/v1/meters/", params={"query": name}).json()["items"]
    assert found["aggregation"] == {"func": "sum", "property": "attributes.bytes"}
    change = {"aggregation": {"func": "count"}}
    refused = polar.http.patch(f"/v1/meters/{found['id']}", json=change)
    assert (refused.status_code, "another API" in refused.text) == (422, True)
    assert togai.told("GET", f"/usage_meters/{meter}")["aggregation"] == "SUM"
