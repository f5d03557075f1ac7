"""HTTP itself: odd URLs, headers and methods have a clear answer, and none of them is a 500."""

import re
import socket
from collections.abc import Iterator

import httpx
import pytest
from tests.support.metering import refusal
from tests.support.sending import INGEST, Sender, event

GENERATED = re.compile(r"[0-9A-Za-z-]{8,40}")


@pytest.fixture
def http(sender: Sender) -> httpx.Client:
    return sender.http


def raw(base_url: str, request: bytes) -> Iterator[bytes]:
    """The bytes of the answers to `request`, which is sent as it stands."""
    url = httpx.URL(base_url)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        connection.sendall(request)
        while received := connection.recv(65_536):
            yield received


def answer_to(base_url: str, line: bytes, headers: bytes = b"", body: bytes = b"") -> str:
    request = line + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + b"\r\n" + body
    return b"".join(raw(base_url, request)).decode()


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1/event", "/api/v1/events/", "/api/v1//events", "/API/v1/events",
             "/api/v3", "/api/v1/events/x", "/%ff", "/é", "/api/v1/events%20"],
)  # fmt: skip
def test_unknown_path_is_a_problem_without_detail(http: httpx.Client, path: str) -> None:
    assert refusal(http.get(path)) == (404, None)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/events", "GET, POST"),
        ("PUT", "/api/v1/events", "GET, POST"),
        ("PATCH", "/api/v1/events", "GET, POST"),
        ("OPTIONS", "/api/v1/events", "GET, POST"),
        ("TRACE", "/api/v1/events", "GET, POST"),
        ("POST", "/api/v2/events", "GET"),
        ("DELETE", "/api/v1/meters", "GET, POST"),
        ("POST", "/api/v1/meters/x", "GET, PUT, DELETE"),
        ("PATCH", "/api/v1/meters/x", "GET, PUT, DELETE"),
        ("PUT", "/api/v1/meters/x/query", "GET, POST"),
        ("POST", "/api/v1/meters/x/subjects", "GET"),
        ("POST", "/healthz/live", "GET"),
    ],
)
def test_wrong_method_is_told_all_the_right_ones(
    http: httpx.Client, method: str, path: str, allowed: str
) -> None:
    answer = http.request(method, path)
    assert refusal(answer) == (405, None)
    assert answer.headers["allow"] == allowed


def test_head_is_answered_without_a_body(http: httpx.Client) -> None:
    answer = http.head(INGEST)
    assert (answer.status_code, answer.content) == (405, b"")
    assert answer.headers["allow"] == "GET, POST"
    assert http.get("/healthz/live").status_code == 200  # on the same connection


@pytest.mark.parametrize("given", ["a", "x" * 128, "01HXYZ-7/8+9", '"quoted\\', "~!@#$%^&*()"])
def test_request_id_of_the_client_is_kept(http: httpx.Client, given: str) -> None:
    for answer in (
        http.get("/nowhere", headers={"x-request-id": given}),
        http.post(INGEST, content=b"", headers={"x-request-id": given}),
        http.get(INGEST, params={"limit": "0"}, headers={"x-request-id": given}),
    ):
        assert answer.headers.get_list("x-request-id") == [given]
        assert answer.json()["instance"] == f"urn:request:{given}"


@pytest.mark.parametrize("given", [b"", b"x" * 129, b"a b", b"\xff\xfe", "é".encode(), b"a\tb"])
def test_hostile_request_id_is_replaced(http: httpx.Client, given: bytes) -> None:
    answer = http.get("/nowhere", headers=[(b"x-request-id", given)])
    assert refusal(answer) == (404, None)
    assert GENERATED.fullmatch(answer.headers["x-request-id"])


def test_request_ids_differ(http: httpx.Client) -> None:
    assert len({http.get("/nowhere").headers["x-request-id"] for _ in range(5)}) == 5


def test_success_carries_the_request_id_too(sender: Sender) -> None:
    assert sender.send(event(), x_request_id="mine").headers["x-request-id"] == "mine"


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"])
def test_header_cannot_be_injected_by_a_request_id(base_url: str, line_end: bytes) -> None:
    headers = b"X-Request-Id: a" + line_end + b"X-Evil: 1\r\n"
    assert "x-evil" not in answer_to(base_url, b"GET /nowhere", headers).lower()


