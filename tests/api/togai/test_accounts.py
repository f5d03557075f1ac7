"""Customers own accounts; an account is a subject that events name by id or alias."""

from typing import Any
from uuid import uuid4

import pytest
from tests.support.togai import Togai

AN_ADDRESS = {"line1": "1 Market Street", "city": "Berlin", "country": "DE", "phoneNumber": "+49"}


def test_a_customer_is_one_of_every_api(togai: Togai) -> None:
    made = togai.customer(address=AN_ADDRESS)
    assert made["billingAddress"] == "1 Market Street, Berlin, DE"
    assert made["address"] == AN_ADDRESS
    native = togai.http.get(f"/api/v1/customers/{made['id']}").json()
    assert (native["id"], native["primaryEmail"]) == (made["togaiCustomerId"], "a@acme.test")
    changed = togai.told("PATCH", f"/customers/{made['id']}", name="Acme AG")
    assert (changed["name"], changed["address"]) == ("Acme AG", AN_ADDRESS)
    got = togai.told("GET", f"/customers/{made['togaiCustomerId']}")
    assert got == changed
    assert got["status"] == "ACTIVE"
    assert togai.told("GET", "/customers?pageSize=1")["data"] == [got]


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"key": "k" * 60, "name": "Long"}, {"name": "Long", "primaryEmail": ""}),
        ({"name": "Al"}, {"name": "Al ({id})"}),
    ],
)
def test_a_native_customer_is_told_as_clients_can_hold_it(
    togai: Togai, members: dict[str, Any], told: dict[str, str]
) -> None:
    attribution = {"subjectKeys": [uuid4().hex]}
    native = togai.http.post("/api/v1/customers", json={"usageAttribution": attribution, **members})
    id_ = native.json()["id"]
    (listed,) = togai.told("GET", "/customers?pageSize=1")["data"]
    assert (listed["id"], listed["address"]) == (id_, {})
    assert {name: listed[name] for name in told} == {
        name: text.replace("{id}", id_) for name, text in told.items()
    }
    togai.told("DELETE", f"/customers/{id_}")


def test_an_account_is_a_subject_of_its_customer(togai: Togai) -> None:
    owner = togai.customer()
    extra = {"invoiceCurrency": "EUR", "netTermDays": 30, "tags": ["eu"], "metadata": {"a": "b"}}
    made = togai.account(owner["id"], **extra)
    assert (made["customerId"], made["togaiCustomerId"]) == (
        owner["id"], owner["togaiCustomerId"],
    )  # fmt: skip
    assert {name: made[name] for name in extra} == extra
    assert (made["status"], made["aliases"]) == ("ACTIVE", [])
    native = togai.http.get(f"/api/v1/customers/{owner['id']}").json()
    assert native["usageAttribution"] == {"subjectKeys": [made["id"]]}
    changed = togai.told("PATCH", f"/accounts/{made['id']}", name="Acme EU", status="DRAFT")
    assert changed == {**made, "name": "Acme EU", "status": "DRAFT"}
    assert togai.told("GET", f"/accounts/{made['id']}") == changed
    assert togai.told("GET", "/accounts?pageSize=1")["data"] == [changed]


def test_both_are_made_or_neither(togai: Togai) -> None:
    made = togai.customer(account={"id": uuid4().hex, "name": "Acme", "aliases": ["a-" + "x" * 9]})
    assert made["account"]["customerId"] == made["id"]
    taken = {"id": uuid4().hex, "name": "Other", "primaryEmail": "", "address": {}}
    message = togai.refused(
        "POST", "/customers", **taken, account={"id": made["account"]["id"], "name": "Other"}
    )
    assert "account already exists" in message
    togai.refused("GET", f"/customers/{taken['id']}", 404)


def test_the_account_may_be_called_like_its_customer(togai: Togai) -> None:
    owner = togai.customer()
    assert togai.account(owner["id"], id=owner["id"])["customerId"] == owner["id"]
    other = togai.customer()
    message = togai.refused(
        "POST", "/accounts", id=other["id"], name="Mine", customerId=owner["id"]
    )
    assert "taken by another customer" in message


