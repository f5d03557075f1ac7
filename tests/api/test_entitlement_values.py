"""What an entitlement is worth over HTTP: usage against grants, at any time, whole or in pieces."""

from collections.abc import Iterator
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from tests.support.entitling import (
    MINUTE,
    STARTED,
    Entitling,
    ago,
    exact,
    found,
    numbers,
    this_minute,
    wire,
)
from tests.support.metering import at, refusal

LONG_AGO = {"interval": "YEAR", "anchor": "2020-01-01T00:00:00Z"}
SINCE_YESTERDAY: dict[str, Any] = {
    "usagePeriod": {"interval": "P100Y", "anchor": "2000-01-01T00:00:00Z"},
    "measureUsageFrom": ago(days=1),
}


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Entitling]:
    with Entitling(base_url) as client:
        yield client


def test_usage_burns_the_balance_and_what_is_not_covered_is_overage(api: Entitling) -> None:
    who, made, meter = api.metered(issueAfterReset=100)
    name = made["featureKey"]
    assert api.worth(who, name) == {
        "hasAccess": True, "balance": 100, "usage": 0, "overage": 0,
        "totalAvailableGrantAmount": 100,
    }  # fmt: skip
    api.use(meter, who, "60.1")
    assert numbers(api.worth(who, name)) == (Decimal("39.9"), Decimal("60.1"), 0)
    api.use(meter, who, "60.2")
    assert api.worth(who, name) == {
        "hasAccess": False, "balance": 0, "usage": Decimal("120.3"), "overage": Decimal("20.3"),
        "totalAvailableGrantAmount": 100,
    }  # fmt: skip


def test_nothing_granted_is_no_access_even_unused(api: Entitling) -> None:
    who, made, _ = api.metered()
    assert api.worth(who, made["id"])["hasAccess"] is False


def test_soft_limit_keeps_access(api: Entitling) -> None:
    who, made, meter = api.metered(isSoftLimit=True)
    api.use(meter, who, 5)
    value = api.worth(who, made["id"])
    assert (value["hasAccess"], value["overage"]) == (True, 5)


def test_accepted_event_is_in_the_next_value(api: Entitling) -> None:
    who, made, meter = api.metered(issueAfterReset=10)
    for used in range(1, 6):
        api.use(meter, who, 1)
        assert api.worth(who, made["id"])["balance"] == 10 - used


def test_usage_of_others_and_from_before_measurement_does_not_count(api: Entitling) -> None:
    who, made, meter = api.metered(issueAfterReset=10, **SINCE_YESTERDAY)
    api.use(meter, "another", 3)
    api.use(meter, who, 4, ago(days=1, minutes=1))
    api.use(meter, who, 1, ago(days=1))
    assert numbers(api.worth(who, made["id"])) == (9, 1, 0)


def test_usage_must_pass_the_filters_of_the_feature(api: Entitling) -> None:
    meter = api.create("SUM", groupBy={"model": "$.model"})
    feature = api.feature(meter, advancedMeterGroupByFilters={"model": {"$like": "gpt%"}})
    api.entitle("filtered", feature, issueAfterReset=10)
    now = wire(this_minute() + MINUTE / 2)
    api.send(
        meter,
        at(now, subject="filtered", data={"v": 3, "model": "gpt-4"}),
        at(now, subject="filtered", data={"v": 4, "model": "claude"}),
    )
    assert api.worth("filtered", feature["key"], wire(this_minute() + MINUTE))["usage"] == 3


@pytest.mark.parametrize(
    ("aggregation", "usage"), [("COUNT", 3), ("SUM", 7), ("UNIQUE_COUNT", 2), ("LATEST", 2)]
)
def test_usage_is_what_the_meter_makes_of_it(api: Entitling, aggregation: str, usage: int) -> None:
    meter = api.create(aggregation)
    feature, who = api.feature(meter), f"of-{aggregation}"
    api.entitle(who, feature, issueAfterReset=10, **SINCE_YESTERDAY)
    for number, minutes in ((2, 30), (3, 20), (2, 10)):
        api.use(meter, who, number, ago(minutes=minutes))
    value = api.worth(who, feature["key"])
    assert numbers(value) == (10 - usage, usage, 0)


