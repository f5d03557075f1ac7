"""Many at once: names are given once, events are stored once, and units stay what is counted."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.support.togai import Togai

AT_ONCE = 8


def at_once(call: Callable[[int], httpx.Response], times: int = AT_ONCE) -> Counter[int]:
    with ThreadPoolExecutor(times) as pool:
        return Counter(answer.status_code for answer in pool.map(call, range(times)))


def new(kind: str, togai: Togai, name: str, owner: str) -> tuple[str, Any]:
    bodies: dict[str, tuple[str, Any]] = {
        "schema": ("/event_schema", {"name": name, "attributes": [], "dimensions": []}),
        "meter": ("/usage_meters", togai.new(name=name)),
        "customer": (
            "/customers", {"id": name, "name": "Acme", "primaryEmail": "a", "address": {}},
        ),
        "account": ("/accounts", {"id": name, "name": "Acme", "customerId": owner}),
    }  # fmt: skip
    return bodies[kind]


@pytest.mark.parametrize("kind", ["schema", "meter", "customer", "account"])
def test_a_name_is_given_once(togai: Togai, kind: str) -> None:
    path, body = new(kind, togai, uuid4().hex, togai.customer()["id"])
    answers = at_once(lambda _: togai.http.post(f"/togai{path}", json=body))
    assert answers == {HTTPStatus.CREATED: 1, HTTPStatus.BAD_REQUEST: AT_ONCE - 1}


def test_an_alias_is_given_once(togai: Togai) -> None:
    accounts = [togai.account()["id"] for _ in range(AT_ONCE)]
    body = {"aliases": [uuid4().hex]}
    answers = at_once(
        lambda n: togai.http.post(f"/togai/accounts/{accounts[n]}/add_aliases", json=body)
    )
    assert answers == {HTTPStatus.OK: 1, HTTPStatus.BAD_REQUEST: AT_ONCE - 1}


def test_batches_that_share_events_store_each_once(togai: Togai) -> None:
    meter, account = togai.active(), togai.account()["id"]
    events = [togai.event(account, {"bytes": "1"}) for _ in range(300)]
    batches = [random.Random(n).sample(events, len(events)) for n in range(AT_ONCE)]  # noqa: S311
    answers = at_once(lambda n: togai.http.post("/togai/ingestBatch", json={"events": batches[n]}))
    assert answers == {HTTPStatus.ACCEPTED: AT_ONCE}
    assert togai.used(meter) == 300


def test_while_a_meter_is_turned_on_and_off_units_are_what_is_counted(togai: Togai) -> None:
    meter, account = togai.active(), togai.account()["id"]
    events = [togai.event(account, {"bytes": "1"}) for _ in range(200)]

    def act(n: int) -> httpx.Response:
        if n % AT_ONCE:
            return togai.http.post("/togai/ingest", json={"event": events[n]})
        turn = "deactivate" if n // AT_ONCE % 2 else "activate"
        return togai.http.post(f"/togai/usage_meters/{meter}/{turn}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [answer.status_code for answer in pool.map(act, range(len(events)))]
    assert set(answers) == {HTTPStatus.OK, HTTPStatus.ACCEPTED}
    statuses: Counter[str] = Counter()
    token = ""
    while True:
        page = togai.told("GET", f"/events?account_id={account}{token}")
        statuses.update(one["ingestionStatus"]["status"] for one in page["events"])
        if "nextToken" not in page:
            break
        token = f"&nextToken={page['nextToken']}"
    assert statuses.total() == 175
    assert togai.used(meter) == statuses["INGESTION_COMPLETED_EVENT_METERED"]
    assert 0 < statuses["INGESTION_COMPLETED_EVENT_METERED"] < 175


def test_versions_of_a_schema_follow_each_other(togai: Togai) -> None:
    path = f"/togai/event_schema/{togai.schema}"

    def add(n: int) -> httpx.Response:
        found = togai.http.get(path).json()["dimensions"]
        return togai.http.patch(path, json={"dimensions": [*found, {"name": f"d{n}"}]})

    answers = at_once(add)
    versions = togai.told("GET", f"/event_schema/{togai.schema}/versions")["data"]
    assert set(answers) <= {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}
    assert [one["version"] for one in versions] == [*range(1 + answers[HTTPStatus.OK], 0, -1)]
    assert [one["status"] for one in versions] == ["ACTIVE"] + ["ARCHIVED"] * answers[HTTPStatus.OK]
