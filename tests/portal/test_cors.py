"""Pages of any origin may ask the portal's query route, and read what it says. No other route."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from tests.support.databases import new_database
from tests.support.metering import Meter, Metering
from tests.support.portal import PORTAL_SECRET, Portal
from tests.support.server import running_server

ORIGIN = "https://app.example"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "GET",
    "access-control-request-headers": "authorization",
}


def allowed(answer: httpx.Response) -> dict[str, str]:
    return {
        name: value for name, value in answer.headers.items() if name.startswith("access-control-")
    }


def names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


@pytest.mark.parametrize("origin", [ORIGIN, "http://127.0.0.1:3000", "null", "file://"])
def test_preflight_is_answered_without_a_token(api: Metering, origin: str) -> None:
    path = "/api/v1/portal/meters/no_such_meter/query"
    answer = api.http.options(path, headers={**PREFLIGHT, "origin": origin})
    assert answer.status_code == HTTPStatus.OK
    given = allowed(answer)
    assert given["access-control-allow-origin"] == origin
    assert given["access-control-allow-credentials"] == "true"
    assert given["access-control-max-age"] == "1728000"
    assert names(given["access-control-allow-methods"]) == {"get", "options"}
    assert names(given["access-control-allow-headers"]) >= {
        "accept",
        "authorization",
        "content-type",
    }
    assert "origin" in names(answer.headers["vary"])


def test_answer_may_be_read_by_its_origin(portal: Portal, meter: Meter) -> None:
    answer = portal.query(meter, portal.create()["token"], origin=ORIGIN)
    assert answer.status_code == HTTPStatus.OK
    assert allowed(answer) == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-credentials": "true",
    }
    assert "origin" in names(answer.headers["vary"])


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("any/query", HTTPStatus.UNAUTHORIZED),
        ("any/query?windowSize=x", HTTPStatus.BAD_REQUEST),
        ("any/query?from=%00", HTTPStatus.BAD_REQUEST),
        ("no_such_meter/query", HTTPStatus.NOT_FOUND),
        ("any/no-such-route", HTTPStatus.NOT_FOUND),
    ],
)
def test_refusal_may_be_read_too(
    api: Metering, portal: Portal, target: str, status: HTTPStatus
) -> None:
    headers = {"origin": ORIGIN}
    if status != HTTPStatus.UNAUTHORIZED:
        headers["authorization"] = f"Bearer {portal.create()['token']}"
    answer = api.http.get(f"/api/v1/portal/meters/{target}", headers=headers)
    assert answer.status_code == status
    assert allowed(answer)["access-control-allow-origin"] == ORIGIN


def test_answer_depends_on_the_origin_though_none_was_sent(portal: Portal, meter: Meter) -> None:
    answer = portal.query(meter, portal.create()["token"])
    assert "origin" in names(answer.headers["vary"])


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("access-control-request-method", "DELETE"),
        ("access-control-request-headers", "x-evil"),
    ],
)
def test_preflight_for_more_is_refused(api: Metering, header: str, value: str) -> None:
    headers = {**PREFLIGHT, header: value}
    answer = api.http.options("/api/v1/portal/meters/x/query", headers=headers)
    assert answer.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/portal/tokens"),
        ("GET", "/api/v1/portal/tokens"),
        ("POST", "/api/v1/portal/tokens/invalidate"),
        ("GET", "/api/v1/meters"),
        ("POST", "/api/v1/events"),
        ("GET", "/api/v1/events"),
        ("GET", "/healthz/live"),
    ],
)
def test_no_other_route_lets_a_page_in(api: Metering, method: str, path: str) -> None:
    preflight = {**PREFLIGHT, "access-control-request-method": method}
    for answer in (
        api.http.options(path, headers=preflight),
        api.http.request(method, path, headers={"origin": ORIGIN}),
    ):
        assert allowed(answer) == {}


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


def test_cors_can_be_switched_off_and_works_without_the_portal(
    database: str, tmp_path: Path
) -> None:
    path = "/api/v1/portal/meters/x/query"
    settings = {"portal_token_secret": PORTAL_SECRET, "portal_cors": "false"}
    with running_server(database, tmp_path, **settings) as url:
        assert allowed(httpx.options(f"{url}{path}", headers=PREFLIGHT)) == {}
        assert allowed(httpx.get(f"{url}{path}", headers={"origin": ORIGIN})) == {}
    with running_server(database, tmp_path) as url:
        answer = httpx.options(f"{url}{path}", headers=PREFLIGHT)
        assert allowed(answer)["access-control-allow-origin"] == ORIGIN
