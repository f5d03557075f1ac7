"""Features over HTTP: what a feature may be, how it is found and listed, and what it holds fast."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.support.metering import Meter, Metering, refusal

PATH = "/api/v1/features"


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def meter(api: Metering) -> Meter:
    return api.create("SUM", groupBy={"model": "$.model", "kind": "$.kind"})


def key() -> str:
    return f"f_{uuid4().hex}"


def attempt(api: Metering, **members: object) -> httpx.Response:
    return api.post(PATH, {"key": key(), "name": "A feature", **members})


def create(api: Metering, **members: object) -> dict[str, Any]:
    made = attempt(api, **members)
    assert made.status_code == HTTPStatus.CREATED, made.text
    feature: dict[str, Any] = made.json()
    return feature


def refused(api: Metering, status: int = HTTPStatus.BAD_REQUEST, **members: object) -> str:
    found, detail = refusal(attempt(api, **members))
    assert found == status, detail
    assert detail is not None
    return detail


def get(api: Metering, id_or_key: str) -> httpx.Response:
    return api.http.get(f"{PATH}/{id_or_key}")


def listed(api: Metering, **params: Any) -> Any:
    answer = api.http.get(PATH, params=params)
    assert answer.status_code == HTTPStatus.OK, answer.text
    return answer.json()


def test_feature_without_a_meter_has_a_name_and_a_key_alone(api: Metering) -> None:
    made = create(api, name="Seats")
    assert set(made) == {"id", "key", "name", "createdAt", "updatedAt"}
    assert made["name"] == "Seats"


def test_created_feature_has_every_member_that_was_set(api: Metering, meter: Meter) -> None:
    filters = {"model": {"$in": ["a", "b"]}, "kind": {"$or": [{"$like": "x%"}, {"$gt": "y"}]}}
    made = create(
        api,
        meterSlug=meter["slug"],
        advancedMeterGroupByFilters=filters,
        unitCost={"type": "manual", "amount": "0.0020"},
        metadata={"team": "search"},
    )
    assert made["meterSlug"] == meter["slug"]
    assert made["advancedMeterGroupByFilters"] == filters
    assert "meterGroupByFilters" not in made
    assert made["unitCost"] == {"type": "manual", "amount": "0.0020"}
    assert made["metadata"] == {"team": "search"}
    assert get(api, made["id"]).json() == made


def test_simple_filters_are_shown_in_both_forms(api: Metering, meter: Meter) -> None:
    made = create(api, meterSlug=meter["slug"], meterGroupByFilters={"model": "a"})
    assert made["meterGroupByFilters"] == {"model": "a"}
    assert made["advancedMeterGroupByFilters"] == {"model": {"$eq": "a"}}


def test_advanced_filters_win_over_simple_ones(api: Metering, meter: Meter) -> None:
    made = create(
        api,
        meterSlug=meter["slug"],
        meterGroupByFilters={"kind": "k"},
        advancedMeterGroupByFilters={"model": {"$eq": "a"}},
    )
    assert made["meterGroupByFilters"] == {"model": "a"}


def test_no_advanced_filters_leave_the_simple_ones(api: Metering, meter: Meter) -> None:
    made = create(
        api,
        meterSlug=meter["slug"],
        meterGroupByFilters={"kind": "k"},
        advancedMeterGroupByFilters={},
    )
    assert made["meterGroupByFilters"] == {"kind": "k"}


@pytest.mark.parametrize("wrong", ["Bad-Key", "a__b", "_a", "a_", "", "k" * 65, 5, None])
def test_key_is_lower_case_words_joined_by_underscores(api: Metering, wrong: object) -> None:
    assert '"/key"' in refused(api, key=wrong)


def test_key_cannot_look_like_an_id(api: Metering) -> None:
    assert "Feature key cannot be a valid ULID" in refused(api, key="01kdv7b0000000000000000000")


@pytest.mark.parametrize("missing", ["key", "name"])
def test_key_and_name_are_required(api: Metering, missing: str) -> None:
    body = {"key": key(), "name": "n"}
    del body[missing]
    status, detail = refusal(api.post(PATH, body))
    assert status == HTTPStatus.BAD_REQUEST
    assert detail is not None
    assert f'"/{missing}"' in detail


def test_meter_must_exist(api: Metering) -> None:
    detail = refused(api, HTTPStatus.NOT_FOUND, meterSlug="no_such_meter")
    assert detail == "not found error: meter not found: no_such_meter"


@pytest.mark.parametrize("aggregation", ["MIN", "MAX", "AVG"])
def test_meter_must_have_usage_that_adds_up(api: Metering, aggregation: str) -> None:
    meter = api.create(aggregation)
    detail = refused(api, meterSlug=meter["slug"])
    assert f"aggregation is {aggregation} but features can only be created for SUM" in detail


@pytest.mark.parametrize("aggregation", ["SUM", "COUNT", "UNIQUE_COUNT", "LATEST"])
def test_other_aggregations_make_features(api: Metering, aggregation: str) -> None:
    meter = api.create(aggregation)
    assert create(api, meterSlug=meter["slug"])["meterSlug"] == meter["slug"]


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ({"colour": {"$eq": "red"}}, "colour is not a group key of its meter"),
        ({"model": {"$eq": "a", "$ne": "b"}}, "multiple operators are set"),
        ({"model": {}}, "model has no operator"),
        ({"model": {"$eq": ""}}, "format mismatch"),
        ({"model": {"$in": ["a", ""]}}, "format mismatch"),
        ({"model": {"$or": [{"$eq": "a"}] * 101}}, "more than 100 operators"),
        ({"model": {"$eq": "a\0"}}, "NUL"),
    ],
)
def test_wrong_filters_are_refused(
    api: Metering, meter: Meter, filters: object, reason: str
) -> None:
    assert reason in refused(api, meterSlug=meter["slug"], advancedMeterGroupByFilters=filters)


def test_filters_need_a_meter(api: Metering) -> None:
    assert "invalid filters for feature" in refused(api, meterGroupByFilters={"model": "a"})


@pytest.mark.parametrize(
    "cost",
    [
        {"type": "llm", "provider": "p", "model": "m", "tokenType": "input"},
        {
            "type": "llm",
            "providerProperty": "kind",
            "modelProperty": "model",
            "tokenType": "output",
        },
    ],
)
def test_cost_of_a_language_model_is_kept_as_written(
    api: Metering, meter: Meter, cost: dict[str, str]
) -> None:
    assert create(api, meterSlug=meter["slug"], unitCost=cost)["unitCost"] == cost


@pytest.mark.parametrize(
    "cost",
    [
        {"type": "manual"},
        {"type": "manual", "amount": "-1"},
        {"type": "manual", "amount": 5},
        {"type": "manual", "amount": "1e3"},
        {"type": "other"},
        {"type": "llm", "provider": "p", "model": "m"},
        {"type": "llm", "provider": "p", "model": "m", "tokenType": "thoughts"},
        {"type": "llm", "providerProperty": "nope", "model": "m", "tokenType": "input"},
        {
            "type": "llm", "provider": "p", "providerProperty": "kind", "model": "m",
            "tokenType": "input",
        },
    ],
)  # fmt: skip
def test_wrong_cost_is_refused(api: Metering, meter: Meter, cost: object) -> None:
    refused(api, meterSlug=meter["slug"], unitCost=cost)


def test_cost_of_a_language_model_needs_a_meter(api: Metering) -> None:
    cost = {"type": "llm", "provider": "p", "model": "m", "tokenType": "input"}
    assert "needs a meter" in refused(api, unitCost=cost)


def test_taken_key_is_a_conflict_that_names_who_has_it(api: Metering) -> None:
    made = create(api)
    detail = refused(api, HTTPStatus.CONFLICT, key=made["key"])
    assert detail == f"conflict error: feature {made['id']} with key {made['key']} already exists"


def test_feature_is_found_by_id_in_either_case_and_by_key(api: Metering) -> None:
    made = create(api)
    for name in (made["id"], made["id"].lower(), made["key"]):
        assert get(api, name).json() == made


@pytest.mark.parametrize("name", ["no_such", "01KDV7B0000000000000000000", "No%20Key", "%C3%A9"])
def test_unknown_feature_is_not_found(api: Metering, name: str) -> None:
    for answer in (get(api, name), api.http.delete(f"{PATH}/{name}")):
        status, detail = refusal(answer)
        assert status == HTTPStatus.NOT_FOUND
        assert detail is not None
        assert detail.startswith("not found error: feature not found: ")


def test_path_that_no_database_can_hold_is_refused(api: Metering) -> None:
    assert refusal(get(api, "a%00b"))[0] == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("by", ["id", "key"])
def test_archived_feature_is_gone_and_frees_its_key(api: Metering, by: str) -> None:
    made = create(api)
    assert api.http.delete(f"{PATH}/{made[by]}").status_code == HTTPStatus.NO_CONTENT
    assert get(api, made["id"]).status_code == HTTPStatus.NOT_FOUND
    assert get(api, made["key"]).status_code == HTTPStatus.NOT_FOUND
    assert api.http.delete(f"{PATH}/{made[by]}").status_code == HTTPStatus.NOT_FOUND
    again = create(api, key=made["key"])
    assert get(api, made["key"]).json() == again


def test_archived_features_are_listed_when_asked_for(api: Metering) -> None:
    own = api.create("COUNT")
    made = create(api, meterSlug=own["slug"])
    api.http.delete(f"{PATH}/{made['id']}")
    assert listed(api, meterSlug=own["slug"]) == []
    [archived] = listed(api, meterSlug=own["slug"], includeArchived=True)
    assert archived["archivedAt"] == archived["updatedAt"]
    assert archived["id"] == made["id"]


def test_list_is_an_array_in_the_order_of_keys_and_a_page_when_a_page_is_asked_for(
    api: Metering,
) -> None:
    own = api.create("COUNT")["slug"]
    keys = sorted(create(api, meterSlug=own)["key"] for _ in range(3))
    assert [one["key"] for one in listed(api, meterSlug=own)] == keys
    assert [one["key"] for one in listed(api, meterSlug=own, limit=1, offset=1)] == keys[1:2]
    page = listed(api, meterSlug=own, page=2, pageSize=2, limit=1000, offset=0)
    assert (page["totalCount"], page["page"], page["pageSize"]) == (3, 2, 2)
    assert [one["key"] for one in page["items"]] == keys[2:]
    sized = listed(api, meterSlug=own, pageSize=2)
    assert (sized["page"], [one["key"] for one in sized["items"]]) == (1, keys[:2])
    numbered = listed(api, meterSlug=own, page=1)
    assert (numbered["pageSize"], len(numbered["items"])) == (100, 3)


def test_list_is_filtered_by_several_meters(api: Metering) -> None:
    slugs = [api.create("COUNT")["slug"] for _ in range(3)]
    for slug in slugs:
        create(api, meterSlug=slug)
    found = listed(api, meterSlug=slugs[:2])
    assert sorted(one["meterSlug"] for one in found) == sorted(slugs[:2])


@pytest.mark.parametrize("order_by", ["id", "key", "name", "createdAt", "updatedAt"])
def test_list_is_ordered_both_ways(api: Metering, order_by: str) -> None:
    own = api.create("COUNT")["slug"]
    for name in ("c", "a", "b"):
        create(api, meterSlug=own, name=name)
    up = [one[order_by] for one in listed(api, meterSlug=own, orderBy=order_by)]
    down = [one[order_by] for one in listed(api, meterSlug=own, orderBy=order_by, order="DESC")]
    assert up == sorted(up) == down[::-1]


def test_list_far_beyond_its_end_is_empty(api: Metering) -> None:
    assert listed(api, offset=10**30) == []
    assert listed(api, page=10**30, pageSize=1000)["items"] == []


@pytest.mark.parametrize(
    "params", [{"page": 0}, {"pageSize": 1001}, {"limit": 0}, {"offset": -1}, {"orderBy": "x"}]
)
def test_wrong_parameters_of_the_list_are_named(api: Metering, params: dict[str, Any]) -> None:
    status, detail = refusal(api.http.get(PATH, params=params))
    assert status == HTTPStatus.BAD_REQUEST
    assert detail is not None
    assert f'"{next(iter(params))}"' in detail


def test_meter_of_a_live_feature_cannot_be_deleted(api: Metering) -> None:
    meter = api.create("SUM")
    made = create(api, meterSlug=meter["slug"])
    path = f"/api/v1/meters/{meter['slug']}"
    status, detail = refusal(api.http.delete(path))
    assert status == HTTPStatus.CONFLICT
    assert detail == "conflict error: meter has active features and cannot be deleted"
    api.http.delete(f"{PATH}/{made['id']}")
    assert api.http.delete(path).status_code == HTTPStatus.NO_CONTENT


def test_meter_keeps_the_group_keys_that_a_live_feature_filters_by(api: Metering) -> None:
    meter = api.create("SUM", groupBy={"model": "$.model", "kind": "$.kind"})
    made = create(api, meterSlug=meter["slug"], meterGroupByFilters={"model": "a"})
    path = f"/api/v1/meters/{meter['slug']}"
    status, detail = refusal(api.http.put(path, json={"groupBy": {"kind": "$.kind"}}))
    assert status == HTTPStatus.CONFLICT
    assert detail == (
        "conflict error: meter group by: model cannot be dropped "
        f"because it is used by feature: {made['key']}"
    )
    kept = api.http.put(path, json={"groupBy": {"model": "$.other"}})
    assert kept.status_code == HTTPStatus.OK
