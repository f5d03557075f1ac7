"""Requests of clients that cannot run here, sent byte for byte as those clients send them.

The Kotlin client sends every body as `application/json`, all its default parameters, and one
`filterGroupBy` without brackets. The first JavaScript client sends `[object Object]` there.
"""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest


class Answer:
    """Status, media type as sent, and body of one reply."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.media_type = response.getheader("content-type")
        self.text = response.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def send(
    base_url: str,
    method: str,
    target: str,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request with `target` untouched: no library may repair it."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
    sent = {"Accept": "application/json", "Accept-Charset": "UTF-8", "User-Agent": "ktor-client"}
    sent |= headers or {}
    text = None
    if body is not None:
        sent["Content-Type"] = "application/json"
        text = json.dumps(body)
    try:
        connection.request(method, target, body=text, headers=sent)
        return Answer(connection.getresponse())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def meter(base_url: str) -> dict[str, Any]:
    """A meter made the Kotlin way, with two events of 1.5 and 2.25 sent the Kotlin way."""
    slug = f"k{uuid4().hex[:12]}"
    created = send(
        base_url,
        "POST",
        "/api/v1/meters",
        {
            "slug": slug,
            "aggregation": "SUM",
            "windowSize": "MINUTE",
            "eventType": slug,
            "valueProperty": "$.tokens",
            "groupBy": {"model": "$.model", "type": "$.type"},
        },
    )
    assert created.status == 201, created.text
    for number, tokens in (("1", "1.5"), ("2", "2.25")):
        event = {
            "id": number,
            "source": slug,
            "specversion": "1.0",
            "type": slug,
            "subject": f"subject of {slug}",
            "time": f"2024-01-0{number}T00:00:00Z",
            "data": {"tokens": tokens, "model": "gpt-4", "type": "input"},
        }
        sent = send(base_url, "POST", "/api/v1/events", event)
        assert (sent.status, sent.text) == (204, "")
    answer: dict[str, Any] = created.json
    return answer


def test_meter_has_every_field_the_kotlin_model_demands(meter: dict[str, Any]) -> None:
    assert {"slug", "aggregation", "eventType"} <= set(meter)
    assert meter["windowSize"] == "MINUTE"  # its enumeration is closed, its field not optional


def test_default_parameters_of_the_kotlin_client_are_accepted(
    base_url: str, meter: dict[str, Any]
) -> None:
    subject = f"subject+of+{meter['slug']}"
    listed = send(
        base_url, "GET", f"/api/v1/events?limit=100&subject={subject}&from=2024-01-01T00:00:00Z"
    )
    assert listed.status == 200
    assert [item["event"]["id"] for item in listed.json] == ["2", "1"]
    query = f"/api/v1/meters/{meter['slug']}/query?windowTimeZone=UTC"
    answer = send(base_url, "GET", query)
    assert answer.media_type == "application/json"
    [row] = answer.json["data"]
    assert row["value"] == 3.75
    assert {"windowStart", "windowEnd"} <= set(row)


def test_key_of_the_kotlin_client_is_ignored_as_a_query_parameter(
    base_url: str, meter: dict[str, Any]
) -> None:
    target = f"/api/v1/meters/{meter['slug']}?__session=secret"
    assert send(base_url, "GET", target).json == meter


@pytest.mark.parametrize(
    "glued",
    [
        "filterGroupBy=model:gpt-4type:input",
        "filterGroupBy=model%3Agpt-4type%3Ainput",
        "filterGroupBy=%5Bobject+Object%5D",
        "filterGroupBy=%7B%27model%27%3A%20%27gpt-4%27%7D",
        "filterGroupBy=",
        "filterGroupBy",
    ],
)
def test_filter_without_brackets_is_explained_and_never_a_server_error(
    base_url: str, meter: dict[str, Any], glued: str
) -> None:
    answer = send(base_url, "GET", f"/api/v1/meters/{meter['slug']}/query?{glued}")
    assert (answer.status, answer.media_type) == (400, "application/problem+json")
    problem = answer.json
    assert {"type", "title", "status", "detail"} <= set(problem)
    assert "filterGroupBy" in problem["detail"]


@pytest.mark.parametrize(
    "bracketed",
    [
        "filterGroupBy[model]=gpt-4",
        "filterGroupBy%5Bmodel%5D=gpt-4",
        "filterGroupBy%5bmodel]=gpt-4",
    ],
)
def test_brackets_may_be_raw_or_encoded(
    base_url: str, meter: dict[str, Any], bracketed: str
) -> None:
    answer = send(base_url, "GET", f"/api/v1/meters/{meter['slug']}/query?{bracketed}")
    assert [row["value"] for row in answer.json["data"]] == [3.75]


@pytest.mark.parametrize("accept", ["*/*", "application/problem+json", "text/csv, */*", ""])
def test_no_accept_header_is_refused(base_url: str, meter: dict[str, Any], accept: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
    try:
        target = f"/api/v1/meters/{meter['slug']}/query"
        connection.request("GET", target, headers={"Accept": accept})
        answer = Answer(connection.getresponse())
    finally:
        connection.close()
    assert (answer.status, answer.media_type) == (200, "application/json")


def test_media_types_carry_no_parameters(base_url: str, meter: dict[str, Any]) -> None:
    """The oldest JavaScript clients compare the header as text."""
    assert send(base_url, "GET", "/api/v1/meters").media_type == "application/json"
    missing = send(base_url, "GET", f"/api/v1/meters/{meter['slug']}_missing")
    assert missing.media_type == "application/problem+json"
    unrouted = send(base_url, "GET", "/api/v1/no-such-thing")
    assert (unrouted.status, unrouted.media_type) == (404, "application/problem+json")


def test_four_portal_operations_as_the_kotlin_client_sends_them(
    base_url: str, meter: dict[str, Any]
) -> None:
    subject, slug = f"subject of {meter['slug']}", meter["slug"]
    wanted = {"subject": subject, "allowedMeterSlugs": [slug]}
    created = send(base_url, "POST", "/api/v1/portal/tokens", wanted)
    assert (created.status, created.media_type) == (200, "application/json")
    token = created.json
    assert set(wanted) | {"id", "token", "expiresAt", "createdAt"} == set(token)

    listed = send(base_url, "GET", "/api/v1/portal/tokens?limit=25")
    assert listed.status == 200
    assert token["id"] in [one["id"] for one in listed.json]

    target = f"/api/v1/portal/meters/{slug}/query?windowTimeZone=UTC"
    bearer = {"Authorization": f"Bearer {token['token']}"}
    answer = send(base_url, "GET", target, headers=bearer)
    assert (answer.status, answer.media_type) == (200, "application/json")
    [row] = answer.json["data"]
    assert (row["value"], row["subject"]) == (3.75, subject)
    assert {"windowStart", "windowEnd"} <= set(row)
    everything = f"{target}&windowSize=DAY&groupBy=model&groupBy=type&from=2024-01-01T00:00:00Z"
    days = send(base_url, "GET", everything, headers=bearer)
    assert [row["value"] for row in days.json["data"]] == [1.5, 2.25]
    glued = send(base_url, "GET", f"{target}&filterGroupBy=model:gpt-4type:input", headers=bearer)
    assert glued.status == 400

    # Without a bearer token the client puts its key into the query, where nobody looks for it.
    unseen = send(base_url, "GET", f"{target}&__session={token['token']}")
    assert (unseen.status, unseen.media_type) == (401, "application/problem+json")
    assert {"type", "title", "status", "detail"} <= set(unseen.json)

    ended = send(base_url, "POST", "/api/v1/portal/tokens/invalidate", {"id": token["id"]})
    assert (ended.status, ended.text) == (204, "")
    assert send(base_url, "GET", target, headers=bearer).status == 401
