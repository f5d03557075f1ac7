"""Headers that keep a browser from doing harm, on every answer, whatever it says."""

from http import HTTPStatus

import httpx
import pytest
from tests.support.access import Guarded
from tests.support.sending import event

SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def safe_headers(answer: httpx.Response) -> dict[str, str]:
    return {name: answer.headers[name] for name in SAFE if name in answer.headers}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/meters", HTTPStatus.OK),
        ("GET", "/api/v1/debug/metrics", HTTPStatus.OK),
        ("GET", "/healthz/live", HTTPStatus.OK),
        ("GET", "/openapi.json", HTTPStatus.OK),
        ("GET", "/nowhere", HTTPStatus.NOT_FOUND),
        ("PATCH", "/api/v1/meters", HTTPStatus.METHOD_NOT_ALLOWED),
        ("POST", "/api/v1/events", HTTPStatus.BAD_REQUEST),
        ("GET", "/%00", HTTPStatus.BAD_REQUEST),
    ],
)
def test_every_answer_has_them(base_url: str, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, f"{base_url}{path}")
    assert answer.status_code == status
    assert safe_headers(answer) == SAFE


def test_answer_to_ingest_has_them(base_url: str) -> None:
    answer = httpx.post(f"{base_url}/api/v1/events", json=event())
    assert answer.status_code == HTTPStatus.NO_CONTENT
    assert safe_headers(answer) == SAFE


@pytest.mark.parametrize("key", [None, "nonsense"])
def test_refusal_has_them(guarded: Guarded, key: str | None) -> None:
    with guarded.client(key) as client:
        answer = client.get("/api/v1/meters")
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert safe_headers(answer) == SAFE


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_may_load_their_scripts(base_url: str, path: str) -> None:
    found = safe_headers(httpx.get(f"{base_url}{path}"))
    assert found == {name: SAFE[name] for name in SAFE if name != "content-security-policy"}


def test_none_of_them_comes_twice(base_url: str) -> None:
    names = [name.lower() for name, _ in httpx.get(f"{base_url}/api/v1/meters").headers.raw]
    assert len(names) == len(set(names))
