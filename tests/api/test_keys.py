"""`/api/v1/keys`: keys are made, told once, listed and revoked."""

import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.support.access import HOME, Guarded, keys_of
from tests.support.metering import instant, refusal

from monometer.core.access import KeyScope, hash_of
from monometer.store.engine import create_engine

KEYS = "/api/v1/keys"


def create(admin: httpx.Client, **members: object) -> dict[str, Any]:
    body = {"name": "a test", "scopes": ["meters:read"], **members}
    answer = admin.post(KEYS, json=body)
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    key: dict[str, Any] = answer.json()
    return key


def test_new_key_tells_what_it_is_for(admin: httpx.Client) -> None:
    key = create(admin, name="billing \u00e9", scopes=["meters:read", "events:write"])
    assert key["name"] == "billing \u00e9"
    assert key["scopes"] == ["events:write", "meters:read"]
    assert key["namespace"] == HOME
    assert key["key"].startswith(key["prefix"])
    assert key.keys() == {"id", "namespace", "name", "prefix", "scopes", "createdAt", "key"}


def test_key_is_told_once(admin: httpx.Client) -> None:
    key = create(admin)
    token = key.pop("key")
    assert admin.get(f"{KEYS}/{key['id']}").json() == key
    assert key in admin.get(KEYS).json()
    assert token not in admin.get(KEYS).text


def test_prefix_leaves_at_least_128_bits_to_guess(admin: httpx.Client) -> None:
    key = create(admin)
    assert (len(key["key"]) - len(key["prefix"])) * 6 >= 128


def test_no_two_keys_are_alike(admin: httpx.Client) -> None:
    assert len({create(admin)["key"] for _ in range(20)}) == 20


async def test_database_keeps_a_hash_and_not_the_key(guarded: Guarded, admin: httpx.Client) -> None:
    key = create(admin)
    engine = create_engine(
        guarded.database_url, connections_max=1, wait_s=10, statement_timeout_s=60
    )
    try:
        stored = await keys_of(engine).key(HOME, key["id"])
        async with engine.connect() as connection:
            rows = (await connection.exec_driver_sql("SELECT api_key::text FROM api_key")).all()
    finally:
        await engine.dispose()
    assert stored.hash == hash_of(key["key"])
    assert key["key"] not in str(rows)


def test_newest_key_is_listed_first(admin: httpx.Client) -> None:
    first, second = create(admin)["id"], create(admin)["id"]
    listed = [key["id"] for key in admin.get(KEYS).json()]
    assert listed.index(second) < listed.index(first)


def test_key_is_found_by_its_id_in_either_case(admin: httpx.Client) -> None:
    key = create(admin)
    assert admin.get(f"{KEYS}/{key['id'].lower()}").json()["id"] == key["id"]


def test_revoked_key_opens_nothing_at_once(guarded: Guarded, admin: httpx.Client) -> None:
    key = create(admin)
    with guarded.client(key["key"]) as client:
        assert client.get("/api/v1/meters").status_code == HTTPStatus.OK
        assert admin.delete(f"{KEYS}/{key['id']}").status_code == HTTPStatus.NO_CONTENT
        assert client.get("/api/v1/meters").status_code == HTTPStatus.UNAUTHORIZED


def test_revoked_key_is_listed_on_request_only(admin: httpx.Client) -> None:
    key = create(admin)
    admin.delete(f"{KEYS}/{key['id']}")
    assert key["id"] not in {one["id"] for one in admin.get(KEYS).json()}
    every = {one["id"]: one for one in admin.get(f"{KEYS}?includeRevoked=true").json()}
    assert every[key["id"]]["revokedAt"] >= key["createdAt"]
    assert admin.get(f"{KEYS}/{key['id']}").json() == every[key["id"]]


def test_revoking_again_keeps_the_first_time(admin: httpx.Client) -> None:
    key = create(admin)
    told = []
    for _ in range(2):
        assert admin.delete(f"{KEYS}/{key['id']}").status_code == HTTPStatus.NO_CONTENT
        told.append(admin.get(f"{KEYS}/{key['id']}").json()["revokedAt"])
    assert told[0] == told[1]


