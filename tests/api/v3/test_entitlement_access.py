"""What customers have access to, in v3: one of them, and several at once."""

from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from tests.support.entitling import now, wire
from tests.support.v3 import ACCESS, CUSTOMERS, Client, Wrong, failure, page_of, wrong

UNKNOWN = "01HM6ZYX0000000000000000AB"


class Rich(NamedTuple):
    customer: dict[str, Any]
    keys: dict[str, str]  # what kind of feature → its key


@pytest.fixture(scope="module")
def rich(v3: Client) -> Rich:
    """A customer with an entitlement of every kind; the balance of one is used up."""
    meter = v3.create("sum")
    customer = v3.customer(usage_attribution={"subject_keys": [uuid4().hex]})
    [subject] = customer["usage_attribution"]["subject_keys"]
    period: dict[str, Any] = {"usagePeriod": {"interval": "MONTH"}, "type": "metered"}
    terms: dict[str, dict[str, Any]] = {
        "full": {**period, "issueAfterReset": 10},
        "empty": {**period, "issueAfterReset": 3},
        "soft": {**period, "isSoftLimit": True},
        "static": {"type": "static", "config": '{"seats": 5}'},
        "boolean": {"type": "boolean"},
    }
    keys = {}
    for kind, one in terms.items():
        feature = v3.feature(meter if one["type"] == "metered" else None)
        keys[kind] = feature["key"]
        v3.entitle(customer, feature, **one)
    kind, time = meter["event_type"], wire(now())
    v3.send({"subject": subject, "type": kind, "time": time, "data": {"v": 3}})
    return Rich(customer, keys)


def asked(v3: Client, *names: str, features: list[str] | None = None, query: str = "") -> Any:
    body: dict[str, Any] = {"customer": {"keys": names}}
    if features is not None:
        body["feature"] = {"keys": features}
    return page_of(v3.post(ACCESS + query, body))


def test_every_active_entitlement_is_told_with_its_type(v3: Client, rich: Rich) -> None:
    url = f"{CUSTOMERS}/{rich.customer['id']}/entitlement-access"
    found = page_of(v3.http.get(url))
    assert (
        page_of(v3.http.get(f"{CUSTOMERS}/{rich.customer['id'].lower()}/entitlement-access"))
        == found
    )
    rows = {row.pop("feature_key"): row for row in found["data"]}
    assert list(rows) == sorted(rich.keys.values())
    assert {kind: rows[key] for kind, key in rich.keys.items()} == {
        "full": {"type": "metered", "has_access": True},
        "empty": {"type": "metered", "has_access": False},
        "soft": {"type": "metered", "has_access": True},
        "static": {"type": "static", "has_access": True, "config": '{"seats": 5}'},
        "boolean": {"type": "boolean", "has_access": True},
    }


def test_both_versions_and_both_questions_agree(v3: Client, rich: Rich) -> None:
    id_ = rich.customer["id"]
    one = page_of(v3.http.get(f"{CUSTOMERS}/{id_}/entitlement-access"))["data"]
    first = page_of(v3.http.get(f"/api/v1/customers/{id_}/access"))["entitlements"]
    [several] = asked(v3, id_)["data"]
    answers = {row["feature_key"]: row["has_access"] for row in one}
    assert answers == {key: value["hasAccess"] for key, value in first.items()}
    assert answers == {key: value["has_access"] for key, value in several["features"].items()}


def test_customer_without_entitlements_has_none(v3: Client) -> None:
    customer = v3.customer()
    url = f"{CUSTOMERS}/{customer['id']}/entitlement-access"
    assert page_of(v3.http.get(url)) == {"data": []}
    assert asked(v3, customer["key"])["data"][0]["features"] == {}


def test_access_of_nobody_is_not_found_and_of_a_deleted_customer_gone(v3: Client) -> None:
    answer = v3.http.get(f"{CUSTOMERS}/{UNKNOWN}/entitlement-access")
    assert failure(answer) == (404, "The requested customer was not found")
    answer = v3.http.get(f"{CUSTOMERS}/acme/entitlement-access")
    assert wrong(answer) == [Wrong("customerId", "matches_regex", "path")]
    customer = v3.customer()
    v3.http.delete(f"{CUSTOMERS}/{customer['id']}")
    assert failure(v3.http.get(f"{CUSTOMERS}/{customer['id']}/entitlement-access"))[0] == 410
    [error] = asked(v3, customer["key"])["errors"]
    assert (error["code"], error["customer"]) == ("customer_not_found", customer["key"])