def test_grants_burn_by_priority_then_by_expiry(api: Entitling) -> None:
    who, made, meter = api.metered(issueAfterReset=100, issueAfterResetPriority=6)
    api.grant(who, made["featureKey"], amount=50, priority=1)
    api.use(meter, who, 60)
    assert numbers(api.worth(who, made["id"])) == (90, 60, 0)
    [default, top_up] = found(api.http.get(f"{api.path(who)}/{made['id']}/grants"))
    history = found(
        api.http.get(f"{api.path(who)}/{made['id']}/history", params={"windowSize": "HOUR"})
    )
    last = history["burndownHistory"][-1]
    assert last["grantUsages"] == [
        {"grantId": top_up["id"], "usage": 50}, {"grantId": default["id"], "usage": 10},
    ]  # fmt: skip
    assert last["grantBalancesAtEnd"] == {top_up["id"]: 0, default["id"]: 90}


def test_value_is_of_any_time_since_it_is_active(api: Entitling) -> None:
    who, made, _ = api.metered(issueAfterReset=100, **SINCE_YESTERDAY)
    assert api.worth(who, made["id"], ago(hours=1)) == {"hasAccess": False}
    before = api.http.get(
        f"{api.path(who)}/{made['featureKey']}/value", params={"time": ago(hours=1)}
    )
    assert before.status_code == HTTPStatus.NOT_FOUND
    assert api.worth(who, made["featureKey"], wire(this_minute() + 60 * MINUTE))["balance"] == 100
    wrong = api.http.get(f"{api.path(who)}/{made['id']}/value", params={"time": "yesterday"})
    assert wrong.status_code == HTTPStatus.BAD_REQUEST


def test_later_grant_pays_the_overage_of_the_period(api: Entitling) -> None:
    who, made, meter = api.metered(**SINCE_YESTERDAY)
    api.use(meter, who, 40, ago(hours=2))
    assert numbers(api.worth(who, made["id"])) == (0, 40, 40)
    api.grant(who, made["id"], effectiveAt=ago(hours=1))
    assert numbers(api.worth(who, made["id"])) == (60, 40, 0)


def reset(api: Entitling, who: str, name: str, **body: object) -> Any:
    return api.post(f"{api.path(who)}/{name}/reset", body)


@pytest.mark.parametrize(("preserve", "balance"), [(None, 100), (False, 100), (True, 70)])
def test_reset_begins_a_usage_period_with_or_without_the_overage(
    api: Entitling, preserve: object, balance: int
) -> None:
    who, made, meter = api.metered(issueAfterReset=100, **SINCE_YESTERDAY)
    api.use(meter, who, 130, ago(hours=2))
    body = {"effectiveAt": ago(hours=1)} | (
        {} if preserve is None else {"preserveOverage": preserve}
    )
    assert reset(api, who, made["featureKey"], **body).status_code == HTTPStatus.NO_CONTENT
    assert numbers(api.worth(who, made["id"])) == (balance, 0, 0)
    assert found(api.http.get(f"/api/v1/entitlements/{made['id']}"))["lastReset"] == ago(hours=1)


def test_entitlement_says_whether_resets_preserve_overage(api: Entitling) -> None:
    who, made, meter = api.metered(
        issueAfterReset=100, preserveOverageAtReset=True, **SINCE_YESTERDAY
    )
    api.use(meter, who, 130, ago(hours=2))
    reset(api, who, made["id"], effectiveAt=ago(hours=1))
    assert api.worth(who, made["id"])["balance"] == 70


@pytest.mark.parametrize("retain", [True, False])
def test_reset_keeps_the_anchor_or_becomes_it(api: Entitling, retain: bool) -> None:
    period = {"interval": "P1D", "anchor": ago(minutes=90)}
    who, made, _ = api.metered(usagePeriod=period, measureUsageFrom=ago(days=2))
    reset(api, who, made["id"], effectiveAt=ago(minutes=30), retainAnchor=retain)
    kept = found(api.http.get(f"/api/v1/entitlements/{made['id']}"))
    end = STARTED + MINUTE * (24 * 60 - (90 if retain else 30))
    assert kept["currentUsagePeriod"] == {"from": ago(minutes=30), "to": wire(end)}
    assert kept["usagePeriod"] == made["usagePeriod"]


