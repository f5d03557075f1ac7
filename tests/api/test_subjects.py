"""Subjects: what is known of those whose usage is measured."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from tests.support.metering import NOON, at, refusal
from tests.support.owners import Owners, word

SUBJECTS = "/api/v1/subjects"
FULL: dict[str, Any] = {
    "displayName": "ACME Inc.",
    "metadata": {"crm": {"id": 7, "tags": ["a", None, True]}},
    "currentPeriodStart": "2026-01-01T00:00:00Z",
    "currentPeriodEnd": "2026-02-01T00:00:00Z",
    "stripeCustomerId": "cus_1",
}
EMPTY = dict.fromkeys(FULL)


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Owners]:
    with Owners(base_url) as owners:
        yield owners


def described(subject: dict[str, Any]) -> dict[str, Any]:
    """Without what the server chose."""
    chosen = {"id", "createdAt", "updatedAt", "key"}
    return {name: value for name, value in subject.items() if name not in chosen}


def refused(api: Owners, body: object) -> str:
    status, detail = refusal(api.post(SUBJECTS, body))
    assert status == HTTPStatus.BAD_REQUEST
    return str(detail)


def test_every_member_comes_back(api: Owners) -> None:
    [created] = api.upsert({"key": word(), **FULL})
    assert described(created) == FULL
    assert len(created["id"]) == 26
    assert created["createdAt"] == created["updatedAt"]
    assert api.subject(created["key"]) == created


def test_a_key_is_enough_and_metadata_is_always_there(api: Owners) -> None:
    [created] = api.upsert({"key": word()})
    assert described(created) == {"metadata": {}}


@pytest.mark.parametrize("member", FULL)
def test_member_that_is_left_out_stays_and_one_that_is_null_is_cleared(
    api: Owners, member: str
) -> None:
    [created] = api.upsert({"key": word(), **FULL})
    [kept] = api.upsert({"key": created["key"]})
    assert described(kept) == FULL
    [cleared] = api.upsert({"key": created["key"], member: None})
    rest = {name: value for name, value in FULL.items() if name != member}
    assert described(cleared) == {"metadata": {}, **rest}
    assert cleared["id"] == created["id"]
    assert cleared["updatedAt"] > cleared["createdAt"] == created["createdAt"]


def test_metadata_is_replaced_as_a_whole(api: Owners) -> None:
    [created] = api.upsert({"key": word(), "metadata": {"a": 1, "b": {"c": 2}}})
    [changed] = api.upsert({"key": created["key"], "metadata": {"b": {}}})
    assert changed["metadata"] == {"b": {}}


def test_metadata_keeps_every_digit_of_its_numbers(api: Owners) -> None:
    key = word()
    metadata = '{"n": 0.12345678901234567890, "m": [12345678901234567890123456789]}'
    body = f'[{{"metadata":{metadata},"key":"{key}"}}]'
    answer = api.http.post(SUBJECTS, content=body, headers={"content-type": "application/json"})
    for told in (answer, api.one("GET", "subjects", key)):
        assert "0.12345678901234567890" in told.text
        assert "12345678901234567890123456789" in told.text


def test_answers_stand_in_the_order_of_the_request(api: Owners) -> None:
    keys = [word() for _ in range(5)]
    assert [one["key"] for one in api.upsert(*({"key": key} for key in keys))] == keys


def test_no_subjects_are_an_empty_array(api: Owners) -> None:
    answer = api.post(SUBJECTS, [])
    assert (answer.status_code, answer.text) == (HTTPStatus.OK, "[]")


def test_a_key_twice_in_a_request_is_a_creation_and_a_change(api: Owners) -> None:
    key = word()
    first, second = api.upsert({"key": key, "displayName": "A"}, {"key": key, "metadata": {"b": 1}})
    assert first["id"] == second["id"]
    assert (first["displayName"], first["metadata"]) == ("A", {})
    assert (second["displayName"], second["metadata"]) == ("A", {"b": 1})
    assert api.subject(key) == second


def test_a_request_is_stored_whole_or_not_at_all(api: Owners) -> None:
    good, bad = word(), word()
    assert "must start with cus_" in refused(
        api, [{"key": good}, {"key": bad, "stripeCustomerId": "acct_1"}]
    )
    for key in (good, bad):
        assert refusal(api.one("GET", "subjects", key))[0] == HTTPStatus.NOT_FOUND


def test_list_is_a_bare_array_in_the_order_of_creation(api: Owners) -> None:
    keys = [word() for _ in range(4)]
    api.upsert({"key": keys[0]})
    api.upsert(*({"key": key} for key in keys[1:]))
    api.upsert({"key": keys[0], "displayName": "changed"})
    listed = [one["key"] for one in api.http.get(SUBJECTS).json()]
    assert [key for key in listed if key in keys] == keys


def test_subject_is_found_by_key_and_by_id_in_either_case(api: Owners) -> None:
    [created] = api.upsert({"key": word()})
    for name in (created["key"], created["id"], created["id"].lower()):
        assert api.subject(name) == created


def test_key_that_reads_like_an_id_is_a_key_first(api: Owners) -> None:
    [other] = api.upsert({"key": word()})
    [created] = api.upsert({"key": other["id"]})
    assert api.subject(other["id"])["id"] == created["id"]


def test_unknown_subject_is_not_found(api: Owners) -> None:
    key = word()
    for method in ("GET", "DELETE"):
        answer = refusal(api.one(method, "subjects", key))
        assert answer == (404, f"not found error: subject not found: {key}")


@pytest.mark.parametrize(
    "key", ["a/b c", "/", "%2F", "ü/😀?#&=+", "..", "a\nb", "x" * 1024, "é" * 512]
)
def test_key_may_hold_any_character(api: Owners, key: str) -> None:
    [created] = api.upsert({"key": key})
    assert api.subject(key) == created
    assert api.one("DELETE", "subjects", key).status_code == HTTPStatus.NO_CONTENT
    assert api.one("GET", "subjects", key).status_code == HTTPStatus.NOT_FOUND


def test_slash_of_a_key_may_come_as_it_is(api: Owners) -> None:
    """Clients up to 1.0.0-beta.185 do not encode it."""
    key = f"{word()}/b"
    [created] = api.upsert({"key": key})
    assert api.http.get(f"{SUBJECTS}/{key}").json() == created
    assert api.http.delete(f"{SUBJECTS}/{key}").status_code == HTTPStatus.NO_CONTENT


def test_deleted_subject_is_found_by_id_and_not_by_key(api: Owners) -> None:
    [created] = api.upsert({"key": word(), **FULL})
    key, id_ = created["key"], created["id"]
    deleted = api.one("DELETE", "subjects", key)
    assert (deleted.status_code, deleted.content) == (HTTPStatus.NO_CONTENT, b"")
    assert refusal(api.one("GET", "subjects", key))[0] == HTTPStatus.NOT_FOUND
    assert refusal(api.one("DELETE", "subjects", key))[0] == HTTPStatus.NOT_FOUND
    found = api.subject(id_)
    assert found.pop("deletedAt") == found["updatedAt"] > created["updatedAt"]
    assert found == {**created, "updatedAt": found["updatedAt"]}
    assert key not in [one["key"] for one in api.http.get(SUBJECTS).json()]


def test_deleting_twice_by_id_is_fine_and_keeps_the_first_time(api: Owners) -> None:
    [created] = api.upsert({"key": word()})
    for _ in range(2):
        answer = api.one("DELETE", "subjects", created["id"])
        assert answer.status_code == HTTPStatus.NO_CONTENT
    found = api.subject(created["id"])
    assert found["deletedAt"] == found["updatedAt"]


def test_key_of_a_deleted_subject_may_be_taken_again(api: Owners) -> None:
    [created] = api.upsert({"key": word(), **FULL})
    api.one("DELETE", "subjects", created["key"])
    [again] = api.upsert({"key": created["key"]})
    assert again["id"] != created["id"]
    assert described(again) == {"metadata": {}}


def test_usage_needs_no_subject_and_outlives_it(api: Owners) -> None:
    meter, subject = api.create(), word()
    api.send(meter, at(NOON, subject=subject))
    assert refusal(api.one("GET", "subjects", subject))[0] == HTTPStatus.NOT_FOUND
    api.upsert({"key": subject})
    api.one("DELETE", "subjects", subject)
    assert api.value(meter, {"subject": subject}) == 1


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "request body has an error: must be a JSON array"),
        (["k"], 'Error at "/0": '),
        ([{"key": "k"}, {}], 'Error at "/1/key": Field required'),
        ([{"key": ""}], 'Error at "/0/key": String should have at least 1 character'),
        ([{"key": None}], 'Error at "/0/key": '),
        ([{"key": "k\0"}], 'Error at "/0/key": must not contain a NUL character'),
        ([{"key": "\ud800"}], 'Error at "/0/key": must not contain a lone surrogate'),
        ([{"key": "é" * 513}], 'Error at "/0/key": must not be larger than 1024 bytes'),
        ([{"key": "k", "displayName": "x" * 1025}], 'Error at "/0/displayName": '),
        ([{"key": "k", "displayName": "\0"}], 'Error at "/0/displayName": must not contain a NUL'),
        ([{"key": "k", "metadata": []}], 'Error at "/0/metadata": '),
        ([{"key": "k", "metadata": {"a": ["\0"]}}], 'Error at "/0/metadata": must not contain a N'),
        ([{"key": "k", "metadata": {"\ud800": 1}}], 'Error at "/0/metadata": must not contain a l'),
        ([{"key": "k", "stripeCustomerId": "x"}], "stripeCustomerId of k must start with cus_"),
        ([{"key": "k", "currentPeriodStart": "2026-01-01"}], 'Error at "/0/currentPeriodStart": '),
        (
            [{"key": "k", "currentPeriodEnd": "9999-12-31T23:59:59.999999Z"}],
            'Error at "/0/currentPeriodEnd": must be from year 1000 on and before 9999',
        ),
    ],
)
def test_wrong_subject_is_refused_by_its_place(api: Owners, body: object, detail: str) -> None:
    assert detail in refused(api, body)


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ('{"a":1e200000}', "a number with more than 1000 digits"),
        ('{"a":NaN}', "not valid JSON"),
        ('{"a":' * 65 + "1" + "}" * 65, "must not be nested deeper than 64 levels"),
        (f'{{"a":"{"x" * 256 * 1024}"}}', "must not be larger than 262144 bytes"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, ""),
    ],
    ids=["huge number", "NaN", "deep", "large", "endless"],
)
def test_metadata_that_cannot_be_kept_is_refused(api: Owners, metadata: str, problem: str) -> None:
    body = f'[{{"key":"k","metadata":{metadata}}}]'
    answer = api.http.post(SUBJECTS, content=body, headers={"content-type": "application/json"})
    status, detail = refusal(answer)
    assert status == HTTPStatus.BAD_REQUEST
    assert problem in str(detail)


def test_concurrent_requests_create_a_subject_once(api: Owners) -> None:
    """Each names the same subjects in an order of its own, and changes one member."""
    keys = [word() for _ in range(6)]
    bodies = [
        [{"key": key, "metadata" if i % 2 else "displayName": {"i": i} if i % 2 else f"{i}"}
         for key in keys[i % 6 :] + keys[: i % 6]]
        for i in range(16)
    ]  # fmt: skip
    answers = api.at_once([("POST", SUBJECTS, body) for body in bodies])
    assert {answer.status_code for answer in answers} == {HTTPStatus.OK}
    ids = {(one["key"], one["id"]) for answer in answers for one in answer.json()}
    assert len(ids) == len(keys)
    for key in keys:
        subject = api.subject(key)
        assert "displayName" in subject, "a change was lost"
        assert "i" in subject["metadata"], "a change was lost"
