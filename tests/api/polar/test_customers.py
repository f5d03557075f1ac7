"""Customers: one table for all dialects, and what meters have counted for them."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.support.polar import NOBODY, Polar, refusal


def create(polar: Polar, **members: object) -> dict[str, Any]:
    made = polar.http.post("/v1/customers/", json={"email": f"{uuid4().hex}@x.example", **members})
    assert made.status_code == 201, made.text
    customer: dict[str, Any] = made.json()
    return customer


def test_a_customer_has_every_member(polar: Polar) -> None:
    address = {
        "country": "DE", "line1": "Weg 1", "line2": None, "postal_code": "1", "city": "B",
        "state": None,
    }  # fmt: skip
    external = uuid4().hex
    customer = create(
        polar, external_id=external, email="a@b.example", name="A", billing_address=address
    )
    chosen = {"id", "created_at", "organization_id"}
    assert {name: customer[name] for name in customer if name not in chosen} == {
        "modified_at": None, "metadata": {}, "external_id": external, "email": "a@b.example",
        "email_verified": False, "type": "individual", "name": "A", "billing_name": None,
        "billing_address": address, "tax_id": None, "locale": None,
        "default_payment_method_id": None, "deleted_at": None, "first_user_event_at": None,
        "avatar_url": "",
    }  # fmt: skip
    assert UUID(customer["id"]).version == 4
    assert polar.http.get(f"/v1/customers/{customer['id']}").json() == customer
    assert polar.http.get(f"/v1/customers/external/{external}").json() == customer


def test_an_external_id_may_hold_slashes(polar: Polar) -> None:
    external = f"team/{uuid4().hex}"
    customer = create(polar, external_id=external)
    assert polar.http.get(f"/v1/customers/external/{external}").json() == customer
    state = polar.http.get(f"/v1/customers/external/{external}/state").json()
    assert state["id"] == customer["id"]


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": None}, "email"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x\0"}, "external_id"),
        ({"organization_id": NOBODY}, "organization_id"),
        ({"type": "robot"}, "type"),
        ({"billing_address": {"country": "Germany"}}, "billing_address"),
    ],
    ids=str,
)
def test_a_broken_rule_is_named(polar: Polar, members: dict[str, Any], place: str) -> None:
    answer = polar.http.post("/v1/customers/", json={"email": "a@b.example", **members})
    assert refusal(answer)[0][0][:2] == ["body", place]


def test_an_external_id_is_one_customers(polar: Polar) -> None:
    customer, other = create(polar, external_id=uuid4().hex), create(polar)
    taken = {"email": "a@b.example", "external_id": customer["external_id"]}
    assert refusal(polar.http.post("/v1/customers/", json=taken))[0][0] == ["body", "external_id"]
    path = f"/v1/customers/{other['id']}"
    refused = polar.http.patch(path, json={"external_id": customer["external_id"]})
    assert refusal(refused)[0][0] == ["body", "external_id"]


def test_an_update_changes_what_it_says(polar: Polar) -> None:
    customer = create(polar, email="a@b.example", metadata={"a": 1})
    path = f"/v1/customers/{customer['id']}"
    assert customer["name"] is None
    assert polar.http.patch(path, json={"email": "c@d.example"}).json()["name"] is None
    changed = polar.http.patch(path, json={"name": "Ann", "external_id": f"x{uuid4().hex}"}).json()
    assert (changed["name"], changed["email"], changed["metadata"]) == (
        "Ann",
        "c@d.example",
        {"a": 1},
    )
    external = f"/v1/customers/external/{changed['external_id']}"
    assert polar.http.patch(external, json={"metadata": {"b": 2}}).json()["metadata"] == {"b": 2}


def test_a_deleted_customer_is_gone_and_its_id_is_free(polar: Polar) -> None:
    customer = create(polar, external_id=uuid4().hex)
    polar.ingest({"customer_id": customer["id"]})
    external = f"/v1/customers/external/{customer['external_id']}"
    assert polar.http.delete(external).status_code == 204
    for path in (external, f"/v1/customers/{customer['id']}"):
        for call in (polar.http.get, polar.http.delete):
            assert call(path).status_code == 404
    again = create(polar, external_id=customer["external_id"])
    assert again["id"] != customer["id"]
    assert polar.total(polar.create(), customer_id=again["id"]) == 1  # its events stayed


def test_customers_are_listed_by_what_is_known_of_them(polar: Polar) -> None:
    tag = polar.name
    for name, tier in (("b", 1), ("a", 2)):
        create(polar, name=f"{tag} {name}", email=f"{name}@{tag}.example", metadata={"tier": tier})
    create(polar, external_id=f"{tag}-c", email=f"c{tag}@x.example", name="!")

    def listed(**query: Any) -> list[str]:
        return [one["email"][0] for one in polar.items("/v1/customers/", **query)]

    assert listed(query=tag) == ["c", "a", "b"]
    assert listed(query=tag, sorting="email") == ["a", "b", "c"]
    assert listed(query=tag, sorting=["-name"], limit=1) == ["b"]
    assert listed(email=f"A@{tag}.EXAMPLE") == ["a"]
    assert listed(query=tag, **{"metadata[tier]": ["1", "3"]}) == ["b"]
    assert listed(query=tag, organization_id=NOBODY) == []


def test_customer_meters_exist_from_the_first_event_on(polar: Polar) -> None:
    ann, bob = create(polar, external_id=f"a{uuid4().hex}"), create(polar, name="Bob")
    meter, idle = (
        polar.create("sum", name="used"),
        polar.create("sum", filter_=polar.of_name(), on="w"),
    )
    polar.ingest(
        {"customer_id": ann["id"], "metadata": {"v": 2}},
        {"external_customer_id": ann["external_id"], "metadata": {"v": 0.5}},
        {"customer_id": bob["id"], "metadata": {"v": 7}},
        {"external_customer_id": "somebody without a record", "metadata": {"v": 7}},
    )

    def listed(**query: Any) -> list[tuple[str, float]]:
        found = polar.items("/v1/customer-meters/", meter_id=[meter, idle], **query)
        return [(one["customer_id"], one["consumed_units"]) for one in found]

    of_ann, of_bob = (ann["id"], 2.5), (bob["id"], 7)
    assert listed(sorting="consumed_units") == [of_ann, of_bob]
    assert listed(sorting=["balance"]) == [of_bob, of_ann]
    assert listed(customer_id=ann["id"]) == [of_ann]
    assert listed(external_customer_id=ann["external_id"]) == [of_ann]
    assert listed(customer_id=NOBODY) == []
    [item] = polar.items("/v1/customer-meters/", meter_id=meter, customer_id=ann["id"])
    assert (item["balance"], item["credited_units"], item["meter"]["name"]) == (-2.5, 0, "used")
    assert polar.http.get(f"/v1/customer-meters/{item['id']}").json() == item
    assert polar.http.get(f"/v1/customer-meters/{NOBODY}").status_code == 404
    state = polar.http.get(f"/v1/customers/{ann['id']}/state").json()
    assert [one["id"] for one in state["active_meters"] if one["meter_id"] == meter] == [item["id"]]


def test_archived_meters_are_hidden_unless_asked_for(polar: Polar) -> None:
    ann = create(polar, external_id=f"a{uuid4().hex}")
    meter = polar.create()
    polar.ingest({"customer_id": ann["id"]})
    polar.http.patch(f"/v1/meters/{meter}", json={"is_archived": True})
    of_ann = {"customer_id": ann["id"]}
    shown = [one["meter_id"] for one in polar.items("/v1/customer-meters/", limit=100, **of_ann)]
    assert meter not in shown
    assert len(polar.items("/v1/customer-meters/", meter_id=meter, **of_ann)) == 1
