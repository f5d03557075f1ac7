"""Entitlements of subjects over HTTP: what they may be, how they are named, found and replaced."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from tests.support.entitling import Entitling, found, wire
from tests.support.metering import instant, refusal


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Entitling]:
    with Entitling(base_url) as client:
        yield client


def subject() -> str:
    return f"s-{uuid4().hex}"


def refused(api: Entitling, status: int = HTTPStatus.BAD_REQUEST, **members: object) -> str:
    found_status, detail = refusal(api.try_to_entitle(subject(), **members))
    assert found_status == status, detail
    assert detail is not None
    return detail


def test_metered_entitlement_has_everything_that_was_set(api: Entitling) -> None:
    feature = api.feature(api.create("SUM"))
    made = api.entitle(
        "ann",
        feature,
        usagePeriod={"interval": "P1M", "anchor": "2024-01-01T00:00:30Z"},
        measureUsageFrom="2024-03-10T09:15:22Z",
        issueAfterReset=100.5,
        issueAfterResetPriority=7,
        isSoftLimit=True,
        isUnlimited=True,
        preserveOverageAtReset=True,
        metadata={"team": "search"},
    )
    period = made.pop("currentUsagePeriod")
    assert instant(period["from"]) < instant(made["createdAt"]) < instant(period["to"])
    assert period["from"].endswith("-01T00:00:00Z")
    free = {name: made.pop(name) for name in ("id", "createdAt", "updatedAt", "activeFrom")}
    assert free["createdAt"] == free["updatedAt"] == free["activeFrom"]
    assert made == {
        "type": "metered",
        "featureId": feature["id"],
        "featureKey": feature["key"],
        "subjectKey": "ann",
        "isSoftLimit": True,
        "isUnlimited": False,
        "issueAfterReset": 100.5,
        "issueAfterResetPriority": 7,
        "preserveOverageAtReset": True,
        "measureUsageFrom": "2024-03-10T09:15:00Z",
        "lastReset": "2024-03-10T09:15:00Z",
        "usagePeriod": {
            "interval": "MONTH",
            "intervalISO": "P1M",
            "anchor": "2024-01-01T00:00:00Z",
        },
        "metadata": {"team": "search"},
    }


def test_what_is_left_out_has_its_default(api: Entitling) -> None:
    _, made, _ = api.metered()
    minute = made["createdAt"][:16] + ":00Z"
    assert made["measureUsageFrom"] == made["lastReset"] == minute
    assert made["usagePeriod"]["anchor"] == minute
    assert (made["issueAfterReset"], made["isSoftLimit"]) == (0, False)
    assert "issueAfterResetPriority" not in made
    assert "metadata" not in made
    assert "activeTo" not in made


def test_measurement_may_start_with_the_current_period(api: Entitling) -> None:
    period = {"interval": "YEAR", "anchor": "2020-01-01T00:00:00Z"}
    _, made, _ = api.metered(usagePeriod=period, measureUsageFrom="CURRENT_PERIOD_START")
    assert made["measureUsageFrom"] == f"{made['createdAt'][:4]}-01-01T00:00:00Z"


def test_amounts_keep_all_their_digits(api: Entitling) -> None:
    feature = api.feature(api.create("SUM"))
    digits = "12345678901234567890.12345678901234567890123456789"
    body = (
        f'{{"type":"metered","featureKey":"{feature["key"]}","usagePeriod":{{"interval":"DAY"}},'
        f'"issueAfterReset":{digits}}}'
    )
    headers = {"content-type": "application/json"}
    answer = api.http.post(api.path("ann"), content=body, headers=headers)
    assert f'"issueAfterReset":{digits}' in answer.text
    value = api.http.get(f"{api.path('ann')}/{feature['key']}/value")
    assert f'"balance":{digits}' in value.text


@pytest.mark.parametrize(
    ("interval", "name", "iso"),
    [
        ("day", "DAY", "P1D"), ("P7D", "WEEK", "P7D"), ("P12M", "YEAR", "P12M"),
        ("PT6H", "PT6H", "PT6H"), ("P2W", "P2W", "P2W"),
    ],
)  # fmt: skip
def test_interval_is_told_by_name_where_it_has_one(
    api: Entitling, interval: str, name: str, iso: str
) -> None:
    _, made, _ = api.metered(usagePeriod={"interval": interval})
    assert (made["usagePeriod"]["interval"], made["usagePeriod"]["intervalISO"]) == (name, iso)


def test_static_entitlement_tells_its_config_as_it_was_sent(api: Entitling) -> None:
    who, config = subject(), '{"seats": 5.00}'
    feature = api.feature()
    made = api.entitle(who, feature, type="static", config=config, usagePeriod=None)
    assert made["config"] == config
    assert "usagePeriod" not in made
    assert api.worth(who, feature["key"]) == {"hasAccess": True, "config": config}


def test_boolean_entitlement_is_a_switch(api: Entitling) -> None:
    who, feature = subject(), api.feature()
    made = api.entitle(who, feature, type="boolean")
    assert made["usagePeriod"]["interval"] == "MONTH"
    assert set(made["currentUsagePeriod"]) == {"from", "to"}
    assert api.worth(who, feature["key"]) == {"hasAccess": True}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"usagePeriod": None}, "/usagePeriod"),
        ({"usagePeriod": {"interval": "PT30M"}}, "UsagePeriod must be at least 1 hour"),
        ({"usagePeriod": {"interval": "FORTNIGHT"}}, "invalid interval"),
        ({"issueAfterResetPriority": 1}, "IssueAfterResetPriority requires IssueAfterReset"),
        ({"issueAfterReset": 1, "issueAfterResetPriority": 256}, "/issueAfterResetPriority"),
        ({"issueAfterReset": -1}, "/issueAfterReset"),
        ({"issueAfterReset": "1"}, "must be a number"),
        ({"measureUsageFrom": "yesterday"}, "measureUsageFrom must be"),
        ({"type": "static", "config": None}, "/config"),
        ({"type": "static", "config": "{seats: 5}"}, "invalid JSON config"),
        ({"type": "static", "config": "[" * 60_000}, "invalid JSON config"),
        ({"type": "other"}, "'metered', 'static', 'boolean'"),
        ({"metadata": {"a": "b\0"}}, "NUL"),
    ],
)
def test_wrong_entitlement_is_refused(api: Entitling, members: dict[str, Any], reason: str) -> None:
    feature = api.feature(api.create("SUM"))
    assert reason in refused(api, featureKey=feature["key"], **members)


def test_feature_is_needed_and_must_be_live(api: Entitling) -> None:
    assert "feature id or key must be set" in refused(api)
    assert "feature not found: no_such" in refused(api, HTTPStatus.NOT_FOUND, featureKey="no_such")
    feature = api.feature(api.create("SUM"))
    api.http.delete(f"/api/v1/features/{feature['id']}")
    refused(api, HTTPStatus.NOT_FOUND, featureId=feature["id"])


def test_metered_entitlement_needs_a_feature_with_a_meter(api: Entitling) -> None:
    feature = api.feature()
    detail = refused(api, featureKey=feature["key"])
    assert f"invalid feature {feature['id']}: Feature has no meter" in detail


def test_id_of_a_feature_wins_over_its_key(api: Entitling) -> None:
    feature = api.feature(api.create("SUM"))
    made = api.try_to_entitle(subject(), featureId=feature["id"], featureKey="another")
    assert made.json()["featureKey"] == feature["key"]


def test_second_active_entitlement_of_a_feature_is_a_conflict_that_names_the_first(
    api: Entitling,
) -> None:
    who, first, _ = api.metered()
    answer = api.try_to_entitle(who, type="boolean", featureKey=first["featureKey"])
    status, detail = refusal(answer)
    assert status == HTTPStatus.CONFLICT
    assert detail == (
        f"conflict error: entitlement with id {first['id']} already exists "
        f"for feature {first['featureId']} and subject {who}"
    )
    assert answer.json()["extensions"] == {"conflictingEntityId": first["id"]}


def test_archived_feature_keeps_its_entitlements(api: Entitling) -> None:
    who, made, meter = api.metered(issueAfterReset=10)
    api.http.delete(f"/api/v1/features/{made['featureId']}")
    api.use(meter, who, 4)
    assert api.worth(who, made["featureKey"])["balance"] == 6


def test_meter_of_an_active_entitlement_cannot_be_deleted(api: Entitling) -> None:
    who, made, meter = api.metered()
    api.http.delete(f"/api/v1/features/{made['featureId']}")
    path = f"/api/v1/meters/{meter['slug']}"
    status, detail = refusal(api.http.delete(path))
    assert status == HTTPStatus.CONFLICT
    assert detail == "conflict error: meter has active entitlements and cannot be deleted"
    api.http.delete(f"{api.path(who)}/{made['id']}")
    assert api.http.delete(path).status_code == HTTPStatus.NO_CONTENT


def test_entitlement_is_found_by_id_of_any_subject_and_by_key_of_its_own(api: Entitling) -> None:
    who, made, _ = api.metered()
    for name in (made["id"], made["id"].lower(), made["featureKey"]):
        assert found(api.http.get(f"{api.path(who)}/{name}")) == made
    assert found(api.http.get(f"{api.path('another')}/{made['id']}")) == made
    assert found(api.http.get(f"/api/v1/entitlements/{made['id']}")) == made
    status, detail = refusal(api.http.get(f"{api.path('another')}/{made['featureKey']}"))
    assert status == HTTPStatus.NOT_FOUND
    assert detail is not None
    assert f"entitlement not found {made['featureKey']} in namespace default" in detail


@pytest.mark.parametrize("name", ["no_such", "01KDV7B0000000000000000000", "%C3%A9", "[object]"])
def test_unknown_entitlement_is_not_found_by_any_route(api: Entitling, name: str) -> None:
    path = f"{api.path('ann')}/{name}"
    new = {"type": "boolean", "featureKey": api.feature()["key"]}
    answers = [
        api.http.get(path),
        api.http.delete(path),
        api.http.get(f"{path}/value"),
        api.http.get(f"{path}/history", params={"windowSize": "DAY"}),
        api.http.get(f"{path}/grants"),
        api.post(f"{path}/reset", {}),
        api.http.put(f"{path}/override", json=new),
        api.try_to_grant("ann", name),
        api.http.get(f"/api/v1/entitlements/{name}"),
        api.http.delete(f"/api/v1/grants/{name}"),
    ]
    assert [answer.status_code for answer in answers] == [HTTPStatus.NOT_FOUND] * len(answers)


def test_subject_may_be_called_anything(api: Entitling) -> None:
    feature = api.feature(api.create("SUM"))
    for who in ("a/b c", "é", "a/entitlements/b", "x" * 300):
        quoted = who.replace("é", "%C3%A9").replace(" ", "%20")
        made = api.entitle(quoted, feature)
        assert made["subjectKey"] == who
        assert found(api.http.get(f"{api.path(quoted)}/{feature['key']}")) == made
    assert refusal(api.http.get(api.path("a%00b")))[0] == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("by", ["id", "featureKey"])
def test_deleted_entitlement_is_gone_and_another_one_may_be_made(api: Entitling, by: str) -> None:
    who, made, _ = api.metered()
    path = f"{api.path(who)}/{made[by]}"
    assert api.http.delete(path).status_code == HTTPStatus.NO_CONTENT
    assert api.http.delete(path).status_code == HTTPStatus.NOT_FOUND
    assert api.http.get(f"/api/v1/entitlements/{made['id']}").status_code == HTTPStatus.NOT_FOUND
    assert found(api.http.get(api.path(who))) == []
    assert api.try_to_entitle(who, featureId=made["featureId"]).status_code == HTTPStatus.CREATED


def override(api: Entitling, who: str, name: str, **members: object) -> Any:
    body = {"type": "metered", "usagePeriod": {"interval": "MONTH"}, **members}
    return api.http.put(f"{api.path(who)}/{name}/override", json=body)


@pytest.mark.parametrize("by", ["id", "featureKey"])
def test_override_takes_the_place_of_the_old_one_and_carries_nothing_over(
    api: Entitling, by: str
) -> None:
    who, old, meter = api.metered(issueAfterReset=100)
    api.use(meter, who, 30)
    made = api.made(override(api, who, old[by], featureKey=old["featureKey"], issueAfterReset=10,
                             measureUsageFrom=wire(instant(old["createdAt"]))))  # fmt: skip
    assert made["id"] != old["id"]
    assert api.worth(who, old["featureKey"])["overage"] == 20
    ended = found(api.http.get(f"/api/v1/entitlements/{old['id']}"))
    assert ended["activeTo"] == made["activeFrom"]
    assert api.worth(who, old["id"]) == {"hasAccess": False}
    assert api.worth(who, old["id"], old["createdAt"])["hasAccess"]
    assert [one["id"] for one in found(api.http.get(api.path(who)))] == [made["id"]]


def test_override_is_of_the_same_feature_and_of_one_that_has_not_ended(api: Entitling) -> None:
    who, old, meter = api.metered()
    other = api.feature(meter)
    status, detail = refusal(override(api, who, old["id"], featureKey=other["key"]))
    assert status == HTTPStatus.BAD_REQUEST
    assert detail is not None
    assert "old and new entitlements belong to different features" in detail
    api.made(override(api, who, old["id"], featureKey=old["featureKey"]))
    again = refusal(override(api, who, old["id"], featureKey=old["featureKey"]))
    assert again[0] == HTTPStatus.BAD_REQUEST


def listed(api: Entitling, **params: Any) -> Any:
    return found(api.http.get("/api/v1/entitlements", params=params))


def test_list_is_filtered_by_feature_subject_and_type(api: Entitling) -> None:
    who, made, meter = api.metered()
    switch = api.entitle(who, api.feature(meter), type="boolean")
    for feature in (made["featureKey"], made["featureId"], made["featureId"].lower()):
        assert listed(api, feature=feature) == [made]
    assert listed(api, subject=who) == [made, switch]
    assert listed(api, subject=[who, "nobody"], entitlementType="boolean") == [switch]
    assert listed(api, subject="nobody") == []
    status, _ = refusal(api.http.get("/api/v1/entitlements", params={"entitlementType": "x"}))
    assert status == HTTPStatus.BAD_REQUEST


def test_list_has_replaced_ones_unless_told_otherwise_and_never_deleted_ones(
    api: Entitling,
) -> None:
    who, old, _ = api.metered()
    new = api.made(override(api, who, old["id"], featureKey=old["featureKey"]))
    ids = [one["id"] for one in listed(api, subject=who)]
    assert ids == [old["id"], new["id"]]
    assert [one["id"] for one in listed(api, subject=who, excludeInactive=True)] == [new["id"]]
    api.http.delete(f"{api.path(who)}/{old['id']}")
    assert [one["id"] for one in listed(api, subject=who)] == [new["id"]]


def test_list_comes_as_an_array_or_in_pages(api: Entitling) -> None:
    who = subject()
    meter = api.create("SUM")
    made = [api.entitle(who, api.feature(meter))["id"] for _ in range(3)]
    assert [one["id"] for one in listed(api, subject=who, limit=2, offset=1)] == made[1:]
    page = listed(api, subject=who, page=2, pageSize=2, limit=1000, offset=0)
    assert (page["totalCount"], page["page"], page["pageSize"]) == (3, 2, 2)
    assert [one["id"] for one in page["items"]] == made[2:]
    down = listed(api, subject=who, order="DESC", orderBy="updatedAt")
    assert [one["id"] for one in down] == made[::-1]
