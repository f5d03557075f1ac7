"""Check and consume in one step."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.support.consuming import SINCE_YESTERDAY, Consuming
from tests.support.entitling import MINUTE, ago, found, this_minute, wire
from tests.support.metering import refusal

NOTHING_TAKEN = ("balance", "usage", "overage", "totalAvailableGrantAmount")


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Consuming]:
    with Consuming(base_url) as client:
        yield client


def numbers(decision: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(decision[name] for name in NOTHING_TAKEN)


def refused(answer: httpx.Response, field: str) -> str:
    """The message of a 400 that names the field."""
    assert answer.status_code == HTTPStatus.BAD_REQUEST, answer.text
    [error] = answer.json()["extensions"]["validationErrors"]
    assert error["field"] == field
    message: str = error["message"]
    return message


def test_what_credit_covers_is_allowed_and_is_in_the_next_value(api: Consuming) -> None:
    who, key = api.limited(100)
    assert api.consume(who, key, amount=60) == {
        "allowed": True, "hasAccess": True, "amount": 60, "exceedsLimit": False,
        "duplicate": False, "balance": 40, "usage": 60, "overage": 0,
        "totalAvailableGrantAmount": 100,
    }  # fmt: skip
    assert api.worth(who, key) == {
        "hasAccess": True, "balance": 40, "usage": 60, "overage": 0,
        "totalAvailableGrantAmount": 100,
    }  # fmt: skip


def test_what_credit_does_not_cover_is_denied_and_nothing_is_stored(api: Consuming) -> None:
    who, key = api.limited(100)
    api.consume(who, key, amount=60)
    decision = api.consume(who, key, amount="40.01")
    assert (decision["allowed"], decision["exceedsLimit"]) == (False, True)
    assert numbers(decision) == (40, 60, 0, 100)
    assert api.worth(who, key)["usage"] == 60
    assert len(api.events_of(who)) == 1


def test_last_bit_of_credit_is_allowed_and_leaves_no_access(api: Consuming) -> None:
    who, key = api.limited(1)
    assert [api.consume(who, key, amount=part)["allowed"] for part in ("0.1", "0.2", "0.7")] == [
        True, True, True,
    ]  # fmt: skip
    assert api.worth(who, key)["hasAccess"] is False
    assert api.consume(who, key, amount="0.0001")["allowed"] is False


def test_soft_limit_allows_and_says_so(api: Consuming) -> None:
    who, key = api.limited(100, isSoftLimit=True)
    decision = api.consume(who, key, amount=130)
    assert (decision["allowed"], decision["exceedsLimit"], decision["hasAccess"]) == (
        True, True, True,
    )  # fmt: skip
    assert numbers(decision) == (0, 130, 30, 100)


def test_nothing_may_always_be_taken_and_counts_nothing(api: Consuming) -> None:
    who, key = api.limited(0)
    decision = api.consume(who, key, amount=0)
    assert (decision["allowed"], decision["hasAccess"]) == (True, False)
    assert len(api.events_of(who)) == 1


def test_dry_run_decides_and_stores_nothing(api: Consuming) -> None:
    who, key = api.limited(100)
    assert api.consume(who, key, amount=60, dryRun=True)["balance"] == 40
    assert api.consume(who, key, amount=101, dryRun=True)["allowed"] is False
    assert api.events_of(who) == []
    assert api.worth(who, key)["balance"] == 100


def test_retry_is_told_the_first_decision_and_counts_nothing(api: Consuming) -> None:
    who, key = api.limited(100)
    first = api.consume(who, key, id="one", source=who, amount=60)
    api.consume(who, key, amount=30)
    again = api.consume(who, key, id="one", source=who, amount=60)
    assert again == {**first, "duplicate": True}
    # Whatever else it says: it is the same event.
    assert api.consume(who, key, id="one", source=who, amount=1) == again
    assert api.consume(who, key, id="one", source=who, amount=1, time=ago(days=300)) == again
    assert api.worth(who, key)["usage"] == 90


def test_retry_of_what_was_denied_is_decided_anew(api: Consuming) -> None:
    who, key = api.limited(10)
    assert api.consume(who, key, id="one", source=who, amount=20)["allowed"] is False
    api.grant(who, key, amount=10)
    decision = api.consume(who, key, id="one", source=who, amount=20)
    assert (decision["allowed"], decision["duplicate"]) == (True, False)


def test_event_that_was_ingested_is_not_consumed(api: Consuming) -> None:
    who, key = api.limited(100)
    event = {"specversion": "1.0", "id": "one", "source": who, "type": "x", "subject": who}
    assert api.post("/api/v1/events", event).status_code == HTTPStatus.NO_CONTENT
    for dry in (True, False):
        status, detail = refusal(
            api.try_to_consume(who, key, id="one", source=who, amount=1, dryRun=dry)
        )
        assert status == HTTPStatus.CONFLICT
        assert "was ingested, not consumed" in str(detail)
    assert api.worth(who, key)["usage"] == 0


def test_event_that_was_consumed_elsewhere_is_a_conflict_that_names_where(api: Consuming) -> None:
    who, key = api.limited(100)
    other, other_key = api.limited(100)
    api.consume(who, key, id="one", source=who, amount=1)
    answer = api.try_to_consume(other, other_key, id="one", source=who, amount=1)
    assert answer.status_code == HTTPStatus.CONFLICT
    entitlement = found(api.http.get(f"{api.path(who)}/{key}"))
    assert answer.json()["extensions"]["conflictingEntityId"] == entitlement["id"]
    assert api.worth(other, other_key)["usage"] == 0


def test_consumed_event_that_is_ingested_again_is_a_duplicate(api: Consuming) -> None:
    who, key = api.limited(100)
    api.consume(who, key, id="one", source=who, amount=1)
    event = {"specversion": "1.0", "id": "one", "source": who, "type": "x", "subject": who}
    told = api.http.post("/api/v1/events", json=event, headers={"prefer": "return=representation"})
    assert found(told)["duplicate"] == 1


def test_stored_event_is_an_ordinary_one(api: Consuming) -> None:
    meter = api.create("SUM", valueProperty="$.use.tokens", groupBy={"model": "$.model"})
    who, feature = f"s-{uuid4().hex}", api.feature(meter)
    api.entitle(who, feature, issueAfterReset=100)
    before = wire(this_minute())
    api.consume(who, feature["key"], id="one", source=who, amount="12.50", data={"model": "m"})
    [listed] = api.events_of(who)
    event = listed["event"]
    assert "validationError" not in listed
    assert event["time"] >= before
    assert {name: event[name] for name in ("id", "source", "type", "subject", "data")} == {
        "id": "one", "source": who, "type": meter["eventType"], "subject": who,
        "data": {"use": {"tokens": event["data"]["use"]["tokens"]}, "model": "m"},
    }  # fmt: skip
    assert str(event["data"]["use"]["tokens"]) == "12.5"
    assert str(api.value(meter)) == "12.5"


@pytest.mark.parametrize(
    ("members", "amount"),
    [
        ({"amount": 7}, 7),
        ({"amount": "7"}, 7),
        ({"data": {"v": 7}}, 7),
        ({"data": {"v": "7e0"}}, 7),
        ({"data": {"v": "7"}, "amount": "7.0"}, 7),
        ({"data": {"w": {}}, "amount": 7}, 7),
        ({"data": {}, "amount": 7}, 7),
    ],
)
def test_amount_is_told_or_in_data_or_both(
    api: Consuming, members: dict[str, Any], amount: int
) -> None:
    who, key = api.limited(100)
    assert api.consume(who, key, **members)["amount"] == amount
    assert api.worth(who, key)["usage"] == amount


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({}, "/amount"),
        ({"data": {"w": 1}}, "/amount"),
        ({"data": {"v": None}}, "/amount"),
        ({"data": {"v": 6}, "amount": 7}, "/amount"),
        ({"data": {"v": None}, "amount": 7}, "/data"),
        ({"data": {"v": "six"}, "amount": 7}, "/data"),
        ({"data": {"v": -1}}, "/data"),
        ({"data": {"v": "0." + "1" * 90 + "e-999"}}, "/data"),
        ({"amount": -1}, "/amount"),
        ({"amount": "-0.1"}, "/amount"),
        ({"amount": "seven"}, "/amount"),
        ({"amount": True}, "/amount"),
        ({"amount": [7]}, "/amount"),
        ({"amount": "1" * 101}, "/amount"),
        ({"amount": 10**1000}, "/amount"),
        ({"amount": 10**4000}, "/amount"),
        ({"id": "", "amount": 1}, "/id"),
        ({"id": 7, "amount": 1}, "/id"),
        ({"source": "", "amount": 1}, "/source"),
        ({"source": "a\0b", "amount": 1}, "/source"),
        ({"source": "\ud800", "amount": 1}, "/source"),
        ({"id": "x" * 1025, "amount": 1}, "/id"),
        ({"type": "another", "amount": 1}, "/type"),
        ({"subject": "another", "amount": 1}, "/subject"),
        ({"subject": "", "amount": 1}, "/subject"),
        ({"specversion": "9", "amount": 1}, "/specversion"),
        ({"data": [], "amount": 1}, "/data"),
        ({"data": {"a": "\0"}, "amount": 1}, "/data"),
        ({"data": {"a": "x" * 262_144}, "amount": 1}, "/data"),
        ({"data": json.loads("[" * 70 + "]" * 70), "amount": 1}, "/data"),
        ({"data_base64": "AA==", "amount": 1}, "/data_base64"),
        ({"time": "yesterday", "amount": 1}, "/time"),
        ({"time": wire(this_minute() + 10 * MINUTE), "amount": 1}, "/time"),
        ({"time": ago(days=2), "amount": 1}, "/time"),
        ({"dryRun": "yes", "amount": 1}, "/dryRun"),
    ],
)
def test_wrong_consumption_is_refused_by_field_and_nothing_is_stored(
    api: Consuming, members: dict[str, Any], field: str
) -> None:
    who, key = api.limited(100)
    refused(api.try_to_consume(who, key, **members), field)
    assert api.events_of(who) == []


@pytest.mark.parametrize("body", ["", "[]", "7", "{", "null", '{"id":"a"}', '{"a":"\udcff"}'])
def test_body_that_is_no_consumption_is_refused(api: Consuming, body: str) -> None:
    who, key = api.limited(100)
    content = body.encode(errors="surrogateescape")
    headers = {"content-type": "application/json"}
    answer = api.http.post(f"{api.path(who)}/{key}/consume", content=content, headers=headers)
    assert refusal(answer)[0] == HTTPStatus.BAD_REQUEST


def test_body_of_another_type_is_refused(api: Consuming) -> None:
    who, key = api.limited(100)
    headers = {"content-type": "text/plain"}
    answer = api.http.post(f"{api.path(who)}/{key}/consume", content="{}", headers=headers)
    assert "invalid content type: text/plain" in str(refusal(answer)[1])


def test_count_takes_one(api: Consuming) -> None:
    who, key = api.limited(3, "COUNT")
    assert [api.consume(who, key, amount=one)["balance"] for one in (None, 1, "1.0")] == [2, 1, 0]
    assert api.consume(who, key)["allowed"] is False
    assert "counts 1" in refused(api.try_to_consume(who, key, amount=2), "/amount")


@pytest.mark.parametrize("aggregation", ["UNIQUE_COUNT", "LATEST"])
def test_what_one_event_has_no_amount_of_is_refused(api: Consuming, aggregation: str) -> None:
    who, key = api.limited(3, aggregation)
    status, detail = refusal(api.try_to_consume(who, key, amount=1))
    assert status == HTTPStatus.BAD_REQUEST
    assert "ingest the event, and ask for the value" in str(detail)


def test_amount_is_not_written_into_what_is_there(api: Consuming) -> None:
    meter = api.create("SUM", valueProperty="$.use[0].tokens")
    who, feature = f"s-{uuid4().hex}", api.feature(meter)
    api.entitle(who, feature, issueAfterReset=100)
    refused(api.try_to_consume(who, feature["key"], amount=1), "/data")
    data = {"use": [{"tokens": 5}]}
    assert api.consume(who, feature["key"], amount=5, data=data)["balance"] == 95


def test_event_must_pass_the_filters_of_the_feature(api: Consuming) -> None:
    meter = api.create("SUM", groupBy={"model": "$.model"})
    who = f"s-{uuid4().hex}"
    feature = api.feature(meter, meterGroupByFilters={"model": "gpt-4"})
    api.entitle(who, feature, issueAfterReset=100)
    wrong = api.try_to_consume(who, feature["key"], amount=1, data={"model": "gpt-3"})
    assert "filter of model" in refused(wrong, "/data")
    assert api.consume(who, feature["key"], amount=1, data={"model": "gpt-4"})["balance"] == 99


def test_late_event_is_paid_by_the_credit_of_its_time(api: Consuming) -> None:
    who, made, _ = api.metered(**{**SINCE_YESTERDAY, "measureUsageFrom": ago(days=3)})
    past = {"effectiveAt": ago(days=3), "expiration": {"duration": "DAY", "count": 1}}
    api.grant(who, made["id"], amount=10, **past)
    api.grant(who, made["id"], amount=5, effectiveAt=ago(hours=1))
    late = api.consume(who, made["id"], amount=10, time=ago(days=2.5))
    assert (late["allowed"], late["balance"], late["usage"]) == (True, 5, 10)
    # More than that is a debt until now, and paid by what there is now.
    assert api.consume(who, made["id"], amount=6, time=ago(days=2.5))["allowed"] is False
    assert api.consume(who, made["id"], amount=5, time=ago(days=2.5))["balance"] == 0
    assert api.worth(who, made["id"])["usage"] == 15


def test_subject_may_be_named_by_its_record_or_in_the_body(api: Consuming) -> None:
    names = [f"s-{uuid4().hex}" for _ in range(2)]
    customer = api.customer(usageAttribution={"subjectKeys": names})
    feature = api.feature(api.create("SUM"))
    api.entitle(names[0], feature, issueAfterReset=100)
    records = {one["key"]: one["id"] for one in found(api.http.get("/api/v1/subjects"))}
    api.consume(records[names[0]], feature["key"], amount=1)
    api.consume(names[0], feature["key"], amount=2, subject=names[1])
    api.consume(names[0], feature["key"], amount=4, subject=customer["key"])
    of_customer = f"/api/v1/customers/{customer['id']}/entitlements/{feature['key']}/consume"
    made = found(api.post(of_customer, {"id": uuid4().hex, "source": "test", "amount": 8}))
    assert made["usage"] == 15
    used = {name: api.events_of(name) for name in (*names, customer["key"])}
    amounts = {name: [one["event"]["data"]["v"] for one in all_] for name, all_ in used.items()}
    assert amounts == {names[0]: [1], names[1]: [2], customer["key"]: [8, 4]}


def test_customer_without_a_key_consumes_as_its_first_subject(api: Consuming) -> None:
    names = sorted(f"s-{uuid4().hex}" for _ in range(2))
    body = {"name": "No key", "usageAttribution": {"subjectKeys": names}}
    customer = api.made(api.post("/api/v1/customers", body))
    feature = api.feature(api.create("SUM"))
    api.entitle(names[1], feature, issueAfterReset=100)
    path = f"/api/v1/customers/{customer['id']}/entitlements/{feature['key']}/consume"
    found(api.post(path, {"id": uuid4().hex, "source": "test", "amount": 8}))
    assert len(api.events_of(names[0])) == 1


def test_entitlement_of_another_type_cannot_be_consumed(api: Consuming) -> None:
    who, feature = f"s-{uuid4().hex}", api.feature(api.create("SUM"))
    api.entitle(who, feature, type="boolean", usagePeriod=None)
    status, detail = refusal(api.try_to_consume(who, feature["key"], amount=1))
    assert status == HTTPStatus.BAD_REQUEST
    assert "expected entitlement type metered but got boolean" in str(detail)


def test_unknown_entitlement_or_customer_is_not_found_and_a_deleted_customer_is_told(
    api: Consuming,
) -> None:
    event = {"id": uuid4().hex, "source": "test", "amount": 1}
    assert api.try_to_consume("nobody", "nothing", amount=1).status_code == HTTPStatus.NOT_FOUND
    unknown = api.post("/api/v1/customers/nobody/entitlements/nothing/consume", event)
    assert unknown.status_code == HTTPStatus.NOT_FOUND
    customer = api.customer()
    assert api.http.delete(f"/api/v1/customers/{customer['id']}").is_success
    path = f"/api/v1/customers/{customer['id']}/entitlements/nothing/consume"
    assert api.post(path, event).status_code == HTTPStatus.PRECONDITION_FAILED


def test_entitlement_of_an_archived_feature_is_consumed_on(api: Consuming) -> None:
    who, key = api.limited(100)
    assert api.http.delete(f"/api/v1/features/{key}").is_success
    assert api.consume(who, key, amount=1)["balance"] == 99


def test_entitlement_that_was_replaced_allows_nothing(api: Consuming) -> None:
    who, feature = f"s-{uuid4().hex}", api.feature(api.create("SUM"))
    old = api.entitle(who, feature, issueAfterReset=100)
    body = {
        "type": "metered", "featureKey": feature["key"], "usagePeriod": {"interval": "MONTH"},
    }  # fmt: skip
    api.made(api.http.put(f"{api.path(who)}/{old['id']}/override", json=body))
    assert api.consume(who, old["id"], amount=1) == {
        "allowed": False, "hasAccess": False, "amount": 1, "exceedsLimit": False,
        "duplicate": False,
    }  # fmt: skip


def test_measurement_that_begins_later_has_nothing_to_consume(api: Consuming) -> None:
    who, key = api.limited(100, measureUsageFrom=wire(this_minute() + 60 * MINUTE))
    status, detail = refusal(api.try_to_consume(who, key, amount=1))
    assert status == HTTPStatus.BAD_REQUEST
    assert "usage is measured from" in str(detail)


def test_reset_makes_room(api: Consuming) -> None:
    who, key = api.limited(100)
    api.consume(who, key, amount=100, time=ago(hours=1))
    assert api.consume(who, key, amount=1)["allowed"] is False
    assert api.post(f"{api.path(who)}/{key}/reset", {}).status_code == HTTPStatus.NO_CONTENT
    assert api.consume(who, key, amount=1)["balance"] == 99
    refused(api.try_to_consume(who, key, amount=1, time=ago(hours=1)), "/time")


def test_events_that_are_ingested_count_too(api: Consuming) -> None:
    who, made, meter = api.metered(issueAfterReset=100)
    api.use(meter, who, 95)
    assert api.consume(who, made["featureKey"], amount=6)["allowed"] is False
    api.use(meter, who, 15)
    decision = api.consume(who, made["featureKey"], amount=0)
    assert (decision["allowed"], decision["overage"]) == (True, 10)
