"""Meters by id and slug: read, replaced, deleted, and their slug taken again."""

from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest
from tests.support.metering import Meter, Metering, instant, refusal

METERS = "/api/v1/meters"
UNKNOWN_ID = "01HM6ZYX00000000000000000A"


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


def get(api: Metering, id_or_slug: str) -> httpx.Response:
    return api.http.get(f"{METERS}/{id_or_slug}")


def put(api: Metering, meter: Meter, body: object) -> httpx.Response:
    return api.http.put(f"{METERS}/{meter['slug']}", json=body)


def replaced(api: Metering, meter: Meter, body: object) -> Meter:
    answer = put(api, meter, body)
    assert answer.status_code == HTTPStatus.OK, answer.text
    changed: Meter = answer.json()
    return changed


def delete(api: Metering, id_or_slug: str) -> httpx.Response:
    return api.http.delete(f"{METERS}/{id_or_slug}")


@pytest.fixture
def full(api: Metering) -> Meter:
    return api.create(
        "SUM",
        name="Tokens",
        description="Of prompts",
        groupBy={"model": "$.model"},
        metadata={"team": "search"},
        eventFrom="2024-01-01T00:00:00Z",
    )


@pytest.fixture
def deleted(api: Metering) -> Meter:
    meter = api.create()
    assert delete(api, meter["slug"]).status_code == HTTPStatus.NO_CONTENT
    return meter


def test_create_answers_what_get_answers(api: Metering, full: Meter) -> None:
    assert get(api, full["slug"]).json() == full


def test_meter_is_found_by_slug_and_by_id_in_either_case(api: Metering, full: Meter) -> None:
    for name in (full["slug"], full["id"], full["id"].lower()):
        assert get(api, name).json()["id"] == full["id"]


def test_slug_that_reads_like_an_id_is_a_slug_first(api: Metering, full: Meter) -> None:
    twin = api.create(slug=full["id"].lower())
    assert get(api, full["id"].lower()).json()["id"] == twin["id"]
    assert get(api, full["id"]).json()["id"] == full["id"]


@pytest.mark.parametrize("name", ["nobody", "z" * 64, UNKNOWN_ID, UNKNOWN_ID.lower()])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_unknown_meter_is_not_found(api: Metering, method: str, name: str) -> None:
    body: dict[str, str] | None = {} if method == "PUT" else None
    answer = api.http.request(method, f"{METERS}/{name}", json=body)
    assert refusal(answer) == (404, f"not found error: meter not found: {name}")


