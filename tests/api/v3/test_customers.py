"""Customers in v3: made, read, replaced, deleted and listed; their events and their usage."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from tests.support.v3 import (
    CUSTOMERS,
    EVENTS,
    Client,
    Wrong,
    bracketed,
    failure,
    page_of,
    wrong,
)

UNKNOWN = "01HM6ZYX0000000000000000AB"
DETAILS: dict[str, Any] = {
    "name": "ACME Inc.",
    "description": "Who pays",
    "labels": {"team": "search"},
    "primary_email": "billing@acme.test",
    "currency": "USD",
    "billing_address": {"country": "US", "postal_code": "94103", "phone_number": "1"},
}


def subjects(*keys: str) -> dict[str, list[str]]:
    return {"subject_keys": list(keys)}


def test_customer_is_told_with_all_it_was_made_of(v3: Client) -> None:
    keys = sorted(uuid4().hex for _ in range(2))
    customer = v3.customer(**DETAILS, usage_attribution=subjects(*reversed(keys)))
    assert {**DETAILS, "usage_attribution": subjects(*keys)}.items() <= customer.items()
    assert page_of(v3.http.get(f"{CUSTOMERS}/{customer['id'].lower()}")) == customer


def test_unset_members_are_left_out(v3: Client) -> None:
    customer = v3.customer(usage_attribution=subjects())
    assert customer.keys() == {"id", "key", "name", "created_at", "updated_at"}


def test_it_is_the_same_customer_as_in_the_first_version(v3: Client) -> None:
    customer = v3.customer(**DETAILS)
    told = page_of(v3.http.get(f"/api/v1/customers/{customer['key']}"))
    assert (told["id"], told["metadata"]) == (customer["id"], DETAILS["labels"])
    assert told["billingAddress"]["phoneNumber"] == "1"


def test_customer_without_a_key_is_told_with_its_id(v3: Client) -> None:
    body = {"name": "Keyless", "usageAttribution": {"subjectKeys": [uuid4().hex]}}
    made = v3.post("/api/v1/customers", body).json()
    assert page_of(v3.http.get(f"{CUSTOMERS}/{made['id']}"))["key"] == made["id"]


@pytest.mark.parametrize(
    ("members", "field", "rule"),
    [
        ({"name": None}, "name", "is_string"),
        ({"key": ""}, "key", "min_length"),
        ({"key": "k" * 257}, "key", "max_length"),
        ({"key": "a\0b"}, "key", "invalid"),
        ({"currency": "usd"}, "currency", "matches_regex"),
        ({"currency": "ZZZ"}, "currency", "invalid"),
        ({"labels": {"a": "b!"}}, "labels.a", "matches_regex"),
        ({"usage_attribution": {}}, "usage_attribution.subject_keys", "required"),
        ({"usage_attribution": subjects("")}, "usage_attribution.subject_keys.0", "min_length"),
        ({"billing_address": {"country": "USA"}}, "billing_address.country", "max_length"),
        ({"billing_address": {"postalCode": "1"}}, "billing_address.postalCode",
         "unknown_property"),
        ({"metadata": {}}, "metadata", "unknown_property"),
    ],
)  # fmt: skip
def test_wrong_member_is_named_with_its_rule(
    v3: Client, members: dict[str, object], field: str, rule: str
) -> None:
    answer = v3.post(CUSTOMERS, {"key": uuid4().hex, "name": "n", **members})
    assert wrong(answer) == [Wrong(field, rule, "body")]


def test_name_and_key_are_required(v3: Client) -> None:
    problems = wrong(v3.post(CUSTOMERS, {}))
    assert problems == [Wrong("name", "required", "body"), Wrong("key", "required", "body")]


def test_key_and_subject_keys_that_are_taken_are_conflicts(v3: Client) -> None:
    taken = v3.customer(usage_attribution=subjects(uuid4().hex))
    for members in ({"key": taken["key"]}, {"usage_attribution": taken["usage_attribution"]}):
        answer = v3.post(CUSTOMERS, {"key": uuid4().hex, "name": "n", **members})
        assert failure(answer)[0] == 409


def test_replacing_clears_what_is_left_out_but_for_the_key(v3: Client) -> None:
    customer = v3.customer(**DETAILS, usage_attribution=subjects(uuid4().hex))
    url = f"{CUSTOMERS}/{customer['id']}"
    changed = page_of(v3.http.put(url, json={"name": "Other"}))
    assert changed.keys() == {"id", "key", "name", "created_at", "updated_at"}
    assert (changed["key"], changed["name"]) == (customer["key"], "Other")
    assert page_of(v3.http.get(url)) == changed


def test_replacing_does_not_take_a_key(v3: Client) -> None:
    answer = v3.http.put(f"{CUSTOMERS}/{v3.customer()['id']}", json={"name": "n", "key": "k"})
    assert wrong(answer) == [Wrong("key", "unknown_property", "body")]


def test_replacing_leaves_a_customer_some_usage(v3: Client) -> None:
    body = {"name": "Keyless", "usageAttribution": {"subjectKeys": [uuid4().hex]}}
    made = v3.post("/api/v1/customers", body).json()
    answer = v3.http.put(f"{CUSTOMERS}/{made['id']}", json={"name": "n"})
    assert wrong(answer) == [Wrong("body", "invalid", "body")]


def test_deleted_customer_is_told_by_id_and_gone_otherwise(v3: Client) -> None:
    customer = v3.customer()
    url = f"{CUSTOMERS}/{customer['id']}"
    deleted = v3.http.delete(url)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert page_of(v3.http.get(url))["deleted_at"]
    assert failure(v3.http.put(url, json={"name": "n"}))[0] == 410
    assert failure(v3.http.delete(url))[0] == 410
    assert v3.page(CUSTOMERS, filter__key=customer["key"])["data"] == []


def test_customer_is_found_by_its_id_alone(v3: Client) -> None:
    answer = v3.http.get(f"{CUSTOMERS}/{v3.customer()['key']}")
    assert wrong(answer) == [Wrong("customerId", "matches_regex", "path")]
    url = f"{CUSTOMERS}/{UNKNOWN}"
    for answer in (v3.http.get(url), v3.http.put(url, json={"name": "n"}), v3.http.delete(url)):
        assert failure(answer) == (404, "The requested customer was not found")


@pytest.fixture(scope="module")
def four(v3: Client) -> str:
    """Start of the keys of four customers, made in the order c, a, d, b."""
    start = uuid4().hex
    for end, name, members in (
        ("c", "zeta", {"primary_email": "c@x.test"}),
        ("a", "Alpha", {"usage_attribution": subjects(f"{start}-s1", f"{start}-s2")}),
        ("d", "beta", {"primary_email": "D@x.test"}),
        ("b", "alpha", {"usage_attribution": subjects(f"{start}-s3")}),
    ):
        v3.customer(key=f"{start}-{end}", name=name, **members)
    return start


def listed(v3: Client, start: str, **parameters: str) -> str:
    page = v3.page(CUSTOMERS, filter__key__contains=start, **parameters)
    return "".join(one["key"][-1] for one in page["data"])


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", "abdc"),
        ("name desc", "cdba"),
        ("id", "cadb"),
        ("created_at desc", "bdac"),
        ("updated_at asc", "cadb"),
    ],
)
def test_sort_is_by_any_of_four_members(v3: Client, four: str, sort: str, expected: str) -> None:
    assert listed(v3, four, sort=sort) == expected
    assert listed(v3, four) == "abdc"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"filter__name": "alpha"}, "b"),
        ({"filter__name__contains": "ALPHA"}, "ab"),
        ({"filter__primary_email__exists": "true"}, "dc"),
        ({"filter__primary_email__exists": "false"}, "ab"),
        ({"filter__primary_email__neq": "c@x.test"}, "abd"),
        ({"filter__plan_key": "any"}, ""),
        ({"filter__plan_key__exists": "false"}, "abdc"),
        ({"filter__billing_profile_id": UNKNOWN}, ""),
        ({"filter__billing_profile_id__neq": UNKNOWN}, "abdc"),
    ],
)
def test_filters_take_what_they_say(
    v3: Client, four: str, filters: dict[str, str], expected: str
) -> None:
    assert listed(v3, four, **filters) == expected


@pytest.mark.parametrize(
    ("operator", "end", "expected"),
    [
        ("eq", "-s2", "a"),
        ("neq", "-s2", "bdc"),
        ("contains", "-S", "ab"),
        ("gt", "-s1", "ab"),
        ("gt", "-s2", "b"),
    ],
)
def test_filter_of_subject_keys_is_about_any_of_them(
    v3: Client, four: str, operator: str, end: str, expected: str
) -> None:
    filters = {f"filter__usage_attribution_subject_key__{operator}": four + end}
    assert listed(v3, four, **filters) == expected


def test_customers_without_subject_keys_are_found(v3: Client, four: str) -> None:
    name = "filter__usage_attribution_subject_key__exists"
    assert listed(v3, four, **{name: "false"}) == "dc"
    assert listed(v3, four, **{name: "true"}) == "ab"


def test_pages_hold_every_customer_once(v3: Client, four: str) -> None:
    pages = [listed(v3, four, page__size="3", page__number=number) for number in ("1", "2", "3")]
    assert pages == ["abd", "c", ""]
    page = v3.page(CUSTOMERS, filter__key__contains=four, page__size="3", page__number="2")
    assert page["meta"] == {"page": {"number": 2, "size": 3, "total": 4}}


@pytest.mark.parametrize(
    ("parameters", "field", "rule"),
    [
        ({"sort": "key"}, "sort", "matches_regex"),
        ({"filter__email": "x"}, "filter[email]", "unknown_property"),
        ({"filter__billing_profile_id": "x"}, "filter[billing_profile_id][eq]", "matches_regex"),
        ({"page__size": "1001"}, "page[size]", "max"),
    ],
)
def test_parameter_in_another_form_is_refused_by_its_name(
    v3: Client, parameters: dict[str, str], field: str, rule: str
) -> None:
    answer = v3.http.get(CUSTOMERS, params=bracketed(parameters))
    assert wrong(answer) == [Wrong(field, rule, "query")]


def test_event_tells_its_customer_and_is_found_by_it(v3: Client) -> None:
    of_subject, of_key = v3.customer(usage_attribution=subjects(uuid4().hex)), v3.customer()
    [subject] = of_subject["usage_attribution"]["subject_keys"]
    kind = uuid4().hex
    for name in (subject, of_key["key"], uuid4().hex):
        v3.send({"subject": name, "type": kind})
    first, second, others = of_subject["id"], of_key["id"], None

    def owners(**filters: str) -> list[str | None]:
        items = v3.page(EVENTS, filter__type=kind, sort="ingested_at asc", **filters)["data"]
        return [item.get("customer", {"id": None})["id"] for item in items]

    assert owners() == [first, second, others]
    assert owners(filter__customer_id=first) == [first]
    assert owners(filter__customer_id__oeq=f"{first},{second}") == [first, second]
    assert owners(filter__customer_id__neq=first) == [second, others]
    assert owners(filter__customer_id__neq=first, filter__customer_id__oeq=second) == [second]


@pytest.mark.parametrize("operator", ["eq", "oeq", "neq"])
def test_events_of_an_unknown_customer_are_refused(v3: Client, operator: str) -> None:
    answer = v3.http.get(EVENTS, params={f"filter[customer_id][{operator}]": UNKNOWN})
    assert wrong(answer) == [Wrong(f"filter[customer_id][{operator}]", "invalid", "query")]


def filtered(dimensions: Mapping[str, object]) -> dict[str, object]:
    return {"filters": {"dimensions": dimensions}}


def test_usage_is_grouped_by_the_customers_asked_for(v3: Client) -> None:
    ann = v3.customer(name='Ann, "A"', usage_attribution=subjects(uuid4().hex))
    bob = v3.customer(name="Bob")
    [other_key] = ann["usage_attribution"]["subject_keys"]
    meter = v3.create("sum", dimensions={"model": "$.model"})
    for subject, value in ((ann["key"], 1), (other_key, 2), (bob["key"], 4), (uuid4().hex, 8)):
        data = {"v": value, "model": "m"}
        kind, time = meter["event_type"], "2024-01-01T00:00:30Z"
        v3.send({"subject": subject, "type": kind, "time": time, "data": data})
    both = filtered({"customer_id": {"in": [bob["id"], ann["id"].lower()]}})
    rows = v3.rows(meter, {**both, "group_by_dimensions": ["model"]})
    assert [(list(row["dimensions"].items()), row["value"]) for row in rows] == [
        ([("customer_id", ann["id"]), ("model", "m")], "3"),
        ([("customer_id", bob["id"]), ("model", "m")], "4"),
    ]
    one = {"customer_id": {"eq": ann["id"]}, "subject": {"in": [other_key, bob["key"]]}}
    [row] = v3.rows(meter, {**filtered(one), "group_by_dimensions": ["customer_id"]})
    assert row["value"] == "2"
    assert row["dimensions"] == {"subject": other_key, "customer_id": ann["id"]}
    assert v3.query(meter, both, accept="text/csv").text == (
        "from,to,customer_id,customer_key,customer_name,value\n"
        "2024-01-01T00:00:00Z,2024-01-01T00:01:00Z,"
        f'{ann["id"]},{ann["key"]},"Ann, ""A""",3\n'
        "2024-01-01T00:00:00Z,2024-01-01T00:01:00Z,"
        f"{bob['id']},{bob['key']},Bob,4\n"
    )


def test_usage_of_an_unknown_customer_is_not_found(v3: Client) -> None:
    answer = v3.query(v3.create(), filtered({"customer_id": {"eq": UNKNOWN}}))
    assert failure(answer) == (404, f"Not Found: customer with id {UNKNOWN} not found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"group_by_dimensions": ["customer_id"]}, "group_by_dimensions.0"),
        (filtered({"customer_id": {"neq": UNKNOWN}}), "filters.dimensions.customer_id"),
        (filtered({"customer_id": {}}), "filters.dimensions.customer_id"),
    ],
)
def test_customers_are_asked_for_by_eq_or_in(v3: Client, body: object, field: str) -> None:
    assert wrong(v3.query(v3.create(), body)) == [Wrong(field, "invalid", "body")]
