"""Event lists by customer, and the customer of each event."""

import json
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from tests.support.metering import refusal
from tests.support.owners import Owners, Record, word
from tests.support.sending import Sender, event

TIME = "2024-01-01T00:00:00Z"
UNKNOWN_ID = "01HM6ZYX00000000000000000A"


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Owners]:
    with Owners(base_url) as owners:
        yield owners


def sent(sender: Sender, *subjects: str) -> str:
    """Type of new events of these subjects, one each."""
    kind: str = event()["type"]
    sender.accept([event(type=kind, subject=subject, time=TIME) for subject in subjects])
    return kind


def owners(items: list[Record]) -> dict[str, str | None]:
    """Subject → customer of the listed events."""
    return {item["event"]["subject"]: item.get("customerId") for item in items}


def listed_v1(api: Owners, *customers: Record) -> list[Record]:
    params = {"from": TIME, "customerId": [one["id"] for one in customers]}
    answer = api.http.get("/api/v1/events", params=params)
    assert answer.status_code == HTTPStatus.OK, answer.text
    items: list[Record] = answer.json()
    return items


def listed_v2(sender: Sender, kind: str, *customers: Record) -> list[Record]:
    condition = {"$in": [one["id"] for one in customers]}
    return sender.listed({"type": {"$eq": kind}, "customerId": condition})


def test_event_tells_the_customer_that_its_subject_belongs_to(api: Owners, sender: Sender) -> None:
    listed, nobody = word(), word()
    customer = api.customer(listed)
    kind = sent(sender, listed, customer["key"], customer["id"], nobody)
    found = owners(sender.listed({"type": {"$eq": kind}}))
    id_ = customer["id"]
    assert found == {listed: id_, customer["key"]: id_, id_: id_, nobody: None}
    items = api.http.get("/api/v1/events", params={"from": TIME, "subject": listed}).json()
    assert [item["customerId"] for item in items] == [id_]


def test_event_without_a_customer_has_no_such_member(sender: Sender) -> None:
    kind = sent(sender, word())
    [item] = sender.listed({"type": {"$eq": kind}})
    assert "customerId" not in item


def test_customers_of_today_decide(api: Owners, sender: Sender) -> None:
    subject = word()
    kind = sent(sender, subject)
    customer = api.customer(subject)
    for expected in (customer["id"], None):
        [item] = sender.listed({"type": {"$eq": kind}})
        assert item.get("customerId") == expected
        if expected:
            api.delete_customer(expected)


def test_key_of_a_customer_comes_before_a_listed_one(api: Owners, sender: Sender) -> None:
    subject = word()
    owner = api.customer(key=subject)
    lister = api.customer(subject)
    kind = sent(sender, subject)
    assert owners(listed_v1(api, owner, lister)) == {subject: owner["id"]}
    assert listed_v1(api, lister) == listed_v2(sender, kind, lister) == []


def test_filter_takes_the_events_of_any_of_the_customers(api: Owners, sender: Sender) -> None:
    first, second, other = word(), word(), word()
    customers = [api.customer(first), api.customer(second)]
    api.customer(other)
    kind = sent(sender, first, second, other, word(), customers[0]["key"])
    everything = {
        first: customers[0]["id"],
        customers[0]["key"]: customers[0]["id"],
        second: customers[1]["id"],
    }
    assert owners(listed_v1(api, *customers)) == everything
    assert owners(listed_v2(sender, kind, *customers)) == everything
    assert owners(listed_v2(sender, kind, customers[1])) == {second: customers[1]["id"]}


def test_customer_filter_of_nobody_takes_nothing(sender: Sender) -> None:
    kind = sent(sender, word())
    assert listed_v2(sender, kind) == []


def test_customer_filter_holds_together_with_the_others(api: Owners, sender: Sender) -> None:
    first, second = word(), word()
    customer = api.customer(first, second)
    kind = sent(sender, first, second)
    condition = {"$in": [customer["id"].lower()]}
    items = sender.listed(
        {"type": {"$eq": kind}, "subject": {"$eq": second}, "customerId": condition}
    )
    assert owners(items) == {second: customer["id"]}


def test_only_unknown_and_deleted_customers_are_named(api: Owners, sender: Sender) -> None:
    known, deleted = api.customer(), api.customer()
    api.delete_customer(deleted["id"])
    ids = [known["id"], UNKNOWN_ID.lower(), deleted["id"]]
    detail = (
        "validation error: validate input: customers not found in namespace default: "
        f"{UNKNOWN_ID.lower()}, {deleted['id']}"
    )
    v1 = api.http.get("/api/v1/events", params={"customerId": ids})
    v2 = sender.page(filter=json.dumps({"customerId": {"$in": ids}}))
    assert refusal(v1) == refusal(v2) == (400, detail)