@pytest.mark.parametrize(
    "name",
    [
        "UPPER",
        "a__b",
        "a-b",
        "a" * 65,
        "91HM6ZYX00000000000000000A",
        "a%0A",
        "%FF",
        "%C3%A9",
        "%20",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_name_that_no_meter_can_have_is_refused(api: Metering, method: str, name: str) -> None:
    body: dict[str, str] | None = {} if method == "PUT" else None
    answer = api.http.request(method, f"{METERS}/{name}", json=body)
    status, detail = refusal(answer)
    assert status == HTTPStatus.BAD_REQUEST
    assert detail is not None
    assert detail.startswith('parameter "meterIdOrSlug" in path has an error: ')


def test_second_live_meter_of_a_slug_is_a_conflict(api: Metering, full: Meter) -> None:
    answer = api.try_to_create(slug=full["slug"])
    assert refusal(answer) == (409, "conflict error: meter with the same slug already exists")


def test_replacing_with_nothing_resets_the_name_and_clears_groups_and_metadata(
    api: Metering, full: Meter
) -> None:
    changed = replaced(api, full, {})
    assert changed["name"] == full["slug"]
    assert changed["metadata"] is None
    assert "groupBy" not in changed


@pytest.mark.parametrize("body", [{}, {"description": None}])
def test_replacing_keeps_a_description_left_out(
    api: Metering, full: Meter, body: dict[str, None]
) -> None:
    assert replaced(api, full, body)["description"] == "Of prompts"


def test_replacing_sets_the_four_free_members(api: Metering, full: Meter) -> None:
    free = {
        "name": "Words",
        "description": "Of answers",
        "groupBy": {"kind": "$.kind"},
        "metadata": {"team": "ads"},
    }
    changed = replaced(api, full, free)
    assert {name: changed[name] for name in free} == free
    assert get(api, full["slug"]).json() == changed


def test_replacing_ignores_every_other_member(api: Metering, full: Meter) -> None:
    fixed = {
        "id": UNKNOWN_ID, "slug": "other", "aggregation": "MAX", "eventType": "", "eventFrom": "x",
        "valueProperty": 3, "annotations": {"a": 1}, "windowSize": "DAY", "createdAt": 0, "new": [],
    }  # fmt: skip
    changed = replaced(api, full, fixed)
    for name in set(fixed) - {"new"}:
        assert changed[name] == full[name], name
    assert "new" not in changed


def test_replacing_moves_only_the_time_of_update(api: Metering, full: Meter) -> None:
    changed = replaced(api, full, {})
    assert changed["createdAt"] == full["createdAt"]
    assert instant(changed["updatedAt"]) > instant(full["updatedAt"])


def test_replaced_groups_apply_to_events_already_stored(api: Metering, full: Meter) -> None:
    api.send(full, {"data": {"v": 1, "kind": "input"}})
    replaced(api, full, {"groupBy": {"kind": "$.kind"}})
    [row] = api.rows(full, {"groupBy": "kind"})
    assert row.group == {"kind": "input"}


WRONG_CHANGES = {
    "empty name": {"name": ""},
    "long name": {"name": "n" * 257},
    "empty description": {"description": ""},
    "long description": {"description": "d" * 1025},
    "reserved key": {"groupBy": {"subject": "$.x"}},
    "wrong key": {"groupBy": {"a-b": "$.x"}},
    "wrong path": {"groupBy": {"k": "$..x"}},
    "the value itself": {"groupBy": {"k": "$.v"}},
    "metadata of numbers": {"metadata": {"k": 1}},
    "NUL": {"metadata": {"k": "\0"}},
    "a list": [],
}


@pytest.mark.parametrize("change", WRONG_CHANGES)
def test_wrong_change_is_refused_and_changes_nothing(
    api: Metering, full: Meter, change: str
) -> None:
    assert refusal(put(api, full, WRONG_CHANGES[change]))[0] == HTTPStatus.BAD_REQUEST
    assert get(api, full["slug"]).json() == full


def test_deleting_answers_without_a_body(api: Metering, full: Meter) -> None:
    answer = delete(api, full["slug"])
    assert (answer.status_code, answer.content) == (HTTPStatus.NO_CONTENT, b"")
    assert "content-type" not in answer.headers


def test_meter_can_be_deleted_by_id_in_lower_case(api: Metering, full: Meter) -> None:
    assert delete(api, full["id"].lower()).status_code == HTTPStatus.NO_CONTENT
    assert get(api, full["slug"]).status_code == HTTPStatus.NOT_FOUND


def test_deleted_meter_is_gone_by_slug(api: Metering, deleted: Meter) -> None:
    for answer in (get(api, deleted["slug"]), delete(api, deleted["slug"]), api.query(deleted)):
        assert refusal(answer) == (404, f"not found error: meter not found: {deleted['slug']}")


def test_deleted_meter_is_read_by_id_with_the_time_of_its_end(
    api: Metering, deleted: Meter
) -> None:
    found = get(api, deleted["id"]).json()
    assert found["deletedAt"] == found["updatedAt"]
    assert instant(found["deletedAt"]) > instant(deleted["createdAt"])
    assert found["slug"] == deleted["slug"]


def test_deleting_twice_by_id_is_fine_and_keeps_the_first_time(
    api: Metering, deleted: Meter
) -> None:
    before = get(api, deleted["id"]).json()
    assert delete(api, deleted["id"]).status_code == HTTPStatus.NO_CONTENT
    assert get(api, deleted["id"]).json() == before


def test_deleted_meter_is_not_changed(api: Metering, deleted: Meter) -> None:
    answer = api.http.put(f"{METERS}/{deleted['id']}", json={"name": "again"})
    assert refusal(answer)[0] == HTTPStatus.NOT_FOUND


def test_deleted_meter_answers_queries_by_id_from_events_that_stay(api: Metering) -> None:
    meter = api.create("SUM", groupBy={"k": "$.k"})
    api.send(meter, {"data": {"v": 3, "k": "x"}})
    delete(api, meter["slug"])
    by_id = {**meter, "slug": meter["id"]}
    assert api.value(by_id) == 3
    assert api.http.get(f"{METERS}/{meter['id']}/subjects").json() == ["ann"]
    assert api.http.get(f"{METERS}/{meter['id']}/group-by/k/values").json() == ["x"]


def test_slug_of_a_deleted_meter_may_be_taken_again(api: Metering, deleted: Meter) -> None:
    second = api.create(slug=deleted["slug"])
    assert get(api, deleted["slug"]).json()["id"] == second["id"]
    assert get(api, deleted["id"]).json()["id"] == deleted["id"]
    delete(api, second["slug"])
    assert api.create(slug=deleted["slug"])["id"] not in {second["id"], deleted["id"]}
