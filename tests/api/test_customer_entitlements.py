"""Entitlements of customers over HTTP: v2, access, and how they come to customers from subjects."""

from collections.abc import Iterator
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.support.entitling import MINUTE, Entitling, Found, found, this_minute, wire
from tests.support.metering import Meter, refusal


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Entitling]:
    with Entitling(base_url) as client:
        yield client


def path(customer: str, *parts: str) -> str:
    return "/".join([f"/api/v2/customers/{customer}/entitlements", *parts])


def attempt(api: Entitling, customer: str, feature: Found, **members: object) -> httpx.Response:
    body = {
        "type": "metered", "featureKey": feature["key"], "usagePeriod": {"interval": "MONTH"},
        **members,
    }  # fmt: skip
    return api.post(path(customer), body)


@pytest.fixture
def meter(api: Entitling) -> Meter:
    return api.create("SUM")


@pytest.fixture
def customer(api: Entitling) -> Found:
    name = uuid4().hex
    return api.customer(
        key=f"c-{name}", usageAttribution={"subjectKeys": [f"z-{name}", f"a-{name}"]}
    )


def test_customers_entitlement_names_its_customer(
    api: Entitling, meter: Meter, customer: Found
) -> None:
    feature = api.feature(meter)
    issue = {"amount": 100.5, "priority": 3}
    made = api.made(attempt(api, customer["key"], feature, issue=issue, metadata={"a": "b"}))
    assert (made["customerId"], made["customerKey"]) == (customer["id"], customer["key"])
    assert made["issue"] == issue
    assert (made["issueAfterReset"], made["issueAfterResetPriority"]) == (100.5, 3)
    assert not {"subjectKey", "isUnlimited"} & set(made)
    for owner in (customer["id"], customer["key"]):
        for name in (made["id"], feature["key"]):
            assert found(api.http.get(path(owner, name))) == made
    assert found(api.http.get(f"/api/v2/entitlements/{made['id']}")) == made
    shown = found(api.http.get(f"/api/v1/entitlements/{made['id']}"))
    assert shown["subjectKey"] == min(customer["usageAttribution"]["subjectKeys"])


def test_usage_of_a_customer_is_that_of_its_subjects_and_its_key(
    api: Entitling, meter: Meter, customer: Found
) -> None:
    feature = api.feature(meter)
    api.made(attempt(api, customer["id"], feature, issueAfterReset=100))
    for number, subject in enumerate(
        [customer["key"], *customer["usageAttribution"]["subjectKeys"], "another"], start=1
    ):
        api.use(meter, subject, 10**number / 1000)
    value = found(api.http.get(path(customer["key"], feature["key"], "value")))
    assert value["usage"] == Decimal("1.11")
    assert value["hasAccess"] is True
    assert list(value["grantBalances"].values()) == [Decimal("98.89")]


def test_grants_may_be_given_with_the_entitlement(
    api: Entitling, meter: Meter, customer: Found
) -> None:
    feature = api.feature(meter)
    now = wire(this_minute())
    grants = [{"amount": 5, "effectiveAt": now}, {"amount": 6, "effectiveAt": now, "priority": 2}]
    both = attempt(api, customer["id"], feature, issue={"amount": 1}, grants=grants)
    assert both.status_code == HTTPStatus.BAD_REQUEST
    api.made(attempt(api, customer["id"], feature, grants=grants))
    page = found(api.http.get(path(customer["id"], feature["key"], "grants")))
    assert (page["totalCount"], page["page"], page["pageSize"]) == (2, 1, 100)
    first = page["items"][0]
    assert (first["amount"], first["maxRolloverAmount"]) == (5, 5)
    assert not {"expiration", "expiresAt"} & set(first)


