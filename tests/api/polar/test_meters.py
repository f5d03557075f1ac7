"""Meters: create, list, get, update, archive."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.support.polar import NOBODY, Polar, clause, every, refusal

COUNT = {"func": "count"}


def body(**members: object) -> dict[str, Any]:
    return {"name": "Meter", "filter": every(), "aggregation": COUNT, **members}


def test_a_meter_has_every_member(polar: Polar) -> None:
    made = polar.http.post(
        "/v1/meters/", json=body(metadata={"a": 1, "b": 0.5, "c": True, "d": "x"})
    )
    assert made.status_code == 201
    meter = made.json()
    assert {name: value for name, value in meter.items() if name not in {"id", "created_at"}} == {
        "modified_at": None, "name": "Meter", "unit": "scalar", "custom_label": None,
        "custom_multiplier": None, "filter": every(), "aggregation": COUNT,
        "metadata": {"a": 1, "b": 0.5, "c": True, "d": "x"},
        "organization_id": meter["organization_id"], "archived_at": None,
    }  # fmt: skip
    assert UUID(meter["id"]).version == UUID(meter["organization_id"]).version == 4
    assert meter["created_at"].endswith("Z")
    assert polar.http.get(f"/v1/meters/{meter['id']}").json() == meter


def test_names_may_repeat_and_metadata_prefixes_are_dropped_once(polar: Polar) -> None:
    filter_ = every(clause("metadata.metadata.x", "eq", 1))
    aggregation = {"func": "max", "property": "metadata.y"}
    one, two = (
        polar.http.post("/v1/meters/", json=body(filter=filter_, aggregation=aggregation)).json()
        for _ in range(2)
    )
    assert one["id"] != two["id"]
    assert one["filter"]["clauses"][0]["property"] == "metadata.x"
    assert one["aggregation"]["property"] == "y"


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"name": "ab"}, ["body", "name"]),
        ({"name": "a\0b"}, ["body", "name"]),
        ({"name": "x" * 300}, ["body", "name"]),
        ({"filter": None}, ["body", "filter"]),
        ({"aggregation": {"func": "median"}}, ["body", "aggregation"]),
        ({"aggregation": {"func": "sum"}}, ["body", "aggregation", "sum", "property"]),
        ({"unit": "custom"}, ["body", "custom_label"]),
        ({"unit": "token", "custom_label": "x"}, ["body", "custom_label"]),
        (
            {"unit": "custom", "custom_label": "x", "custom_multiplier": 0},
            ["body", "custom_multiplier"],
        ),
        ({"organization_id": NOBODY}, ["body", "organization_id"]),
        ({"metadata": {"k" * 41: 1}}, ["body", "metadata", "k" * 41, "[key]"]),
        ({"metadata": {str(n): n for n in range(51)}}, ["body", "metadata"]),
    ],
    ids=str,
)
def test_a_broken_rule_is_named(polar: Polar, members: dict[str, Any], place: list[str]) -> None:
    answer = polar.http.post("/v1/meters/", json=body(**members))
    assert place in [told for told, _ in refusal(answer)]


def test_our_organization_may_be_named(polar: Polar) -> None:
    ours = polar.http.post("/v1/meters/", json=body()).json()["organization_id"]
    named = polar.http.post("/v1/meters/", json=body(organization_id=ours))
    assert named.status_code == 201
    tag = polar.name
    polar.create(name=f"{tag} x")
    assert len(polar.items("/v1/meters/", query=tag, organization_id=[ours, NOBODY])) == 1
    assert polar.items("/v1/meters/", query=tag, organization_id=NOBODY) == []


def test_lists_are_filtered_sorted_and_paged(polar: Polar) -> None:
    tag = polar.name
    ids = [
        polar.create(name=f"{tag} {name}", metadata={"tier": tier})
        for name, tier in (("b", 1), ("a", "1"), ("a", True), ("c", "x"))
    ]
    order = {one: n for n, one in enumerate(ids)}

    def listed(**query: Any) -> list[int]:
        found = polar.items("/v1/meters/", query=tag.upper(), **query)
        return [order[meter["id"]] for meter in found]

    assert listed(sorting=["name", "created_at"]) == [1, 2, 0, 3]
    assert listed(sorting=["-name", "-created_at"]) == [3, 0, 2, 1]
    assert listed(sorting="-created_at") == [3, 2, 1, 0]
    assert listed(sorting=["name", "created_at"], limit=2, page=2) == [0, 3]
    assert sorted(listed(**{"metadata[tier]": "1"})) == [0, 1]
    assert sorted(listed(**{"metadata[tier]": ["1", "true"]})) == [0, 1, 2]
    assert listed(**{"metadata[tier]": "x", "metadata[none]": "x"}) == []
    page = polar.http.get("/v1/meters/", params={"query": tag, "limit": 3}).json()
    assert page["pagination"] == {"total_count": 4, "max_page": 2}
    far = polar.http.get(
        "/v1/meters/", params={"query": tag, "page": 10**30, "limit": 10**6}
    ).json()
    assert far == {"items": [], "pagination": {"total_count": 4, "max_page": 1}}


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"page": 0}, ["query", "page"]),
        ({"limit": 0}, ["query", "limit"]),
        ({"sorting": ["name", "size"]}, ["query", "sorting", 1]),
        ({"is_archived": "perhaps"}, ["query", "is_archived"]),
        ({"organization_id": "us"}, ["query", "organization_id", 0]),
    ],
    ids=str,
)
def test_a_list_that_cannot_be_asked_for_is_named(
    polar: Polar, query: dict[str, Any], place: list[Any]
) -> None:
    assert [told for told, _ in refusal(polar.http.get("/v1/meters/", params=query))] == [place]


def test_an_update_changes_what_it_says_and_replaces_metadata(polar: Polar) -> None:
    id_ = polar.create(metadata={"a": 1, "b": 2}, unit="custom", custom_label="credit")
    before = polar.http.get(f"/v1/meters/{id_}").json()
    after = polar.http.patch(f"/v1/meters/{id_}", json={"metadata": {"c": 3}, "name": None}).json()
    assert after["modified_at"] is not None
    assert after == {**before, "metadata": {"c": 3}, "modified_at": after["modified_at"]}
    scalar = {"unit": "scalar", "custom_label": None}
    assert polar.http.patch(f"/v1/meters/{id_}", json=scalar).json()["unit"] == "scalar"
    odd = polar.http.patch(f"/v1/meters/{id_}", json={"unit": "custom"})
    assert refusal(odd)[0][0] == ["body", "custom_label"]


def test_filter_and_aggregation_change_until_an_event_matches(polar: Polar) -> None:
    id_ = polar.create("sum")
    changed = polar.http.patch(f"/v1/meters/{id_}", json={"aggregation": COUNT})
    assert changed.json()["aggregation"] == COUNT
    polar.send("x")
    both = {"aggregation": COUNT, "filter": every(), "name": "Another"}
    assert refusal(polar.http.patch(f"/v1/meters/{id_}", json=both)) == [
        (["body", "filter"], "forbidden"), (["body", "aggregation"], "forbidden"),
    ]  # fmt: skip
    assert polar.http.get(f"/v1/meters/{id_}").json()["name"] == "A meter"
    assert (
        polar.http.patch(f"/v1/meters/{id_}", json={"name": "Another"}).json()["name"] == "Another"
    )


def test_an_archived_meter_answers_and_comes_back(polar: Polar) -> None:
    id_, tag = polar.create(name=f"{polar.name} x"), polar.name
    polar.send(1)
    assert polar.http.patch(f"/v1/meters/{id_}", json={"is_archived": True}).json()["archived_at"]
    for archived, count in ((True, 1), (False, 0), (None, 1)):
        asked = {} if archived is None else {"is_archived": archived}
        assert len(polar.items("/v1/meters/", query=tag, **asked)) == count
    assert polar.total(id_) == 1
    back = polar.http.patch(f"/v1/meters/{id_}", json={"is_archived": False})
    assert back.json()["archived_at"] is None


@pytest.mark.parametrize("call", ["", "/quantities", "/events"])
def test_an_unknown_meter_is_not_found_and_an_odd_id_is_refused(polar: Polar, call: str) -> None:
    query = {
        "start_timestamp": "2024-06-01T00:00:00Z", "end_timestamp": "2024-06-02T00:00:00Z",
        "interval": "day",
    }  # fmt: skip
    missing = polar.http.get(f"/v1/meters/{uuid4()}{call}", params=query)
    assert missing.status_code == 404
    assert missing.json() == {"error": "ResourceNotFound", "detail": "Not found"}
    version_1 = "5c10fade-1c9e-1d6c-8275-c52c36731d3c"
    for odd in ("x", version_1, "01KDV7B0000000000000000000"):
        places = refusal(polar.http.get(f"/v1/meters/{odd}{call}", params=query))
        assert places[0][0] == ["path", "id"]


def test_early_clients_list_the_events_of_a_meter(polar: Polar) -> None:
    meter = polar.create("sum")
    polar.send(1, "x", True)
    polar.send(2, timestamp="2024-06-16T12:00:00Z")
    assert [one["metadata"]["v"] for one in polar.items(f"/v1/meters/{meter}/events")] == [2, 1]
    page = polar.http.get(f"/v1/meters/{meter}/events/", params={"limit": 1, "page": 2}).json()
    assert page["pagination"] == {"total_count": 2, "max_page": 2}
    assert [one["metadata"]["v"] for one in page["items"]] == [1]
