"""`/entitled`: an event comes in if its account's entitlement has enough left for it."""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from tests.support.entitling import now, wire
from tests.support.togai import Togai

EVENTS = {"aggregation": "COUNT", "valueProperty": None}


@pytest.fixture
def account(togai: Togai) -> str:
    return str(togai.account()["id"])


def made(togai: Togai, path: str, **body: Any) -> Any:
    said = {name: one for name, one in body.items() if one is not None}
    answer = togai.http.post(f"/api/v1{path}", json=said)
    assert answer.status_code == HTTPStatus.CREATED or "slug" in answer.json(), answer.text
    return answer.json()


def entitled(togai: Togai, account: str, amount: int, **meter: Any) -> str:
    """The key of a feature of which the account has an amount, from now on for a month."""
    key = f"f_{uuid4().hex}"
    usual = {"slug": key, "eventType": togai.schema, "aggregation": "SUM",
             "valueProperty": "$.attributes.bytes"}  # fmt: skip
    made(togai, "/meters", **{**usual, **meter})
    made(togai, "/features", key=key, name="Bytes", meterSlug=key)
    made(
        togai, f"/subjects/{account}/entitlements", type="metered", featureKey=key,
        usagePeriod={"interval": "MONTH"}, issueAfterReset=amount,
    )  # fmt: skip
    return key


def recent(togai: Togai, account: str, size: str, **members: Any) -> dict[str, Any]:
    """Of this moment: after what was entitled before."""
    return togai.event(account, {"bytes": size}, timestamp=wire(now()), **members)


def status(togai: Togai, event: dict[str, Any]) -> list[str]:
    told = togai.told("GET", f"/events/{event['id']}")["events"]
    statuses = [one["ingestionStatus"]["status"] for one in told]
    return [one.removeprefix("INGESTION_") for one in statuses]


def left(togai: Togai, account: str, key: str) -> float:
    path = f"/api/v1/subjects/{account}/entitlements/{key}/value"
    return float(togai.http.get(path).json()["balance"])


def test_it_comes_in_while_something_is_left(togai: Togai, account: str) -> None:
    key, meter = entitled(togai, account, 10), togai.active()
    event = recent(togai, account, "7.5")
    assert togai.told("POST", "/entitled", event=event) == {"success": True}
    assert togai.units(event["id"])[meter] == togai.used(meter)
    assert (status(togai, event), left(togai, account, key)) == (["COMPLETED_EVENT_METERED"], 2.5)
    assert togai.told("POST", "/entitled", event=event) == {"success": True}
    assert (status(togai, event), left(togai, account, key)) == (["COMPLETED_EVENT_METERED"], 2.5)
    more = recent(togai, account, "2.6")
    assert "too little left" in togai.refused("POST", "/entitled", 403, event=more)
    assert status(togai, more) == ["FAILED_INSUFFICIENT_CREDITS"]
    assert left(togai, account, key) == 2.5
    less = {**more, "attributes": [{"name": "bytes", "value": "2.5"}]}
    togai.told("POST", "/entitled", event=less)
    assert status(togai, more) == ["COMPLETED_EVENT_METERED", "FAILED_INSUFFICIENT_CREDITS"]


def test_without_an_entitlement_it_stays_out(togai: Togai, account: str) -> None:
    event = recent(togai, account, "1")
    assert "no entitlement" in togai.refused("POST", "/entitled", 403, event=event)
    entitled(togai, account, 10, eventType=uuid4().hex)
    assert "no entitlement" in togai.refused("POST", "/entitled", 403, event=event)
    assert status(togai, event) == ["FAILED_INSUFFICIENT_CREDITS"] * 2


def test_it_consumes_of_one_feature(togai: Togai, account: str) -> None:
    keys = sorted(entitled(togai, account, 10, **one) for one in ({}, EVENTS))
    event = recent(togai, account, "1")
    assert ", ".join(keys) in togai.refused("POST", "/entitled", event=event)
    # What the first feature does not count leaves one that does.
    bare = togai.event(account, timestamp=wire(now()))
    assert togai.told("POST", "/entitled", event=bare) == {"success": True}


def test_what_was_ingested_did_not_consume(togai: Togai, account: str) -> None:
    key = entitled(togai, account, 10)
    event = recent(togai, account, "1")
    togai.ingest(event)
    assert left(togai, account, key) == 9
    assert "ingested" in togai.refused("POST", "/entitled", event=event)
    assert status(togai, event) == ["FAILED_DUPLICATE_EVENT", "COMPLETED_EVENT_METERED"]
    other = recent(togai, account, "1")
    togai.told("POST", "/entitled", event=other)
    assert togai.ingest(other) == ["FAILED_DUPLICATE_EVENT"]
    assert left(togai, account, key) == 8


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"schemaName": "nothing"}, "SCHEMA_NOT_DEFINED"),
        ({"accountId": "nobody"}, "ACCOUNT_NOT_FOUND"),
        ({"timestamp": "2020-01-01T00:00:00Z"}, ""),
    ],
)
def test_what_else_keeps_it_out_is_told(
    togai: Togai, account: str, members: dict[str, str], told: str
) -> None:
    entitled(togai, account, 10)
    event = {**recent(togai, account, "1"), **members}
    togai.refused("POST", "/entitled", event=event)
    assert status(togai, event) == [f"FAILED_{told}".rstrip("_")]


def test_a_limit_holds_however_many_ask(togai: Togai, account: str) -> None:
    key = entitled(togai, account, 20, **EVENTS)
    events = [recent(togai, account, "1") for _ in range(60)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(lambda one: togai.http.post("/togai/entitled", json={"event": one}), events)
        )
    assert sum(one.status_code == HTTPStatus.OK for one in answers) == 20
    assert {one.status_code for one in answers} == {HTTPStatus.OK, HTTPStatus.FORBIDDEN}
    assert left(togai, account, key) == 0
