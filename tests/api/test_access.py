"""Who is let in where keys are needed, what the others are told, and what that costs them."""

import socket
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.access import Guarded, new_key
from tests.support.metering import refusal
from tests.support.sending import event

from monometer.core.access import KEY_PREFIX, KeyScope

METERS = "/api/v1/meters"
EVENTS = "/api/v1/events"
UNKNOWN = KEY_PREFIX + "x" * 32


@pytest.fixture(scope="module")
def stranger(guarded: Guarded) -> Iterator[httpx.Client]:
    with guarded.client(None) as client:
        yield client


def raw(guarded: Guarded, head: bytes, body: bytes = b"") -> bytes:
    """The whole of what a server says to these bytes until it is silent or closes."""
    address = urlsplit(guarded.url)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head + b"\r\n\r\n" + body)
        answer = b""
        while b"\r\n\r\n" not in answer and (more := connection.recv(65536)):
            answer += more
        return answer


@pytest.mark.parametrize("path", [METERS, EVENTS, "/metrics", "/nowhere", "/", "/api/v1/keys"])
def test_without_a_key_nobody_comes_in(stranger: httpx.Client, path: str) -> None:
    answer = stranger.get(path)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert refusal(answer) == (
        401,
        "unauthorized error: an API key is needed: Authorization: Bearer KEY",
    )


@pytest.mark.parametrize(
    "authorization",
    [
        b"",
        b" ",
        b"Bearer",
        b"Bearer ",
        b"Bearer    ",
        b"Basic dXNlcjpwYXNzd29yZA==",
        b"Basic " + UNKNOWN.encode(),
        b"Token " + UNKNOWN.encode(),
        b"Bearer " + UNKNOWN.encode(),
        b"Bearer " + UNKNOWN.encode() + b" " + UNKNOWN.encode(),
        b"Bearer " + UNKNOWN.encode() + b", Bearer " + UNKNOWN.encode(),
        b"Bearer " + KEY_PREFIX.encode(),
        b"Bearer null",
        b"Bearer undefined",
        b"Bearer " + b"x" * 257,
        b"Bearer " + KEY_PREFIX.encode() + b"x" * 40_000,
        b"Bearer " + "mm_sch\u00fcssel".encode(),
        b"Bearer \xff\xfe\xfd",
        b"Bearer ' OR 1=1 --",
        b"Bearer \t",
        b"\xff\xff",
        b"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
    ],
    ids=lambda header: repr(header[:40]),
)
@pytest.mark.parametrize("path", [METERS, EVENTS])
def test_any_other_authorization_is_401(guarded: Guarded, path: str, authorization: bytes) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: ".encode()
    answer = raw(guarded, head + authorization)
    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert b"\r\nwww-authenticate: Bearer\r\n" in answer
    assert b"\r\ncontent-type: application/problem+json\r\n" in answer


def test_two_authorization_headers_are_none(guarded: Guarded) -> None:
    good = (b"authorization", f"Bearer {guarded.admin_key}".encode())
    with httpx.Client(base_url=guarded.url) as client:
        assert client.get(METERS, headers=[good]).status_code == HTTPStatus.OK
        assert client.get(METERS, headers=[good, good]).status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_scheme_may_be_in_any_case(guarded: Guarded, scheme: str) -> None:
    with httpx.Client(base_url=guarded.url) as client:
        headers = {"authorization": f"{scheme} {guarded.admin_key}"}
        assert client.get(METERS, headers=headers).status_code == HTTPStatus.OK


async def test_key_that_is_nearly_right_is_wrong(guarded: Guarded) -> None:
    key = await new_key(guarded.database_url)
    swapped = key[:-1] + ("A" if key[-1] != "A" else "B")
    for wrong in (key[:-1], key + "A", swapped, key.swapcase(), key.removeprefix(KEY_PREFIX)):
        with guarded.client(wrong) as client:
            assert client.get(METERS).status_code == HTTPStatus.UNAUTHORIZED
    with guarded.client(key) as client:
        assert client.get(METERS).status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "path",
    [
        "/healthz", "/healthz/live", "/healthz/ready", "/version",
        "/openapi.json", "/api/swagger.json", "/docs", "/redoc",
    ],
)  # fmt: skip
def test_what_is_the_same_on_every_server_needs_no_key(stranger: httpx.Client, path: str) -> None:
    headers = {"authorization": "Bearer nonsense"}
    assert stranger.get(path).status_code == HTTPStatus.OK
    assert stranger.get(path, headers=headers).status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nowhere"), ("PATCH", METERS), ("POST", METERS), ("TRACE", EVENTS), ("POST", EVENTS)],
)
def test_401_comes_before_anything_else_is_said(
    stranger: httpx.Client, method: str, path: str
) -> None:
    answer = stranger.request(
        method, path, content=b"{", headers={"content-type": "x", "content-encoding": "y"}
    )
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_unknown_paths_and_methods_are_told_to_keys_only(admin: httpx.Client) -> None:
    assert admin.get("/nowhere").status_code == HTTPStatus.NOT_FOUND
    assert admin.patch(METERS).status_code == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("path", [EVENTS, METERS])