def test_key_ends_when_it_was_told_to(guarded: Guarded, admin: httpx.Client) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=1.5)  # noqa: TID251
    key = create(admin, expiresAt=ends.isoformat())
    assert instant(key["expiresAt"]) == ends
    with guarded.client(key["key"]) as client:
        assert client.get("/api/v1/meters").status_code == HTTPStatus.OK
        while client.get("/api/v1/meters").status_code == HTTPStatus.OK:
            assert datetime.now(UTC) < ends + timedelta(seconds=1)  # noqa: TID251
        assert datetime.now(UTC) >= ends  # noqa: TID251
    assert admin.get(f"{KEYS}/{key['id']}").json()["expiresAt"] == key["expiresAt"]


def test_making_and_revoking_are_in_the_log_without_the_key(
    guarded: Guarded, admin: httpx.Client
) -> None:
    key = create(admin)
    admin.delete(f"{KEYS}/{key['id']}")
    log = guarded.log.read_text()
    records = [json.loads(line) for line in log.splitlines() if key["id"] in line]
    told = [(one["event"], one["namespace"], one["by"]) for one in records if "by" in one]
    assert told == [
        ("key.created", HOME, "MONOMETER_ADMIN_KEY"),
        ("key.revoked", HOME, "MONOMETER_ADMIN_KEY"),
    ]
    assert key["key"] not in log
    assert guarded.admin_key not in log


def test_use_of_a_key_is_noted(guarded: Guarded, admin: httpx.Client) -> None:
    key = create(admin)
    assert "lastUsedAt" not in admin.get(f"{KEYS}/{key['id']}").json()
    with guarded.client(key["key"]) as client:
        client.get("/api/v1/meters")
    for _ in range(200):
        found = admin.get(f"{KEYS}/{key['id']}").json()
        if "lastUsedAt" in found:
            break
    assert found["lastUsedAt"] > key["createdAt"]


@pytest.mark.parametrize("id_", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fav"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_key_is_not_found(admin: httpx.Client, method: str, id_: str) -> None:
    answer = admin.request(method, f"{KEYS}/{id_}")
    assert refusal(answer) == (404, f"not found error: key not found: {id_}")


@pytest.mark.parametrize(
    "id_", ["x", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "%F0%9F%98%80", "%FF", "a" * 99]
)
def test_what_is_no_id_is_a_bad_request(admin: httpx.Client, id_: str) -> None:
    assert refusal(admin.get(f"{KEYS}/{id_}"))[0] == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", ""),
        ("name", "n" * 257),
        ("name", "a\0b"),
        ("name", "\ud800"),
        ("name", 7),
        ("name", None),
        ("scopes", []),
        ("scopes", ["events"]),
        ("scopes", ["events:write "]),
        ("scopes", ["ADMIN"]),
        ("scopes", ["*"]),
        ("scopes", "admin"),
        ("scopes", None),
        ("scopes", ["admin"] * 1000),
        ("scopes", [["admin"]]),
        ("expiresAt", "2001-01-01T00:00:00Z"),
        ("expiresAt", "9999-12-31T23:59:59Z"),
        ("expiresAt", "tomorrow"),
        ("expiresAt", 4102444800),
    ],
)
def test_wrong_member_is_refused_by_name(admin: httpx.Client, member: str, value: object) -> None:
    body = {"name": "a test", "scopes": ["admin"], member: value}
    before = admin.get(KEYS).json()
    status, detail = refusal(
        admin.post(KEYS, json=body)
        if value != "\ud800"
        else admin.post(
            KEYS,
            content=b'{"name": "\\ud800", "scopes": ["admin"]}',
            headers={"content-type": "application/json"},
        )
    )
    assert status == HTTPStatus.BAD_REQUEST
    assert detail is not None
    assert member in detail or "expiry" in detail
    assert admin.get(KEYS).json() == before


def test_scope_said_twice_is_one_scope(admin: httpx.Client) -> None:
    assert create(admin, scopes=["admin", "admin"])["scopes"] == ["admin"]


def test_key_may_have_every_scope(admin: httpx.Client) -> None:
    assert create(admin, scopes=list(KeyScope))["scopes"] == list(KeyScope)


def test_without_authentication_keys_are_those_of_the_servers_namespace(base_url: str) -> None:
    name = uuid4().hex
    with httpx.Client(base_url=base_url) as client:
        key = create(client, name=name)
        assert key["namespace"] == "default"
        assert name in {one["name"] for one in client.get(KEYS).json()}
