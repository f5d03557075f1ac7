"""One core: what one dialect makes, the others list and query as far as they can say it."""

from typing import Any
from uuid import uuid4

from tests.support.metering import Metering, at, rows_of
from tests.support.polar import Polar, clause, every


def native(polar: Polar, name: str) -> dict[str, Any]:
    """A meter as OpenMeter's list has it."""
    meter: dict[str, Any]
    [meter] = [one for one in polar.http.get("/api/v1/meters").json() if one["name"] == name]
    return meter


def test_a_polar_meter_is_a_native_one_with_a_slug_of_its_name(polar: Polar) -> None:
    name = f"Tokens: {polar.name}"
    meter = polar.create(
        "sum", name=name, filter_=polar.of_name(clause("model", "eq", "x")), on="usage.total",
        metadata={"n": 1, "b": True, "t": "x"},
    )  # fmt: skip
    told = native(polar, name)
    assert told["slug"] == f"tokens_{polar.name}"
    assert (told["eventType"], told["aggregation"]) == (polar.name, "SUM")
    assert told["valueProperty"] == "$.usage.total"
    assert told["metadata"] == {"n": "1", "b": "true", "t": "x"}
    polar.ingest(
        {"metadata": {"model": "x"}}, {"metadata": {"v": 1}}, {"name": "other", "metadata": {}}
    )
    event = {
        "specversion": "1.0", "id": "1", "source": polar.name, "type": polar.name,
        "subject": "bob", "time": "2024-06-15T12:00:00Z",
        "data": {"model": "x", "usage": {"total": 2.5}},
    }  # fmt: skip
    assert polar.http.post("/api/v1/events", json=event).status_code == 204
    query = polar.http.get(f"/api/v1/meters/{told['slug']}/query", params={"subject": "bob"})
    assert [(row.subject, float(row.value)) for row in rows_of(query)] == [("bob", 2.5)]
    assert polar.total(meter) == 2.5


def test_a_second_meter_of_a_name_has_another_slug(polar: Polar) -> None:
    for _ in range(2):
        polar.create(name=polar.name)
    slugs = [
        one["slug"] for one in polar.http.get("/api/v1/meters").json() if one["name"] == polar.name
    ]
    assert len(set(slugs)) == 2
    assert polar.name in slugs


def test_a_meter_of_every_type_tells_a_star(polar: Polar) -> None:
    polar.create(name=polar.name, filter_=every(clause("tag", "eq", polar.name)))
    polar.ingest(*({"name": uuid4().hex, "metadata": {"tag": polar.name}} for _ in range(3)))
    told = native(polar, polar.name)
    assert told["eventType"] == "*"
    answer = polar.http.get(f"/api/v1/meters/{told['slug']}/query")
    assert [row.value for row in rows_of(answer)] == [3]
    subjects = polar.http.get(f"/api/v1/meters/{told['slug']}/subjects").json()
    assert subjects == ["ann"]


def test_an_event_of_a_polar_meter_is_listed_by_the_native_dialect(polar: Polar) -> None:
    polar.create("sum")
    polar.send(1, external_id=(id_ := uuid4().hex))
    of_id = {"id": id_, "from": "2024-01-01T00:00:00Z"}
    [listed] = polar.http.get("/api/v1/events", params=of_id).json()
    assert "validationError" not in listed
    event = listed["event"]
    assert (event["source"], event["type"], event["subject"]) == ("polar", polar.name, "ann")
    assert event["data"] == {"v": 1}


def test_a_native_meter_is_a_polar_one(polar: Polar, base_url: str) -> None:
    with Metering(base_url) as metering:
        meter = metering.create("SUM", name=polar.name, eventFrom="2024-06-01T00:00:00Z")
        metering.send(meter, at(data={"v": "1.5"}), at(data={"v": 2}))
        latest = metering.create("LATEST", name=polar.name)
        [told] = polar.items("/v1/meters/", query=polar.name)
        assert told["filter"] == every(
            clause("name", "eq", meter["eventType"]), clause("timestamp", "gte", 1717200000)
        )
        assert told["aggregation"] == {"func": "sum", "property": "v"}
        assert polar.total(told["id"]) == 3.5  # it counts as it was made to
        assert polar.http.patch(f"/v1/meters/{told['id']}", json={"name": "Renamed"}).is_success
        assert native(polar, "Renamed")["slug"] == meter["slug"]
        assert metering.http.delete(f"/api/v1/meters/{latest['slug']}").is_success


def test_a_native_customer_is_a_polar_one(polar: Polar) -> None:
    key = uuid4().hex
    body = {"name": "Native", "key": key, "usageAttribution": {"subjectKeys": [f"{key}-s"]}}
    made = polar.http.post("/api/v1/customers", json=body)
    assert made.is_success, made.text
    told = polar.http.get(f"/v1/customers/external/{key}").json()
    assert (told["name"], told["email"]) == ("Native", "")
    polar.ingest(
        {"customer_id": told["id"]},
        {"external_customer_id": f"{key}-s"},
        {"external_customer_id": key},
    )
    assert polar.total(polar.create(), customer_id=told["id"]) == 3
    [newest, *_] = polar.items("/v1/events", name=polar.name, external_customer_id=f"{key}-s")
    assert newest["customer_id"] == told["id"]
