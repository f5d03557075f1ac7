"""Grants over HTTP: what they may be, how they are listed, and how they end."""

from collections.abc import Iterator
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from tests.support.entitling import MINUTE, STARTED, Entitling, ago, exact, found, this_minute, wire
from tests.support.metering import refusal


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Entitling]:
    with Entitling(base_url) as client:
        yield client


SINCE_YESTERDAY: dict[str, Any] = {
    "usagePeriod": {"interval": "P100Y", "anchor": "2000-01-01T00:00:00Z"},
    "measureUsageFrom": ago(days=1),
}


def test_grant_has_everything_that_was_set(api: Entitling) -> None:
    who, made, _ = api.metered(**SINCE_YESTERDAY)
    grant = api.grant(
        who,
        made["featureKey"],
        amount=10.5,
        priority=3,
        effectiveAt=ago(hours=1, seconds=-20),
        expiration={"duration": "HOUR", "count": 5},
        minRolloverAmount=1,
        maxRolloverAmount=2.5,
        recurrence={"interval": "DAY", "anchor": "2024-01-01T00:00:10Z"},
        metadata={"team": "search"},
    )
    assert grant.pop("createdAt") == grant.pop("updatedAt")
    assert len(grant.pop("id")) == 26
    assert grant.pop("nextRecurrence").endswith("T00:00:00Z")
    assert grant == {
        "entitlementId": made["id"],
        "amount": 10.5,
        "priority": 3,
        "effectiveAt": ago(hours=1),
        "expiration": {"duration": "HOUR", "count": 5},
        "expiresAt": wire(STARTED + 240 * MINUTE),
        "minRolloverAmount": 1,
        "maxRolloverAmount": 2.5,
        "recurrence": {"interval": "DAY", "intervalISO": "P1D", "anchor": "2024-01-01T00:00:00Z"},
        "metadata": {"team": "search"},
    }


def test_what_is_left_out_has_its_default(api: Entitling) -> None:
    who, made, _ = api.metered()
    grant = api.grant(who, made["id"])
    assert (grant["priority"], grant["minRolloverAmount"], grant["maxRolloverAmount"]) == (0, 0, 0)
    assert not {"recurrence", "nextRecurrence", "metadata", "annotations", "voidedAt"} & set(grant)


def test_default_grant_is_a_grant_that_never_expires(api: Entitling) -> None:
    who, made, _ = api.metered(issueAfterReset=7, issueAfterResetPriority=9)
    [grant] = found(api.http.get(f"{api.path(who)}/{made['id']}/grants"))
    assert (grant["amount"], grant["priority"]) == (7, 9)
    assert (grant["minRolloverAmount"], grant["maxRolloverAmount"]) == (7, 7)
    assert grant["effectiveAt"] == made["currentUsagePeriod"]["from"]
    assert grant["annotations"] == {"issueAfterReset": True}
    assert grant["expiration"] == {"duration": "YEAR", "count": 100}
    assert grant["expiresAt"][:4] == str(this_minute().year + 100)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"amount": 0}, "amount must be positive"),
        ({"amount": -1}, "/amount"),
        ({"amount": "5"}, "must be a number"),
        ({"amount": 10**1001}, "1000 digits"),
        ({"amount": None}, "/amount"),
        ({"effectiveAt": None}, "/effectiveAt"),
        ({"effectiveAt": "2020-01-01T00:00:00Z"}, "is before the current usage period"),
        ({"expiration": None}, "/expiration"),
        ({"expiration": {"duration": "MINUTE", "count": 1}}, "/expiration/duration"),
        ({"expiration": {"duration": "DAY", "count": 0}}, "/expiration/count"),
        ({"expiration": {"duration": "DAY", "count": 1001}}, "/expiration/count"),
        ({"priority": 256}, "/priority"),
        ({"priority": 0}, "/priority"),
        ({"minRolloverAmount": -1}, "minRolloverAmount must not be negative"),
        ({"recurrence": {"interval": "PT1M"}}, "at least 1 hour"),
    ],
)
def test_wrong_grant_is_refused(api: Entitling, members: dict[str, Any], reason: str) -> None:
    who, made, _ = api.metered()
    answer = api.try_to_grant(who, made["id"], **members)
    status, detail = refusal(answer)
    assert status == HTTPStatus.BAD_REQUEST
    assert reason in str(detail)