def test_customer_is_told_once_with_all_the_names_it_was_asked_by(v3: Client, rich: Rich) -> None:
    [subject] = rich.customer["usage_attribution"]["subject_keys"]
    names = (subject, "nobody", rich.customer["key"], subject)
    found = asked(v3, *names)
    [result] = found["data"]
    assert result["matched"] == [subject, rich.customer["key"]]
    assert result["customer"] == rich.customer
    assert result["updated_at"] > rich.customer["created_at"]
    assert found["errors"] == [
        {
            "code": "customer_not_found",
            "message": "no live customer has this key or subject",
            "customer": "nobody",
        }
    ]


def test_missing_access_has_a_reason(v3: Client, rich: Rich) -> None:
    other = v3.feature()["key"]
    asked_for = [rich.keys["full"], rich.keys["empty"], other, "nothing"]
    [result] = asked(v3, rich.customer["key"], features=asked_for)["data"]
    codes = {
        key: one.get("reason", {"code": None})["code"] for key, one in result["features"].items()
    }
    assert codes == {
        rich.keys["full"]: None,
        rich.keys["empty"]: "usage_limit_reached",
        other: "feature_unavailable",
        "nothing": "feature_not_found",
    }
    assert [one["has_access"] for one in result["features"].values()].count(True) == 1


def test_pages_hold_every_customer_once(v3: Client) -> None:
    customers = [v3.customer() for _ in range(3)]
    names = [one["key"] for one in reversed(customers)] + ["nobody"]
    pages, query = [], "?page[size]=2"
    while query:
        page = asked(v3, *names, query=query)
        pages.append(page)
        after = page["meta"]["page"]["next"]
        query = after and f"?page[size]=2&page[after]={after}"
    ids = [[result["customer"]["id"] for result in page["data"]] for page in pages]
    made = [one["id"] for one in customers]
    assert ids == [made[:2], made[2:]]
    assert [len(page["errors"]) for page in pages] == [1, 0]
    first, last = made[0], made[1]
    assert pages[0]["meta"] == {
        "page": {"size": 2, "first": first, "last": last, "next": last, "previous": None}
    }


def test_names_of_nobody_are_an_empty_answer(v3: Client) -> None:
    found = asked(v3, "nobody", "a'; --", "")
    assert (found["data"], len(found["errors"])) == ([], 3)
    assert found["meta"] == {"page": {"size": 20, "next": None, "previous": None}}


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({}, "customer", "required"),
        ({"customer": {"keys": []}}, "customer.keys", "min_items"),
        ({"customer": {"keys": ["a"] * 101}}, "customer.keys", "max_items"),
        ({"customer": {"keys": ["a\x00"]}}, "customer.keys.0", "invalid"),
        ({"customer": {"keys": ["\ud800"]}}, "customer.keys.0", "invalid"),
        ({"customer": {"keys": [1]}}, "customer.keys.0", "is_string"),
        ({"customer": {"ids": ["a"]}}, "customer.keys", "required"),
        ({"customer": {"keys": ["a"]}, "feature": {"keys": []}}, "feature.keys", "min_items"),
        ({"customer": {"keys": ["a"]}, "feature": {}}, "feature.keys", "required"),
        ({"customer": {"keys": ["a"]}, "features": {}}, "features", "unknown_property"),
        ({"customer": {"keys": ["a"]}, "include_credits": 7}, "include_credits", "is_boolean"),
    ],
)
def test_wrong_member_is_named_with_its_rule(
    v3: Client, body: object, field: str, rule: str
) -> None:
    assert Wrong(field, rule, "body") in wrong(v3.post(ACCESS, body))


@pytest.mark.parametrize(
    ("query", "field", "rule"),
    [
        ("page[size]=101", "page[size]", "max"),
        ("page[after]=x", "page[after]", "invalid"),
        ("page[after]=é", "page[after]", "invalid"),
        (f"page[before]={UNKNOWN}", "page[before]", "invalid"),
        ("page[number]=1", "page[number]", "unknown_property"),
    ],
)
def test_page_in_another_form_is_refused_by_its_name(
    v3: Client, query: str, field: str, rule: str
) -> None:
    answer = v3.post(f"{ACCESS}?{query}", {"customer": {"keys": ["a"]}})
    assert wrong(answer) == [Wrong(field, rule, "query")]
