"""How a token is sent: in one header of one shape, or it is none."""

import http.client
import json
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
from tests.support.metering import Meter, Metering
from tests.support.portal import Portal, refused

MALFORMED = "invalid token: it is malformed"


@pytest.fixture(scope="module")
def good(portal: Portal) -> str:
    token: str = portal.create("ann")["token"]
    return token


@pytest.mark.parametrize(
    "shape",
    [
        "{}",
        "bearer {}",
        "BEARER {}",
        "Bearer  {}",
        "Bearer\t{}",
        "Bearer {} x",
        "Bearer {},",
        "Bearer {}, Bearer {}",
        "Basic {}",
        "Token {}",
        "Bearer",
        "Bearer ",
        "",
        "Bearer: {}",
        "Bearer={}",
    ],
)
def test_header_of_another_shape_is_refused(
    base_url: str, meter: Meter, good: str, shape: str
) -> None:
    status, detail = sent_raw(base_url, meter, shape.replace("{}", good).encode())
    assert status == HTTPStatus.UNAUTHORIZED
    assert detail in {"invalid authorization header", MALFORMED}


def sent_raw(base_url: str, meter: Meter, authorization: bytes) -> tuple[int, str | None]:
    """Status and detail; the header goes out as it is, which httpx would not let it."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
    try:
        connection.putrequest("GET", f"/api/v1/portal/meters/{meter['slug']}/query")
        connection.putheader("Authorization", authorization)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()).get("detail")
    finally:
        connection.close()


def test_spaces_around_the_header_are_trimmed(base_url: str, meter: Meter, good: str) -> None:
    assert sent_raw(base_url, meter, f" \t Bearer {good} \t".encode())[0] == HTTPStatus.OK


@pytest.mark.parametrize("second", ["Bearer {}", "", "Basic YTpi", "Bearer forged"])
@pytest.mark.parametrize("order", [1, -1])
def test_second_header_is_refused_whatever_it_holds(
    api: Metering, meter: Meter, good: str, second: str, order: int
) -> None:
    values = [f"Bearer {good}", second.replace("{}", good)][::order]
    path = f"/api/v1/portal/meters/{meter['slug']}/query"
    answer = api.http.get(path, headers=[("authorization", value) for value in values])
    assert refused(answer) == "invalid authorization header"


@pytest.mark.parametrize(
    "raw",
    [
        b"Bearer \xff\xfe",
        "Bearer é.é.é".encode(),
        b"\xa0Bearer x",
        b"Bearer\xa0x",
    ],
)
def test_header_that_is_not_ascii_is_refused(base_url: str, meter: Meter, raw: bytes) -> None:
    status, detail = sent_raw(base_url, meter, raw)
    assert status == HTTPStatus.UNAUTHORIZED
    assert detail in {"invalid authorization header", MALFORMED}


@pytest.mark.parametrize("slug", ["%00", "..%2f", "%ff", "x" * 5000, "%F0%9F%98%80", "'--"])
def test_odd_path_with_a_good_token_is_a_bad_request_at_most(
    api: Metering, good: str, slug: str
) -> None:
    answer = api.http.get(
        f"/api/v1/portal/meters/{slug}/query", headers={"authorization": f"Bearer {good}"}
    )
    assert answer.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