def test_grant_of_a_customer_keeps_annotations_to_the_last_digit(
    api: Entitling, meter: Meter, customer: Found
) -> None:
    feature = api.feature(meter)
    api.made(attempt(api, customer["id"], feature))
    body = (
        f'{{"amount":1,"effectiveAt":"{wire(this_minute())}",'
        '"annotations":{"order":12345678901234567890.123456789,"deep":[{"a":null}]}}'
    )
    headers = {"content-type": "application/json"}
    grants = path(customer["id"], feature["key"], "grants")
    made = api.made(api.http.post(grants, content=body, headers=headers))
    assert made["annotations"] == {
        "order": Decimal("12345678901234567890.123456789"), "deep": [{"a": None}],
    }  # fmt: skip
    assert found(api.http.get(grants, params={"limit": 1}))["page"] == 0
    assert found(api.http.get(grants))["items"] == [made]


def test_unknown_customer_is_not_found_and_a_deleted_one_is_a_failed_precondition(
    api: Entitling, meter: Meter
) -> None:
    feature = api.feature(meter)
    gone = api.customer()
    api.http.delete(f"/api/v1/customers/{gone['id']}")
    for name, expected in (
        ("nobody", HTTPStatus.NOT_FOUND), (gone["id"], HTTPStatus.PRECONDITION_FAILED),
    ):  # fmt: skip
        answers = [
            attempt(api, name, feature),
            api.http.get(path(name)),
            api.http.get(path(name, "f")),
            api.http.get(path(name, "01KDV7B0000000000000000000")),
            api.http.delete(path(name, "f")),
            api.http.get(path(name, "f", "value")),
            api.http.get(path(name, "f", "history"), params={"windowSize": "DAY"}),
            api.http.get(path(name, "f", "grants")),
            api.post(path(name, "f", "reset"), {}),
            api.http.get(f"/api/v1/customers/{name}/access"),
            api.http.get(f"/api/v1/customers/{name}/entitlements/f/value"),
            api.http.get("/api/v2/grants", params={"customer": name}),
        ]
        assert [answer.status_code for answer in answers] == [expected] * len(answers)


def test_lists_of_customers_entitlements_are_pages(
    api: Entitling, meter: Meter, customer: Found
) -> None:
    made = [api.made(attempt(api, customer["id"], api.feature(meter))) for _ in range(3)]
    page = found(api.http.get(path(customer["key"])))
    assert (page["totalCount"], page["page"], page["pageSize"]) == (3, 1, 100)
    assert page["items"] == made

    def listed(**params: Any) -> Any:
        return found(api.http.get("/api/v2/entitlements", params=params))

    assert listed(customerIds=customer["id"])["items"] == made
    assert listed(customerKeys=customer["key"], pageSize=2, page=2)["items"] == made[2:]
    assert listed(customerKeys="nobody")["items"] == []
    assert listed(feature=made[0]["featureKey"])["items"] == made[:1]
    assert listed(customerIds=customer["id"], entitlementType="static")["items"] == []


def test_what_a_subject_owns_itself_is_no_customers(api: Entitling) -> None:
    _, made, _ = api.metered()
    assert api.http.get(f"/api/v2/entitlements/{made['id']}").status_code == HTTPStatus.NOT_FOUND
    listed = found(api.http.get("/api/v2/entitlements", params={"feature": made["featureKey"]}))
    assert listed["items"] == []
    other = api.customer()
    assert api.http.get(path(other["id"], made["id"])).status_code == HTTPStatus.NOT_FOUND


def test_access_tells_every_active_entitlement(
    api: Entitling, meter: Meter, customer: Found
) -> None:
    access = f"/api/v1/customers/{customer['key']}/access"
    assert found(api.http.get(access)) == {"entitlements": {}}
    metered, static, switch, ended = (api.feature(meter) for _ in range(4))
    api.made(attempt(api, customer["id"], metered, issueAfterReset=10))
    api.made(attempt(api, customer["id"], static, type="static", config="[1]"))
    api.made(attempt(api, customer["id"], switch, type="boolean"))
    api.made(attempt(api, customer["id"], ended, type="boolean"))
    api.http.delete(path(customer["id"], ended["key"]))
    api.use(meter, customer["key"], 4)
    told = found(api.http.get(access))["entitlements"]
    balances = told[metered["key"]].pop("grantBalances")
    assert list(balances.values()) == [6]
    assert told == {
        metered["key"]: {
            "hasAccess": True, "balance": 6, "usage": 4, "overage": 0,
            "totalAvailableGrantAmount": 10,
        },
        static["key"]: {"hasAccess": True, "config": "[1]"},
        switch["key"]: {"hasAccess": True},
    }  # fmt: skip