def test_body_is_not_waited_for_and_a_long_one_ends_the_connection(
    guarded: Guarded, path: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    for length in ("Content-Length: 100000000", "Transfer-Encoding: chunked"):
        answer = raw(guarded, (head + length).encode()).lower()
        assert answer.startswith(b"http/1.1 401 ")
        assert b"\r\nconnection: close\r\n" in answer


def test_body_that_waits_to_be_asked_for_is_not_asked_for(guarded: Guarded) -> None:
    head = f"POST {EVENTS} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9"
    assert raw(guarded, head.encode()).startswith(b"HTTP/1.1 401 ")


def test_refusal_of_a_small_body_leaves_the_connection_usable(guarded: Guarded) -> None:
    with guarded.client(None) as client:
        for _ in range(3):
            answer = client.post(EVENTS, json=event())
            assert answer.status_code == HTTPStatus.UNAUTHORIZED
            assert "connection" not in answer.headers
            allowed = {"authorization": f"Bearer {guarded.admin_key}"}
            assert client.post(EVENTS, json=event(), headers=allowed).status_code == 204


async def test_key_without_the_scope_is_told_which(guarded: Guarded) -> None:
    key = await new_key(guarded.database_url, scopes=[KeyScope.EVENTS_WRITE])
    with guarded.client(key) as client:
        assert client.post(EVENTS, json=event()).status_code == HTTPStatus.NO_CONTENT
        refused = client.get(EVENTS)
        assert "www-authenticate" not in refused.headers
        assert refusal(refused) == (
            403,
            "forbidden error: the API key lacks the scope events:read",
        )
        assert client.post("/api/v1/keys", json={}).status_code == HTTPStatus.FORBIDDEN


async def test_nothing_of_a_refused_request_is_stored(guarded: Guarded) -> None:
    key = await new_key(guarded.database_url, scopes=[KeyScope.EVENTS_READ])
    sent = event()
    with guarded.client(key) as client:
        assert client.post(EVENTS, json=sent).status_code == HTTPStatus.FORBIDDEN
        assert client.get(EVENTS, params={"subject": sent["subject"]}).json() == []


def test_request_id_of_the_client_is_in_every_refusal(guarded: Guarded) -> None:
    with guarded.client(None) as client:
        answer = client.post(EVENTS, headers={"x-request-id": "mine-1"})
    assert answer.json()["instance"] == "urn:request:mine-1"


@pytest.mark.parametrize(
    "authorization",
    [b"Bearer", b"Bearer nonsense", b"Basic x", b"\xff", b"Bearer " + b"x" * 40_000],
    ids=lambda header: repr(header[:20]),
)
def test_without_authentication_the_header_is_ignored(base_url: str, authorization: bytes) -> None:
    header = [(b"authorization", authorization), (b"content-type", b"application/json")]
    with httpx.Client(base_url=base_url) as client:
        assert client.get(METERS, headers=header).status_code == HTTPStatus.OK
        sent = client.post(
            EVENTS,
            content=b"[]",
            headers=[
                (b"authorization", authorization),
                (b"content-type", b"application/cloudevents-batch+json"),
            ],
        )
        assert sent.status_code == HTTPStatus.NO_CONTENT


async def test_metrics_tell_of_all_namespaces_and_so_only_to_the_servers_own(
    guarded: Guarded,
) -> None:
    statuses = []
    for namespace in ("home", "elsewhere"):
        for scope in (KeyScope.METRICS_READ, KeyScope.ADMIN):
            with guarded.client(await new_key(guarded.database_url, namespace, [scope])) as client:
                statuses.append(client.get("/metrics").status_code)
    assert statuses == [200, 200, 403, 403]
