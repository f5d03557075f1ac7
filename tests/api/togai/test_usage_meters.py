"""Usage meters from outside: what counts, when, and what may be changed."""

from decimal import Context, Decimal
from http import HTTPStatus
from json import dumps
from typing import Any
from uuid import uuid4

import pytest
from tests.support.togai import SUM, Togai

OF_THE_US = {"==": [{"var": "dimension.region"}, "us"]}


def test_what_comes_in_while_it_is_active_counts(togai: Togai) -> None:
    meter = togai.make()
    togai.send({"bytes": 1})
    togai.told("POST", f"/usage_meters/{meter}/activate")
    togai.send({"bytes": "2.25"})
    togai.told("POST", f"/usage_meters/{meter}/activate")  # a second time changes nothing
    togai.told("POST", f"/usage_meters/{meter}/deactivate")
    togai.send({"bytes": 4})
    togai.told("POST", f"/usage_meters/{meter}/activate")
    togai.send({"bytes": 8})
    assert togai.used(meter) == Decimal("10.25")


@pytest.mark.parametrize(
    ("members", "used"),
    [
        ({"filters": [{"field": "region", "value": "eu"}]}, "7"),
        ({"filters": [{"field": "bytes", "value": "2"}]}, "2"),
        ({"filters": [{"field": "nothing", "value": ""}]}, "0"),
        ({"computations": [{"matcher": '{">":[{"var":"attributes.bytes"},2]}', **SUM[0]}]}, "9"),
        ({"computations": [{"matcher": OF_THE_US, **SUM[0]}]}, "4"),
        ({"computations": [{"computation": '{"*":[{"var":"attributes.bytes"},0.1]}'}]}, "1.1"),
        ({"computations": [{"computation": '{"var":"data.tokens"}'}]}, "30"),
        ({"aggregation": "COUNT", "computations": None}, "4"),
        ({"aggregation": "COUNT", "computations": [{"computation": "1"}]}, "4"),
    ],
)  # fmt: skip
def test_filters_matcher_and_computation_say_what_counts(
    togai: Togai, members: dict[str, Any], used: str
) -> None:
    meter = togai.active(**members)
    togai.send({"bytes": 2}, {"region": "eu"}, tokens=30)
    togai.send({"bytes": 5}, {"region": "eu"})
    togai.send({"bytes": 4}, {"region": "us"})
    togai.send({"bytes": "many"}, {"region": "asia"})
    assert togai.used(meter) == Decimal(used)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": "x" * 51}, "name"),
        ({"aggregation": "MAX"}, "aggregation"),
        ({"type": "GAUGE"}, "type"),
        ({"computations": None}, "needs a computation"),
        ({"computations": [*SUM, *SUM]}, "computations"),
        ({"computations": [{"computation": "{"}]}, "not valid JSON"),
        ({"computations": [{"computation": '{"explode":[1]}'}]}, "unknown operator 'explode'"),
        ({"computations": [{"computation": '{"var":"env.HOME"}'}]}, "no variable"),
        ({"computations": [{"computation": "NaN"}]}, "not valid JSON"),
        ({"computations": [{"computation": '"ten"'}]}, "measures nothing"),
        ({"computations": [{"computation": "1", "matcher": "x" * 1501}]}, "matcher"),
        ({"eventSchemaName": None}, "eventSchemaName"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_when_it_is_made(
    togai: Togai, members: dict[str, Any], why: str
) -> None:
    assert why in togai.refused("POST", "/usage_meters", **togai.new(**members))


def test_of_an_unknown_schema_there_is_no_meter(togai: Togai) -> None:
    new = togai.new(eventSchemaName="nobody")
    assert "event schema not found" in togai.refused("POST", "/usage_meters", 404, **new)


def test_a_name_is_one_meters_until_it_is_deleted(togai: Togai) -> None:
    meter = togai.make(name=f"n {togai.schema}")
    again = togai.new(name=f"n {togai.schema}")
    assert "same name" in togai.refused("POST", "/usage_meters", **again)
    other = togai.make()
    assert "same name" in togai.refused("PATCH", f"/usage_meters/{other}", name=again["name"])
    togai.told("DELETE", f"/usage_meters/{meter}")
    togai.told("POST", "/usage_meters", 201, **again)
    assert togai.told("GET", f"/usage_meters/{meter}")["status"] == "ARCHIVED"
    assert "not found" in togai.refused("POST", f"/usage_meters/{meter}/activate", 404)


def test_states_follow_one_another(togai: Togai) -> None:
    meter = togai.make()
    assert "draft" in togai.refused("POST", f"/usage_meters/{meter}/deactivate")
    togai.told("PATCH", f"/usage_meters/{meter}", aggregation="COUNT")
    togai.told("POST", f"/event_schema/{togai.schema}/deactivate")
    assert "not active" in togai.refused("POST", f"/usage_meters/{meter}/activate")
    togai.told("POST", f"/event_schema/{togai.schema}/activate")
    assert togai.told("POST", f"/usage_meters/{meter}/activate")["status"] == "ACTIVE"
    assert "active usage meters" in togai.refused("DELETE", f"/event_schema/{togai.schema}")
    assert "keeps its" in togai.refused("PATCH", f"/usage_meters/{meter}", aggregation="SUM")
    same = togai.told("PATCH", f"/usage_meters/{meter}", aggregation="COUNT", description="d")
    assert same["description"] == "d"
    for _ in range(2):
        ended = togai.told("POST", f"/usage_meters/{meter}/deactivate")
        assert ended["status"] == "INACTIVE"


def test_lists_are_filtered_and_paged(togai: Togai) -> None:
    draft, active = togai.make(), togai.active(aggregation="COUNT", computations=None)
    listed = togai.told("GET", "/usage_meters?pageSize=2.0")
    assert [one["id"] for one in listed["data"]] == [active, draft]
    assert listed["context"] == {"pageSize": 2, "sortOrder": "DESC"}
    first = togai.told("GET", "/usage_meters?pageSize=1")
    second = togai.told("GET", f"/usage_meters?pageSize=1&nextToken={first['nextToken']}")
    assert [first["data"][0]["id"], second["data"][0]["id"]] == [active, draft]
    drafts = togai.told("GET", "/usage_meters?status=DRAFT,INACTIVE&pageSize=100")["data"]
    assert draft in [one["id"] for one in drafts]
    assert active not in [one["id"] for one in drafts]
    counts = togai.told("GET", "/usage_meters?aggregations=COUNT&pageSize=100")["data"]
    assert {one["aggregation"] for one in counts} == {"COUNT"}
    for query in ("nextToken=x", "pageSize=0", "pageSize=1.5", "pageSize=101", "status=NEW"):
        assert togai.refused("GET", f"/usage_meters?{query}")


def test_a_native_meter_is_listed_as_far_as_it_can_be_said(togai: Togai) -> None:
    slug = f"m_{uuid4().hex}"
    native = {"slug": slug, "eventType": togai.schema, "aggregation": "SUM",
              "valueProperty": "$.tokens", "name": slug}  # fmt: skip
    assert togai.http.post("/api/v1/meters", json=native).status_code == HTTPStatus.CREATED
    listed = togai.told("GET", "/usage_meters?pageSize=100")["data"]
    (one,) = [one for one in listed if one["name"] == slug]
    assert one["computations"] == [{"computation": '{"var":"data.tokens"}', "order": 1}]
    assert "another API" in togai.refused("POST", f"/usage_meters/{one['id']}/deactivate")


def test_a_schema_that_was_active_is_only_added_to(togai: Togai) -> None:
    path = f"/event_schema/{togai.schema}"
    assert "neither" in togai.refused("PATCH", path, attributes=[])
    twice = [{"name": "bytes"}, {"name": "bytes"}]
    assert "unique" in togai.refused("PATCH", path, attributes=twice)
    assert togai.told("PATCH", path, description="only told")["version"] == 1
    grown = togai.told("PATCH", path, attributes=[{"name": "bytes"}, {"name": "calls"}])
    assert grown["version"] == 2
    assert togai.told("GET", f"{path}?version=1")["status"] == "ARCHIVED"
    assert "not found" in togai.refused("GET", f"{path}?version=3", 404)


def test_a_schema_has_a_hundred_active_meters_at_most(togai: Togai) -> None:
    first, *_ = [togai.active() for _ in range(100)]
    last = togai.make()
    path = f"/usage_meters/{last}/activate"
    assert "at most 100 active" in togai.refused("POST", path)
    togai.told("POST", f"/usage_meters/{first}/deactivate")
    togai.told("POST", path)
    events = [togai.event(togai.account()["id"], {"bytes": "1"}) for _ in range(3)]
    assert togai.ingest(*events) == ["COMPLETED_EVENT_METERED"] * 3
    assert len(togai.units(events[0]["id"])) == 100


def product(factors: int) -> list[dict[str, str]]:
    return [{"computation": dumps({"*": [{"var": "attributes.x"}] * factors})}]


def test_a_product_cannot_be_longer_than_the_database_can_count(togai: Togai) -> None:
    assert "multiply less" in togai.refused(
        "POST", "/usage_meters", **togai.new(computations=product(9))
    )
    meter = togai.active(computations=product(8))
    longest = f"{'9' * 1_000}.{'9' * 1_000}"
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": uuid4().hex,
        "type": togai.schema,
        "subject": "ann",
    }
    body = f'{dumps(event)[:-1]},"data":{{"attributes":{{"x":{longest}}}}}}}'
    headers = {"content-type": "application/cloudevents+json"}
    sent = togai.http.post("/api/v1/events", content=body, headers=headers)
    assert sent.status_code == HTTPStatus.NO_CONTENT
    assert togai.used(meter) == Context(prec=20_000, Emax=100_000).power(Decimal(longest), 8)