def test_a_name_means_one_account(togai: Togai) -> None:
    owner = togai.customer()
    one, two = togai.account(owner["id"]), togai.account(owner["id"])
    alias = uuid4().hex
    named = togai.told("POST", f"/accounts/{one['id']}/add_aliases", aliases=[alias])
    assert named["aliases"] == [{"alias": alias}]
    add = f"/accounts/{two['id']}/add_aliases"
    assert "alias is taken" in togai.refused("POST", add, aliases=[alias])
    assert "id of an account" in togai.refused("POST", add, aliases=[one["id"]])
    assert "alias of another account" in togai.refused(
        "POST", "/accounts", id=alias, name="Third", customerId=owner["id"]
    )
    remove = f"/accounts/{one['id']}/remove_aliases"
    assert togai.told("POST", remove, aliases=[alias])["aliases"] == []
    togai.refused("POST", remove, 404, aliases=[alias])
    assert togai.told("POST", add, aliases=[alias])["aliases"] == [{"alias": alias}]


def test_an_alias_may_move_on_at_an_instant(togai: Togai) -> None:
    owner = togai.customer()
    one, two = togai.account(owner["id"]), togai.account(owner["id"])
    alias, at = uuid4().hex, "2024-06-15T00:00:00Z"
    path = f"/accounts/{one['id']}"
    togai.told("POST", f"{path}/add_aliases", accountAliases=[{"value": alias}])
    (kept,) = togai.told("GET", f"{path}/account_aliases")["data"]
    assert (kept["value"], kept["effectiveFrom"]) == (alias, "1000-01-01T00:00:00Z")
    later = {"accountAliases": [{"value": alias, "effectiveFrom": at}]}
    assert "taken" in togai.refused("POST", f"/accounts/{two['id']}/add_aliases", **later)
    ended = {"accountAliases": [{"id": kept["id"], "from": at}]}
    assert togai.told("POST", f"{path}/remove_aliases", **ended)["aliases"] == [{"alias": alias}]
    (kept,) = togai.told("GET", f"{path}/account_aliases")["data"]
    assert kept["effectiveUntil"] == at
    togai.told("POST", f"/accounts/{two['id']}/add_aliases", **later)


def test_who_is_deleted_frees_their_names(togai: Togai) -> None:
    owner = togai.customer()
    alias = uuid4().hex
    made = togai.account(owner["id"], aliases=[alias])
    togai.told("DELETE", f"/accounts/{made['id']}")
    togai.refused("GET", f"/accounts/{made['id']}", 404)
    again = togai.account(owner["id"], id=made["id"], aliases=[alias])
    assert again["togaiAccountId"] != made["togaiAccountId"]
    assert togai.told("DELETE", f"/customers/{owner['id']}") == {"success": True}
    togai.refused("GET", f"/customers/{owner['id']}", 404)
    togai.refused("GET", f"/customers/{owner['togaiCustomerId']}", 404)
    togai.refused("GET", f"/accounts/{made['id']}", 404)
    togai.account(togai.customer()["id"], id=made["id"], aliases=[alias])


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"id": "x" * 51}, "id"),
        ({"id": ""}, "id"),
        ({"id": "a/b"}, "id"),
        ({"name": "ab"}, "name"),
        ({"aliases": ["a" * 51]}, "aliases"),
        ({"aliases": [f"{n}-{n}" for n in range(11)]}, "aliases"),
        ({"aliases": ["twice", "twice"]}, "alias is taken: twice"),
        ({"status": "ARCHIVED"}, "status"),
        ({"invoiceCurrency": "EURO"}, "invoiceCurrency"),
        ({"address": {"country": "Germany"}}, "country"),
        (
            {
                "accountAliases": [
                    {
                        "value": "x",
                        "effectiveFrom": "2024-01-01T00:00:00Z",
                        "effectiveUntil": "2024-01-01T00:00:00Z",
                    }
                ]
            },
            "ends before",
        ),
    ],
)
def test_what_no_account_can_be_is_refused(togai: Togai, members: dict[str, Any], why: str) -> None:
    owner = togai.customer()["id"]
    usual = {"id": uuid4().hex, "name": "Acme", "customerId": owner}
    assert why in togai.refused("POST", "/accounts", **{**usual, **members})


def test_an_account_needs_a_customer(togai: Togai) -> None:
    togai.refused("POST", "/accounts", 404, id=uuid4().hex, name="Acme", customerId=uuid4().hex)
    togai.refused("POST", "/accounts", id=uuid4().hex, name="Acme")
