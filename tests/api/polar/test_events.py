"""Events: in by either id of a customer, out by page, by id and by name."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.support.polar import NOBODY, Polar, clause, every, refusal


def test_an_external_id_counts_once_for_ever(polar: Polar) -> None:
    one, again = uuid4().hex, uuid4().hex
    events = [{"external_id": one}, {"external_id": again}, {"external_id": one, "name": "other"}]
    assert polar.ingest(*events).json() == {"inserted": 2, "duplicates": 1}
    assert polar.ingest(*events, {}, {}).json() == {"inserted": 2, "duplicates": 3}
    assert polar.total(polar.create()) == 4


def test_what_one_request_stores_the_next_one_counts(polar: Polar) -> None:
    meter = polar.create("sum")
    for n in range(1, 6):
        polar.send(1)
        assert polar.total(meter) == n


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "x" * 129}, ["name"]),
        ({"name": "a\0"}, ["name"]),
        ({"name": 5}, ["name"]),
        ({"timestamp": "2024-06-15T12:00:00"}, ["timestamp"]),
        ({"timestamp": "2999-01-01T00:00:00Z"}, ["timestamp"]),
        ({"timestamp": "0001-01-01T00:00:00+10:00"}, ["timestamp"]),
        ({"organization_id": NOBODY}, ["organization_id"]),
        ({"customer_id": NOBODY}, ["customer_id"]),
        ({"customer_id": "ann"}, ["customer_id"]),
        ({"customer_id": NOBODY, "external_customer_id": "x"}, []),
        ({"external_customer_id": None}, []),
        ({"external_customer_id": ""}, ["external_customer_id"]),
        ({"external_id": "\ud800"}, None),
        ({"metadata": []}, ["metadata"]),
        ({"metadata": {"a": None}}, ["metadata", "a"]),
        ({"metadata": {"a": [1]}}, ["metadata", "a"]),
        ({"metadata": {"a": {"b": 1}}}, ["metadata", "a"]),
        ({"metadata": {"a": ""}}, ["metadata", "a"]),
        ({"metadata": {"a": "x" * 501}}, ["metadata", "a"]),
        ({"metadata": {"": 1}}, ["metadata"]),
        ({"metadata": {str(n): n for n in range(51)}}, ["metadata"]),
        ({"metadata": {"_cost": {"amount": 1}}}, ["metadata", "_cost", "currency"]),
        ({"metadata": {"_llm": {"vendor": "v", "model": 1}}}, ["metadata", "_llm", "model"]),
    ],
    ids=lambda value: str(value)[:50],
)
def test_one_wrong_event_is_named_and_none_is_stored(
    polar: Polar, event: dict[str, Any], place: list[str] | None
) -> None:
    meter = polar.create()
    noon = {"name": polar.name, "timestamp": "2024-06-15T12:00:00Z"}
    who = {} if "customer_id" in event else {"external_customer_id": "ann"}
    good = {**noon, "external_customer_id": "ann"}
    text = json.dumps({"events": [good, {**noon, **who, **event}]})
    refused = polar.http.post("/v1/events/ingest", content=text)
    told = refusal(refused)
    if place is not None:
        assert told[0][0] == ["body", "events", 1, *place]
    assert polar.total(meter) == 0


def test_a_number_is_as_large_as_it_is(polar: Polar) -> None:
    for number, status in (("1e400", 200), ("1e2000", 422), ("-0.000", 200)):
        event = f'{{"name":"{polar.name}","external_customer_id":"a","metadata":{{"v":{number}}}}}'
        sent = polar.http.post("/v1/events/ingest", content=f'{{"events":[{event}]}}')
        assert sent.status_code == status


def test_costs_and_model_calls_are_objects(polar: Polar) -> None:
    llm = {
        "vendor": "v", "model": "m", "input_tokens": 1, "output_tokens": 2, "total_tokens": 3,
    }  # fmt: skip
    polar.ingest({"metadata": {"_cost": {"amount": 0.25, "currency": "usd"}, "_llm": llm}})
    [event] = polar.items("/v1/events", name=polar.name)
    assert event["metadata"] == {"_cost": {"amount": "0.25", "currency": "usd"}, "_llm": llm}
    assert polar.total(polar.create("sum", on="_llm.total_tokens")) == 3


def test_an_event_has_every_member_and_is_found_by_its_id(polar: Polar) -> None:
    polar.send(1, external_id=uuid4().hex, external_customer_id="nobody in particular")
    [event] = polar.items("/v1/events/", name=polar.name)
    assert UUID(event["id"]).version == 4
    assert {name: event[name] for name in event if name not in {"id", "organization_id"}} == {
        "timestamp": "2024-06-15T12:00:00Z", "customer_id": None, "customer": None,
        "external_customer_id": "nobody in particular", "member_id": None,
        "external_member_id": None, "child_count": 0, "parent_id": None, "label": polar.name,
        "name": polar.name, "source": "user", "metadata": {"v": 1},
    }  # fmt: skip
    assert polar.http.get(f"/v1/events/{event['id']}").json() == event
    assert polar.http.get(f"/v1/events/{uuid4()}").status_code == 404


def test_events_are_chosen_by_all_that_is_said(polar: Polar) -> None:
    for day in range(1, 6):
        polar.send(day, timestamp=f"2024-06-0{day}T00:00:00Z", external_customer_id=f"c{day % 2}")

    def days(**query: Any) -> list[int]:
        found = polar.items("/v1/events", name=polar.name, **query)
        return [event["metadata"]["v"] for event in found]

    assert days() == [5, 4, 3, 2, 1]
    assert days(sorting="timestamp") == [1, 2, 3, 4, 5]
    assert days(limit=2, page=2) == [3, 2]
    assert days(start_timestamp="2024-06-01T00:00:00Z", end_timestamp="2024-06-04T00:00:00Z") == [
        3,
        2,
    ]
    assert days(external_customer_id=["c0", "x"]) == [4, 2]
    assert days(customer_id=NOBODY) == []
    assert days(filter=json.dumps(every(clause("v", "gt", 3)))) == [5, 4]
    assert days(**{"metadata[v]": ["1", "3"]}) == [3, 1]
    assert days(source="user") == [5, 4, 3, 2, 1]
    assert days(source="system") == days(parent_id=NOBODY) == days(organization_id=NOBODY) == []
    assert days(meter_id=polar.create("sum", filter_=every(clause("v", "lt", 3)))) == [2, 1]
    ours = polar.items("/v1/events", name=polar.name)[0]["organization_id"]
    assert days(query=polar.name[4:12].upper(), organization_id=ours) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"filter": "{"}, ["query", "filter"]),
        ({"filter": '{"conjunction":"and"}'}, ["query", "filter"]),
        ({"meter_id": NOBODY}, ["query", "meter_id"]),
        ({"meter_id": "x"}, ["query", "meter_id"]),
        ({"query": "abc"}, ["query"]),
        ({"query": "ab", "organization_id": NOBODY}, ["query", "query"]),
        ({"depth": 6}, ["query", "depth"]),
        ({"sorting": "name"}, ["query", "sorting", 0]),
        ({"start_timestamp": "x"}, ["query", "start_timestamp"]),
    ],
    ids=str,
)
def test_events_that_cannot_be_asked_for_are_named(
    polar: Polar, query: dict[str, Any], place: list[Any]
) -> None:
    assert refusal(polar.http.get("/v1/events/", params=query))[0][0] == place


def test_names_are_listed_with_their_occurrences(polar: Polar) -> None:
    tag = polar.name
    for name, days in (("b", (3, 4)), ("a", (1, 2, 5)), ("c", (2,))):
        polar.ingest(
            *({"name": f"{tag}.{name}", "timestamp": f"2024-06-0{day}T00:00:00Z"} for day in days)
        )

    def listed(**query: Any) -> list[str]:
        return [one["name"][-1] for one in polar.items("/v1/events/names", query=tag, **query)]

    assert listed() == ["a", "b", "c"]
    assert listed(sorting=["-name"]) == ["c", "b", "a"]
    assert listed(sorting=["occurrences", "name"], limit=2) == ["c", "b"]
    assert listed(sorting="first_seen") == ["a", "c", "b"]
    assert listed(external_customer_id="nobody") == listed(source="system") == []
    [one] = polar.items("/v1/events/names", query=f"{tag}.a")
    assert one == {
        "name": f"{tag}.a", "label": f"{tag}.a", "source": "user", "occurrences": 3,
        "first_seen": "2024-06-01T00:00:00Z", "last_seen": "2024-06-05T00:00:00Z",
    }  # fmt: skip
