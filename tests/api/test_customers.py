"""Customers: created, read, replaced and deleted; whose key and whose subjects."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from tests.support.metering import refusal
from tests.support.owners import Owners, word

CUSTOMERS = "/api/v1/customers"
UNKNOWN_ID = "01HM6ZYX00000000000000000A"
ADDRESS = {
    "country": "US",
    "postalCode": "94103",
    "state": "CA",
    "city": "San Francisco",
    "line1": "1 Market Street",
    "line2": "Floor 2",
    "phoneNumber": "+1 555",
}
FULL: dict[str, Any] = {
    "name": "ACME Inc.",
    "description": "Of old",
    "primaryEmail": "not checked",
    "currency": "USD",
    "billingAddress": ADDRESS,
    "metadata": {"crm": "7"},
}


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Owners]:
    with Owners(base_url) as owners:
        yield owners


def described(customer: dict[str, Any]) -> dict[str, Any]:
    """Without what the server chose."""
    chosen = {"id", "createdAt", "updatedAt"}
    return {name: value for name, value in customer.items() if name not in chosen}


def conflict(api: Owners, *subject_keys: str, **members: object) -> str:
    status, detail = refusal(api.try_to_create_customer(*subject_keys, **members))
    assert status == HTTPStatus.CONFLICT
    return str(detail).removeprefix("conflict error: ")


def test_every_member_comes_back_with_subject_keys_in_order(api: Owners) -> None:
    key, first, second = word(), f"a{word()}", f"b{word()}"
    created = api.customer(second, first, second, key=key, **FULL)
    attribution = {"subjectKeys": [first, second]}
    assert described(created) == {"key": key, "usageAttribution": attribution, **FULL}
    assert len(created["id"]) == 26
    assert created["createdAt"] == created["updatedAt"]
    assert api.one("GET", "customers", key).json() == created


def test_unset_and_empty_members_are_left_out(api: Owners) -> None:
    key = word()
    created = api.customer(key=key, name="n", usageAttribution={"subjectKeys": []}, metadata={})
    assert described(created) == {"key": key, "name": "n"}


def test_key_or_subject_key_is_needed(api: Owners) -> None:
    assert api.customer(word(), key=None)["usageAttribution"]
    no_keys: dict[str, list[str]] = {"subjectKeys": []}
    for attribution in (None, no_keys):
        answer = api.try_to_create_customer(key=None, usageAttribution=attribution)
        reason = "validation error: usage attribution must have a key or subject keys"
        assert refusal(answer) == (400, reason)


def test_members_of_early_clients_are_ignored(api: Owners) -> None:
    """Those of 1.0.0-beta.185 have no key, and always one subject key."""
    subject = word()
    body = {
        "name": "n",
        "usageAttribution": {"subjectKeys": [subject]},
        "timezone": "Europe/Berlin",
        "external": {"stripeCustomerId": "cus_1"},
    }
    answer = api.post(CUSTOMERS, body)
    assert answer.status_code == HTTPStatus.CREATED
    attribution = {"subjectKeys": [subject]}
    assert described(answer.json()) == {"name": "n", "usageAttribution": attribution}


def test_customer_is_found_by_key_and_by_id_in_either_case(api: Owners) -> None:
    created = api.customer()
    for name in (created["key"], created["id"], created["id"].lower()):
        assert api.one("GET", "customers", name).json() == created


@pytest.mark.parametrize("key", ["a/b c", "ü/😀?#&=+", "a\nb", "x" * 256])
def test_key_may_hold_any_character(api: Owners, key: str) -> None:
    created = api.customer(key=key)
    assert api.one("GET", "customers", key).json() == created
    api.delete_customer(key)


@pytest.mark.parametrize("name", ["nobody", UNKNOWN_ID])
def test_unknown_customer_is_not_found(api: Owners, name: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        body = {"json": {"name": "n", "key": word()}} if method == "PUT" else {}
        answer = refusal(api.one(method, "customers", name, **body))
        assert answer == (404, f"not found error: customer not found: {name}")


def test_replacing_clears_what_is_left_out(api: Owners) -> None:
    created = api.customer(word(), **FULL)
    changed = api.replaced(created["id"], name="other", key=created["key"])
    assert described(changed) == {"name": "other", "key": created["key"]}
    assert changed["updatedAt"] > changed["createdAt"] == created["createdAt"]
    assert api.one("GET", "customers", created["id"]).json() == changed


def test_replacing_an_address_clears_what_it_leaves_out(api: Owners) -> None:
    created = api.customer(**FULL)
    changed = api.replaced(
        created["id"], name="n", key=created["key"], billingAddress={"city": "Bern"}
    )
    assert changed["billingAddress"] == {"city": "Bern"}


def test_replacing_changes_the_key_and_the_subject_keys(api: Owners) -> None:
    kept, dropped, added, key = word(), word(), word(), word()
    created = api.customer(kept, dropped)
    changed = api.replaced(
        created["key"], name="n", key=key, usageAttribution={"subjectKeys": [added, kept]}
    )
    assert changed["usageAttribution"] == {"subjectKeys": sorted([kept, added])}
    assert api.one("GET", "customers", created["key"]).status_code == HTTPStatus.NOT_FOUND
    assert api.customer(dropped, key=created["key"])


def test_replacing_with_what_it_has_is_no_conflict(api: Owners) -> None:
    subject = word()
    created = api.customer(subject, key=subject)
    assert api.replaced(created["id"], **described(created))["id"] == created["id"]


def test_replacing_keeps_the_rules_of_creation(api: Owners) -> None:
    created, other = api.customer(), api.customer(word())
    answer = api.one("PUT", "customers", created["id"], json={"name": "n"})
    assert refusal(answer)[0] == HTTPStatus.BAD_REQUEST
    answer = api.one("PUT", "customers", created["id"], json={"name": "n", "key": other["key"]})
    assert refusal(answer)[0] == HTTPStatus.CONFLICT
    assert api.one("GET", "customers", created["id"]).json() == created


def test_key_of_a_live_customer_is_a_conflict(api: Owners) -> None:
    key = api.customer()["key"]
    assert conflict(api, key=key) == f"a customer with the key {key} already exists"


def test_key_that_is_an_id_of_a_customer_is_a_conflict(api: Owners) -> None:
    created = api.customer()
    api.delete_customer(created["id"])
    for key in (created["id"], created["id"].lower()):
        assert conflict(api, key=key) == f"the key {key} is the id of another customer"


def test_key_that_is_a_subject_key_of_another_is_a_conflict(api: Owners) -> None:
    subject = word()
    api.customer(subject)
    reason = f"the key {subject} is a subject key of another customer"
    assert conflict(api, key=subject) == reason


def test_subject_key_of_another_is_a_conflict(api: Owners) -> None:
    first, second = sorted([word(), word()])
    api.customer(second, first)
    reason = f"another customer already has the subject keys: {first}, {second}"
    assert conflict(api, second, word(), first) == reason


def test_refused_customer_leaves_nothing(api: Owners) -> None:
    taken, key, subject = word(), word(), word()
    api.customer(taken)
    conflict(api, taken, subject, key=key)
    assert api.one("GET", "customers", key).status_code == HTTPStatus.NOT_FOUND
    assert api.one("GET", "subjects", subject).status_code == HTTPStatus.NOT_FOUND
    assert api.customer(subject, key=key)


def test_deleted_customer_is_found_by_id_with_the_keys_it_had(api: Owners) -> None:
    subject = word()
    created = api.customer(subject, **FULL)
    api.delete_customer(created["key"])
    assert api.one("GET", "customers", created["key"]).status_code == HTTPStatus.NOT_FOUND
    found = api.one("GET", "customers", created["id"]).json()
    assert found.pop("deletedAt") == found["updatedAt"] > created["updatedAt"]
    assert found == {**created, "updatedAt": found["updatedAt"]}


def test_deleted_customer_releases_its_key_and_subject_keys(api: Owners) -> None:
    subject = word()
    created = api.customer(subject)
    api.delete_customer(created["id"])
    again = api.customer(subject, key=created["key"])
    assert again["id"] != created["id"]


def test_deleted_customer_is_neither_changed_nor_deleted_again(api: Owners) -> None:
    created = api.customer()
    api.delete_customer(created["id"])
    reason = f"precondition failed error: customer is deleted: {created['id']}"
    assert refusal(api.one("DELETE", "customers", created["id"])) == (412, reason)
    body = {"name": "n", "key": word()}
    assert refusal(api.one("PUT", "customers", created["id"], json=body)) == (412, reason)
    assert refusal(api.one("DELETE", "customers", created["key"]))[0] == HTTPStatus.NOT_FOUND


def test_missing_subjects_are_created_with_their_customer(api: Owners) -> None:
    known, new, later = word(), word(), word()
    api.upsert({"key": known, "displayName": "Known"})
    created = api.customer(known, new)
    api.replaced(created["id"], name="n", usageAttribution={"subjectKeys": [known, later]})
    assert api.subject(known)["displayName"] == "Known"
    for key in (new, later):
        assert api.subject(key)["metadata"] == {"createdByCustomer": created["id"]}


def test_id_of_a_subject_is_no_subject_key(api: Owners) -> None:
    [subject] = api.upsert({"key": word()})
    for key in (subject["id"], subject["id"].lower()):
        answer = refusal(api.try_to_create_customer(key))
        assert answer == (400, f"validation error: subject keys are ids of subjects: {key}")


def test_subject_makes_no_customer(api: Owners) -> None:
    key = word()
    api.upsert({"key": key})
    assert api.one("GET", "customers", key).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("code", ["EUR", "JPY", "BHD"])
def test_known_currency_is_kept(api: Owners, code: str) -> None:
    assert api.customer(currency=code)["currency"] == code


@pytest.mark.parametrize("code", ["XXX", "XAU", "XTS", "ABC"])
def test_code_that_is_no_money_is_refused(api: Owners, code: str) -> None:
    answer = refusal(api.try_to_create_customer(currency=code))
    assert answer == (400, f"validation error: invalid currency: {code} is not known")


@pytest.mark.parametrize(
    ("member", "value", "place"),
    [
        ("name", "", "/name"),
        ("name", "x" * 257, "/name"),
        ("name", "a\0", "/name"),
        ("key", "", "/key"),
        ("key", "x" * 257, "/key"),
        ("key", "\ud800", "/key"),
        ("description", "x" * 1025, "/description"),
        ("primaryEmail", "x" * 1025, "/primaryEmail"),
        ("currency", "usd", "/currency"),
        ("currency", "US", "/currency"),
        ("currency", "USD\n", "/currency"),
        ("billingAddress", {"country": "us"}, "/billingAddress/country"),
        ("billingAddress", {"country": "USA"}, "/billingAddress/country"),
        ("billingAddress", {"city": "\0"}, "/billingAddress/city"),
        ("metadata", {"a": 1}, "/metadata/a"),
        ("metadata", {str(i): "" for i in range(101)}, "/metadata"),
        ("usageAttribution", {}, "/usageAttribution/subjectKeys"),
        ("usageAttribution", {"subjectKeys": [""]}, "/usageAttribution/subjectKeys/0"),
        ("usageAttribution", {"subjectKeys": ["\0"]}, "/usageAttribution/subjectKeys/0"),
        ("usageAttribution", {"subjectKeys": ["x" * 1025]}, "/usageAttribution/subjectKeys/0"),
        (
            "usageAttribution",
            {"subjectKeys": [f"{i}" for i in range(1001)]},
            "/usageAttribution/subjectKeys",
        ),
    ],
)
def test_wrong_member_is_refused_by_its_place(
    api: Owners, member: str, value: object, place: str
) -> None:
    status, detail = refusal(api.try_to_create_customer(**{member: value}))
    assert status == HTTPStatus.BAD_REQUEST
    assert f'Error at "{place}": ' in str(detail)


def test_name_is_needed(api: Owners) -> None:
    status, detail = refusal(api.post(CUSTOMERS, {"key": word()}))
    assert status == HTTPStatus.BAD_REQUEST
    assert 'Error at "/name": Field required' in str(detail)


def test_customer_may_have_a_thousand_subject_keys(api: Owners) -> None:
    keys = sorted(word() for _ in range(1000))
    assert api.customer(*keys)["usageAttribution"] == {"subjectKeys": keys}


@pytest.mark.parametrize("shared", ["key", "subject key", "key and subject key"])
def test_of_concurrent_creators_exactly_one_gets_what_all_want(api: Owners, shared: str) -> None:
    wanted = word()
    bodies: list[dict[str, Any]] = [
        {"name": "n", "key": wanted if shared == "key" else word()} for _ in range(12)
    ]
    for i, body in enumerate(bodies):
        if shared == "subject key" or (shared == "key and subject key" and i % 2):
            body["usageAttribution"] = {"subjectKeys": [word(), wanted]}
        elif shared == "key and subject key":
            body["key"] = wanted
    answers = api.at_once([("POST", CUSTOMERS, body) for body in bodies])
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {HTTPStatus.CREATED, HTTPStatus.CONFLICT}
    created = [body for body, status in zip(bodies, statuses, strict=True) if status == 201]
    # A subject key that is another's key is allowed, the other way round it is not.
    having_key = [body for body in created if body["key"] == wanted]
    listing = [body for body in created if body["key"] != wanted]
    assert len(having_key) <= 1
    assert len(listing) <= 1
    assert created


def test_concurrent_exchanges_of_subject_keys_neither_fail_nor_lose_any(api: Owners) -> None:
    """Two customers want each other's subject again and again: one waits, nobody is stuck."""
    first, second = word(), word()
    customers = [api.customer(first), api.customer(second)]
    for _ in range(5):
        bodies = [
            {"name": "n", "key": one["key"], "usageAttribution": {"subjectKeys": [key]}}
            for one, key in zip(customers, (second, first), strict=True)
        ]
        requests = [
            ("PUT", f"{CUSTOMERS}/{one['id']}", body)
            for one, body in zip(customers, bodies, strict=True)
        ]
        statuses = {answer.status_code for answer in api.at_once(requests)}
        assert statuses <= {HTTPStatus.OK, HTTPStatus.CONFLICT}
        customers.reverse()
    held = [
        key
        for one in customers
        for key in api.one("GET", "customers", one["id"]).json()["usageAttribution"]["subjectKeys"]
    ]
    assert sorted(held) == sorted({first, second})