def test_amount_that_is_not_positive_has_a_code_of_its_own(api: Entitling) -> None:
    who, made, _ = api.metered()
    problem = api.try_to_grant(who, made["id"], amount=0).json()
    [error] = problem["extensions"]["validationErrors"]
    assert error["code"] == "grant_amount_must_be_positive"


def test_amount_keeps_all_its_digits(api: Entitling) -> None:
    who, made, _ = api.metered()
    digits = "98765432109876543210.12345678901234567890123"
    body = (
        f'{{"amount":{digits},"effectiveAt":"{wire(this_minute())}",'
        '"expiration":{"duration":"DAY","count":1}}'
    )
    answer = api.http.post(
        f"{api.path(who)}/{made['id']}/grants",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert exact(answer)["amount"] == Decimal(digits)


def test_grant_may_begin_later(api: Entitling) -> None:
    who, made, _ = api.metered()
    later = this_minute() + 90 * MINUTE
    api.grant(who, made["id"], effectiveAt=wire(later))
    assert api.worth(who, made["id"])["balance"] == 0
    assert api.worth(who, made["id"], wire(later + MINUTE))["balance"] == 100


def test_voided_grant_loses_what_is_left_and_stays_in_lists(api: Entitling) -> None:
    who, made, meter = api.metered(**SINCE_YESTERDAY)
    grant = api.grant(who, made["id"], effectiveAt=ago(hours=3))
    api.use(meter, who, 30, ago(hours=2))
    path = f"/api/v1/grants/{grant['id']}"
    voided = api.http.delete(path, params={"at": ago(hours=1, seconds=-30)})
    assert voided.status_code == HTTPStatus.NO_CONTENT
    value = api.worth(who, made["id"])
    assert (value["balance"], value["usage"], value["overage"]) == (0, 30, 0)
    assert value["totalAvailableGrantAmount"] == 30
    [listed] = found(api.http.get("/api/v1/grants", params={"subject": who}))
    assert listed["voidedAt"] == ago(hours=1)
    status, detail = refusal(api.http.delete(path))
    assert (status, "grant already voided" in str(detail)) == (HTTPStatus.BAD_REQUEST, True)


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (ago(days=-1), "in the future"),
        ("2020-01-01T00:00:00Z", "before the current usage period"),
        ("soon", '"at"'),
    ],
    ids=["tomorrow", "long ago", "no time"],  # a time of its own would differ between workers
)
def test_grant_is_voided_in_the_usage_period_until_now(
    api: Entitling, at: str, reason: str
) -> None:
    who, made, _ = api.metered()
    grant = api.grant(who, made["id"])
    status, detail = refusal(api.http.delete(f"/api/v1/grants/{grant['id']}", params={"at": at}))
    assert (status, reason in str(detail)) == (HTTPStatus.BAD_REQUEST, True), detail


def test_grants_of_an_entitlement_come_in_the_order_of_creation(api: Entitling) -> None:
    who, made, _ = api.metered(issueAfterReset=1)
    ids = [api.grant(who, made["id"], amount=n)["id"] for n in (3, 2)]
    for name in (made["id"], made["featureKey"]):
        listed = found(api.http.get(f"{api.path(who)}/{name}/grants"))
        assert [one["id"] for one in listed][1:] == ids


def test_list_of_all_grants_is_filtered_and_ordered(api: Entitling) -> None:
    who, made, _ = api.metered(**SINCE_YESTERDAY)
    late = api.grant(who, made["id"], effectiveAt=ago(hours=1))
    early = api.grant(who, made["id"], effectiveAt=ago(hours=2))

    def listed(**params: Any) -> Any:
        return found(api.http.get("/api/v1/grants", params=params))

    assert listed(subject=who) == [early, late]
    assert listed(subject=who, order="DESC") == [late, early]
    assert listed(subject=who, orderBy="createdAt") == [late, early]
    for feature in (made["featureKey"], made["featureId"]):
        assert listed(feature=feature) == [early, late]
    assert listed(subject="nobody") == []
    page = listed(subject=who, page=2, pageSize=1, limit=1000)
    assert (page["totalCount"], page["items"]) == (2, [late])
    assert listed(subject=who, limit=1) == [early]
    api.http.delete(f"{api.path(who)}/{made['id']}")
    assert listed(subject=who) == []
    assert listed(subject=who, includeDeleted=True) == [early, late]
    gone = api.http.delete(f"/api/v1/grants/{late['id']}")
    assert gone.status_code == HTTPStatus.NOT_FOUND