def test_value_by_feature_without_an_entitlement_is_no_access(
    api: Entitling, meter: Meter, customer: Found
) -> None:
    feature = api.feature(meter)
    value = f"/api/v1/customers/{customer['id']}/entitlements/{feature['key']}/value"
    assert found(api.http.get(value)) == {"hasAccess": False}
    api.made(attempt(api, customer["id"], feature, issueAfterReset=10))
    assert found(api.http.get(value))["balance"] == 10
    before = {"time": wire(this_minute() - MINUTE)}
    assert found(api.http.get(value, params=before)) == {"hasAccess": False}


def test_entitlement_of_a_subject_is_that_of_the_customer_who_has_it(
    api: Entitling, meter: Meter, customer: Found
) -> None:
    feature = api.feature(meter)
    subject = customer["usageAttribution"]["subjectKeys"][0]
    made = api.entitle(subject, feature, issueAfterReset=5)
    assert found(api.http.get(path(customer["id"], made["id"])))["customerId"] == customer["id"]
    for name in (customer["key"], *customer["usageAttribution"]["subjectKeys"]):
        assert api.worth(name, feature["key"])["balance"] == 5
    second = attempt(api, customer["id"], feature)
    assert second.json()["extensions"] == {"conflictingEntityId": made["id"]}


@pytest.mark.parametrize("how", ["as its key", "among its subjects", "later"])
def test_what_a_subject_owned_is_the_customers_once_one_has_the_subject(
    api: Entitling, how: str
) -> None:
    who, made, meter = api.metered(issueAfterReset=10)
    api.use(meter, who, 3)
    listing = {"usageAttribution": {"subjectKeys": [who, f"other-{who}"]}}
    if how == "as its key":
        one = api.customer(key=who)
    elif how == "among its subjects":
        one = api.customer(**listing)
    else:
        one = api.customer()
        changed = api.http.put(f"/api/v1/customers/{one['id']}", json={"name": "n", **listing})
        assert changed.status_code == HTTPStatus.OK
    kept = found(api.http.get(path(one["id"], made["featureKey"])))
    assert (kept["id"], kept["customerId"]) == (made["id"], one["id"])
    assert api.worth(who, made["featureKey"])["balance"] == 7
    api.http.delete(path(one["id"], made["id"]))


def test_two_entitlements_of_one_feature_do_not_come_together(api: Entitling, meter: Meter) -> None:
    feature = api.feature(meter)
    subjects = [f"s-{uuid4().hex}" for _ in range(2)]
    for who in subjects:
        api.entitle(who, feature)
    body = {"name": "n", "usageAttribution": {"subjectKeys": subjects}}
    status, detail = refusal(api.post("/api/v1/customers", body))
    assert status == HTTPStatus.CONFLICT
    assert f"two active entitlements of feature {feature['key']}" in str(detail)
    assert found(api.http.get(api.path(subjects[0])))[0]["subjectKey"] == subjects[0]


def test_customer_with_an_active_entitlement_is_not_deleted(
    api: Entitling, meter: Meter, customer: Found
) -> None:
    feature = api.feature(meter)
    api.made(attempt(api, customer["id"], feature, type="boolean"))
    one = f"/api/v1/customers/{customer['id']}"
    status, detail = refusal(api.http.delete(one))
    assert status == HTTPStatus.CONFLICT
    assert f"has active entitlements: {feature['key']}" in str(detail)
    api.http.delete(path(customer["id"], feature["key"]))
    assert api.http.delete(one).status_code == HTTPStatus.NO_CONTENT