@pytest.mark.parametrize(
    "detail_of",
    [
        {"id": "%"}, {"subject": "x\r\nx-evil: 1"}, {"limit": "\r\nx-evil: 1"},
        {"from": "\r\nx-evil: 1"}, {"customerId": "\r\nx-evil: 1"},
    ],
)  # fmt: skip
def test_parameters_stay_out_of_the_headers(http: httpx.Client, detail_of: dict[str, str]) -> None:
    answer = http.get(INGEST, params=detail_of)
    assert answer.status_code in {200, 400}
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("url", ["/api/%00", f"{INGEST}?id=%00", f"{INGEST}?%00=1", "/%00"])
def test_nul_in_a_url_is_refused(http: httpx.Client, url: str) -> None:
    assert refusal(http.get(url)) == (400, "the URL must not contain a NUL character")


@pytest.mark.parametrize("parameter", ["id", "subject", "cursor", "filter", "from", "clientId"])
@pytest.mark.parametrize("text", ["%ff", "%c0%af", "%ed%a0%80", "%zz", "%", "%u0041", "%2500"])
def test_odd_percent_encoding_is_never_a_server_error(
    http: httpx.Client, parameter: str, text: str
) -> None:
    for version in ("v1", "v2"):
        answer = http.get(f"/api/{version}/events?{parameter}={text}")
        assert answer.status_code in {200, 400}


@pytest.mark.parametrize(
    "line",
    [
        b"GET /\xff", b"GET /api/v1/events?id=\xff", b"GET /a b", b"GET /\x00", b"BREW /",
        b"get /", b"CONNECT x:1", b"GET", b"",
    ],
)  # fmt: skip
def test_malformed_request_line_is_refused(base_url: str, line: bytes) -> None:
    assert answer_to(base_url, line).startswith("HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 1_0\r\n", b"Content-Length: -1\r\n", b"Content-Length: x\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nContent-Length: 5\r\n", b"Content-Length: 5, 5\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\n",
        b"X-Request-Id: a\r\n b\r\n", b"X: a\x00b\r\n", b"no colon\r\n", b": empty\r\n",
    ],
)  # fmt: skip
def test_malformed_headers_are_refused(base_url: str, headers: bytes) -> None:
    kind = b"Content-Type: application/json\r\n"
    answer = answer_to(base_url, b"POST /api/v1/events", kind + headers, b"zz\r\n0123456789")
    assert answer.startswith("HTTP/1.1 400 ")


def test_body_of_an_announced_petabyte_is_refused_before_it_comes(base_url: str) -> None:
    kind = b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
    length = b"Content-Length: 1000000000000000\r\n"
    answer = answer_to(base_url, b"POST /api/v1/events", kind + length)
    assert answer.startswith("HTTP/1.1 413 ")


def test_long_url_is_taken_and_an_endless_one_refused(base_url: str) -> None:
    taken = answer_to(base_url, b"GET /api/v1/events?subject=" + b"a" * 60_000)
    assert taken.startswith("HTTP/1.1 200 ")
    refused = answer_to(base_url, b"GET /api/v1/events?subject=" + b"a" * 100_000)
    assert refused.startswith("HTTP/1.1 400 ")


def test_thousand_parameters_are_taken(http: httpx.Client) -> None:
    unknown = "&".join(f"p{i}={i}" for i in range(1000))
    assert http.get(f"{INGEST}?{unknown}&limit=1").status_code == 200


def test_upgrade_is_not_taken_up(base_url: str) -> None:
    headers = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"
    request = b"GET /healthz/live HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n"
    assert next(raw(base_url, request)).startswith(b"HTTP/1.1 200 ")


def test_spaces_around_a_binary_mode_value_are_not_part_of_it(
    base_url: str, sender: Sender
) -> None:
    sent = event()
    headers = "".join(f"ce-{name}: \t {value} \t\r\n" for name, value in sent.items())
    assert answer_to(base_url, b"POST /api/v1/events", headers.encode()).startswith("HTTP/1.1 204 ")
    assert sender.one_of(sent)["id"] == sent["id"]


def test_success_is_json_without_a_charset(http: httpx.Client) -> None:
    for version in ("v1", "v2"):
        answer = http.get(f"/api/{version}/events", params={"limit": "1"})
        assert answer.headers["content-type"] == "application/json"


def test_no_other_origin_is_let_in(http: httpx.Client) -> None:
    answer = http.get(INGEST, params={"limit": "1"}, headers={"origin": "https://example.com"})
    assert not [name for name in answer.headers if name.startswith("access-control-")]
