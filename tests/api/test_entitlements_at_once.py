"""Many clients at once change one entitlement: as if each had come after the other."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.support.entitling import Entitling, ago, found, this_minute, wire
from tests.support.metering import instant

CLIENTS = 12

SINCE_YESTERDAY: dict[str, Any] = {
    "usagePeriod": {"interval": "P100Y", "anchor": "2000-01-01T00:00:00Z"},
    "measureUsageFrom": ago(days=1),
}


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Entitling]:
    with Entitling(base_url) as client:
        yield client


async def at_once(
    base_url: str, *requests: tuple[str, str, dict[str, Any] | None]
) -> list[httpx.Response]:
    """Each request (method, path, body) from a client with a connection of its own."""

    async def send(method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
            await client.get("/healthz/live")  # connected
            return await client.request(method, path, json=body)

    return await asyncio.gather(*(send(*request) for request in requests))


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def metered(feature_key: str, **members: object) -> dict[str, Any]:
    period = {"interval": "MONTH"}
    return {"type": "metered", "featureKey": feature_key, "usagePeriod": period, **members}


async def test_of_many_who_create_one_does_and_the_others_are_told_who(
    api: Entitling, base_url: str
) -> None:
    feature, who = api.feature(api.create("SUM")), f"s-{uuid4().hex}"
    request = ("POST", api.path(who), metered(feature["key"]))
    answers = await at_once(base_url, *[request] * CLIENTS)
    assert statuses(answers) == {HTTPStatus.CREATED: 1, HTTPStatus.CONFLICT: CLIENTS - 1}
    [made] = [one.json() for one in answers if one.status_code == HTTPStatus.CREATED]
    told = {
        one.json()["extensions"]["conflictingEntityId"]
        for one in answers
        if one.status_code == HTTPStatus.CONFLICT
    }
    assert told == {made["id"]}


async def test_grants_given_at_once_all_count(api: Entitling, base_url: str) -> None:
    who, made, meter = api.metered(**SINCE_YESTERDAY)
    api.use(meter, who, CLIENTS + 3, ago(hours=1))
    grant = {
        "amount": 2, "effectiveAt": ago(hours=2), "expiration": {"duration": "YEAR", "count": 1},
    }  # fmt: skip
    request = ("POST", f"{api.path(who)}/{made['id']}/grants", grant)
    assert statuses(await at_once(base_url, *[request] * CLIENTS)) == {HTTPStatus.CREATED: CLIENTS}
    assert api.worth(who, made["id"])["balance"] == CLIENTS - 3


async def test_grant_is_voided_once(api: Entitling, base_url: str) -> None:
    who, made, _ = api.metered(**SINCE_YESTERDAY)
    grant = api.grant(who, made["id"], effectiveAt=ago(hours=2))
    request = ("DELETE", f"/api/v1/grants/{grant['id']}", None)
    answers = await at_once(base_url, *[request] * CLIENTS)
    assert statuses(answers) == {HTTPStatus.NO_CONTENT: 1, HTTPStatus.BAD_REQUEST: CLIENTS - 1}


async def test_one_minute_is_reset_once(api: Entitling, base_url: str) -> None:
    who, made, meter = api.metered(
        issueAfterReset=100, preserveOverageAtReset=True, **SINCE_YESTERDAY
    )
    api.use(meter, who, 130, ago(hours=2))
    request = ("POST", f"{api.path(who)}/{made['id']}/reset", {"effectiveAt": ago(hours=1)})
    answers = await at_once(base_url, *[request] * CLIENTS)
    assert statuses(answers) == {HTTPStatus.NO_CONTENT: 1, HTTPStatus.BAD_REQUEST: CLIENTS - 1}
    assert api.worth(who, made["id"])["balance"] == 70


async def test_overrides_at_once_follow_each_other_without_gap_or_overlap(
    api: Entitling, base_url: str
) -> None:
    who, made, _ = api.metered()
    path = f"{api.path(who)}/{made['featureKey']}/override"
    request = ("PUT", path, metered(made["featureKey"], issueAfterReset=1))
    answers = await at_once(base_url, *[request] * CLIENTS)
    assert statuses(answers) == {HTTPStatus.CREATED: CLIENTS}
    listed = found(api.http.get("/api/v1/entitlements", params={"subject": who}))
    periods = sorted((one["activeFrom"], one.get("activeTo")) for one in listed)
    assert len(periods) == CLIENTS + 1
    assert [end for _, end in periods[:-1]] == [start for start, _ in periods[1:]]
    assert periods[-1][1] is None
    [active] = found(api.http.get(api.path(who)))
    assert instant(active["activeFrom"]) == max(instant(start) for start, _ in periods)


async def test_everything_at_once_leaves_a_balance_that_can_be_told_from_what_is_kept(
    api: Entitling, base_url: str
) -> None:
    who, made, meter = api.metered(**SINCE_YESTERDAY)
    path = f"{api.path(who)}/{made['id']}"
    api.use(meter, who, 5, ago(hours=3))
    voided = [api.grant(who, made["id"], amount=7, effectiveAt=ago(hours=4)) for _ in range(3)]
    later = wire(this_minute() + timedelta(days=1))
    grant = {
        "amount": 2, "effectiveAt": ago(minutes=30), "expiration": {"duration": "DAY", "count": 1},
    }  # fmt: skip
    answers = await at_once(
        base_url,
        *[("POST", f"{path}/grants", grant)] * 5,
        *[("DELETE", f"/api/v1/grants/{one['id']}", None) for one in voided * 2],
        ("POST", f"{path}/reset", {"effectiveAt": ago(hours=1)}),
        ("POST", f"{path}/reset", {"effectiveAt": later}),
    )
    assert not [one.text for one in answers if one.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR]
    # Grants given before the reset was there may begin in the period before it.
    grants = found(api.http.get(f"{path}/grants"))
    assert sum("voidedAt" in one for one in grants) == len(voided)
    given = sum(one["amount"] for one in grants if "voidedAt" not in one)
    assert given == 10
    assert api.worth(who, made["id"]) == {
        "hasAccess": True, "balance": 10, "usage": 0, "overage": 0,
        "totalAvailableGrantAmount": 10,
    }  # fmt: skip


async def test_customer_and_entitlement_made_at_once_belong_together(
    api: Entitling, base_url: str
) -> None:
    """Whoever comes first: what a subject owns is its customer's."""
    feature = api.feature(api.create("SUM"))
    for _ in range(8):
        who = f"s-{uuid4().hex}"
        customer = {"name": "n", "usageAttribution": {"subjectKeys": [who]}}
        answers = await at_once(
            base_url,
            ("POST", api.path(who), metered(feature["key"])),
            ("POST", "/api/v1/customers", customer),
        )
        assert statuses(answers) == {HTTPStatus.CREATED: 2}
        entitlement, owner = (answer.json()["id"] for answer in answers)
        kept = found(api.http.get(f"/api/v2/entitlements/{entitlement}"))
        assert kept["customerId"] == owner