def test_reset_is_in_the_period_after_the_last_one_and_not_ahead_of_time(api: Entitling) -> None:
    who, made, _ = api.metered(
        usagePeriod={"interval": "PT6H", "anchor": ago(hours=1)}, measureUsageFrom=ago(days=2)
    )
    reset(api, who, made["id"], effectiveAt=ago(minutes=30))
    for when, reason in (
        (ago(days=-1), "in the future"),
        (ago(minutes=30), "must be after last reset"),
        (ago(hours=2), "must be after last reset"),
    ):
        status, detail = refusal(reset(api, who, made["id"], effectiveAt=when))
        assert (status, reason in str(detail)) == (HTTPStatus.BAD_REQUEST, True), detail
    fresh, other, _ = api.metered(
        usagePeriod={"interval": "PT6H", "anchor": ago(hours=1)}, measureUsageFrom=ago(days=2)
    )
    _, detail = refusal(reset(api, fresh, other["id"], effectiveAt=ago(hours=2)))
    assert "is before current usage period start" in str(detail)


def test_only_metered_ones_have_resets_grants_and_a_history(api: Entitling) -> None:
    feature = api.feature()
    made = api.entitle("switch", feature, type="boolean")
    path = f"{api.path('switch')}/{made['id']}"
    for answer in (
        reset(api, "switch", made["id"]),
        api.try_to_grant("switch", made["id"]),
        api.http.get(f"{path}/grants"),
        api.http.get(f"{path}/history", params={"windowSize": "DAY"}),
    ):
        status, detail = refusal(answer)
        assert status == HTTPStatus.BAD_REQUEST
        assert "expected entitlement type metered but got boolean" in str(detail)


def history(api: Entitling, who: str, name: str, **params: str) -> Any:
    return api.http.get(f"{api.path(who)}/{name}/history", params=params)


def test_history_tells_windows_and_segments(api: Entitling) -> None:
    start = this_minute().replace(hour=0, minute=0) - MINUTE * 60 * 48
    who, made, meter = api.metered(
        usagePeriod=SINCE_YESTERDAY["usagePeriod"],
        measureUsageFrom=wire(start),
        issueAfterReset=100,
    )
    api.use(meter, who, 30, wire(start + 61 * MINUTE))
    api.use(meter, who, 20, wire(start + 179 * MINUTE))
    told = found(history(
        api, who, made["featureKey"], windowSize="HOUR", to=wire(start + 240 * MINUTE),
        **{"from": wire(start)},
    ))  # fmt: skip
    assert [(w["usage"], w["balanceAtStart"]) for w in told["windowedHistory"]] == [
        (0, 100), (30, 100), (20, 70), (0, 50),
    ]  # fmt: skip
    assert told["windowedHistory"][1]["period"] == {
        "from": wire(start + 60 * MINUTE), "to": wire(start + 120 * MINUTE),
    }  # fmt: skip
    [segment] = told["burndownHistory"]
    assert (segment["usage"], segment["balanceAtStart"], segment["balanceAtEnd"]) == (50, 100, 50)


def test_history_shows_windows_on_the_clock_of_the_zone(api: Entitling) -> None:
    who, made, _ = api.metered(issueAfterReset=1)
    zone = {"windowSize": "DAY", "windowTimeZone": "Asia/Tokyo", "to": wire(this_minute() + MINUTE)}
    start = this_minute() - MINUTE * 60 * 72
    who, made, _ = api.metered(measureUsageFrom=wire(start), usagePeriod=LONG_AGO)
    windows = found(history(api, who, made["id"], **zone, **{"from": wire(start)}))
    for window in windows["windowedHistory"]:
        assert window["period"]["from"].endswith("T00:00:00+09:00")


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({}, "windowSize"),
        ({"windowSize": "WEEK"}, "windowSize"),
        ({"windowSize": "DAY", "windowTimeZone": "Mars/Base"}, "unknown time zone"),
        ({"windowSize": "DAY", "from": "2020-01-01T00:00:00Z"}, "cannot be before"),
        ({"windowSize": "DAY", "to": "2020-01-01T00:00:00Z"}, "cannot be before"),
        ({"windowSize": "MINUTE", "to": "2190-01-01T00:00:00Z"}, "at most"),
    ],
)
def test_wrong_history_is_refused(api: Entitling, params: dict[str, str], reason: str) -> None:
    who, made, _ = api.metered()
    status, detail = refusal(history(api, who, made["id"], **params))
    assert status == HTTPStatus.BAD_REQUEST
    assert reason in str(detail)


def test_numbers_are_exact(api: Entitling) -> None:
    who, made, meter = api.metered(issueAfterReset=1)
    api.use(meter, who, "0.1")
    api.use(meter, who, "0.2")
    api.use(meter, who, "1e-30")
    answer = api.http.get(f"{api.path(who)}/{made['id']}/value")
    assert exact(answer)["usage"] == Decimal("0.300000000000000000000000000001")
