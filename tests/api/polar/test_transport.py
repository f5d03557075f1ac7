"""Paths, versions and failures as Polar's clients expect them, and an Elixir client's requests."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from tests.support.polar import NOBODY, Polar, every

COLLECTIONS = ("/v1/meters", "/v1/events", "/v1/customers", "/v1/customer-meters")


@pytest.mark.parametrize("path", [*COLLECTIONS, "/v1/events/names"])
def test_both_spellings_of_a_path_are_served_without_a_redirect(polar: Polar, path: str) -> None:
    assert polar.http.get(path).status_code == polar.http.get(f"{path}/").status_code == 200


@pytest.mark.parametrize("version", ["2026-04", "2027-01", "1999-01"])
def test_any_version_is_echoed(polar: Polar, version: str) -> None:
    headers = {"Polar-Version": version}
    for path in ("/v1/meters/", f"/v1/meters/{NOBODY}", "/v1/meters/x", "/v1/nothing"):
        assert polar.http.get(path, headers=headers).headers["polar-version"] == version
    assert "polar-version" not in polar.http.get("/v1/meters/").headers


def test_answers_are_json_without_parameters(polar: Polar) -> None:
    for path in ("/v1/meters/", f"/v1/meters/{NOBODY}", "/v1/meters/x", "/v1/nothing"):
        assert polar.http.get(path).headers["content-type"] == "application/json"


def test_a_path_that_does_not_exist_is_no_missing_resource(polar: Polar) -> None:
    missing = polar.http.get("/v1/products/")
    assert (missing.status_code, missing.json()) == (404, {"detail": "Not Found"})


def test_another_method_is_told_which_there_are(polar: Polar) -> None:
    refused = polar.http.put("/v1/meters/", json={})
    assert refused.status_code == 405
    assert set(refused.headers["allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"name": "\xff"}', b"[" * 100_000, b'{"name": "\\ud800"}'],
)
@pytest.mark.parametrize("path", ["/v1/meters/", "/v1/customers/", "/v1/events/ingest"])
def test_a_body_that_cannot_be_read_is_a_validation_error(
    polar: Polar, path: str, content: bytes
) -> None:
    headers = {"content-type": "application/json"}
    refused = polar.http.post(path, content=content, headers=headers)
    assert refused.status_code == 422
    for entry in refused.json()["detail"]:
        assert isinstance(entry["msg"], str)
        assert entry["loc"][0] == "body"


@pytest.mark.parametrize(
    "target",
    [
        "/v1/meters/?query=%00", "/v1/customers/external/%00", "/v1/customers/external/%ff",
        "/v1/events/?filter=%ED%A0%80", "/v1/events/?name=%00&filter={", "/v1/meters/%2e%2e",
        "/v1/events/?metadata[%00]=x", "/v1/events/?metadata[]=x", "/v1/customers/?email=%ff",
    ],
)  # fmt: skip
def test_odd_urls_are_never_a_server_error(base_url: str, target: str) -> None:
    status, _ = elixir(base_url, "GET", target)
    assert status < 500


def elixir(base_url: str, method: str, target: str, body: object = None) -> tuple[int, Any]:
    """A request as the Elixir client sends it: JSON as its type even where there is no body."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
    headers = {
        "accept": "application/json", "accept-encoding": "gzip", "authorization": "Bearer ignored",
        "content-type": "application/json", "user-agent": "req/0.5.10",
    }  # fmt: skip
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, target, body=text, headers=headers)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None
    finally:
        connection.close()


def test_the_elixir_clients_five_operations(base_url: str) -> None:
    name = f"e{uuid4().hex}"
    new = {"name": name, "filter": every(), "aggregation": {"func": "count"}, "metadata": {}}
    status, meter = elixir(base_url, "POST", "/v1/meters/", new)
    assert (status, meter["name"]) == (201, name)
    status, listed = elixir(
        base_url, "GET", f"/v1/meters/?query={name}&page=1&limit=10&sorting=name"
    )
    assert (status, [one["id"] for one in listed["items"]]) == (200, [meter["id"]])
    status, same = elixir(base_url, "GET", f"/v1/meters/{meter['id']}")
    assert (status, same) == (200, meter)
    status, changed = elixir(base_url, "PATCH", f"/v1/meters/{meter['id']}", {"is_archived": True})
    assert (status, changed["archived_at"] is None) == (200, False)
    bounds = "start_timestamp=2024-06-01T00%3A00%3A00Z&end_timestamp=2024-06-02T00%3A00%3A00Z"
    status, told = elixir(
        base_url, "GET", f"/v1/meters/{meter['id']}/quantities?{bounds}&interval=day"
    )
    assert (status, len(told["quantities"])) == (200, 2)
    status, missing = elixir(base_url, "GET", f"/v1/meters/{NOBODY}")
    assert (status, missing["error"]) == (404, "ResourceNotFound")


def test_a_retried_change_changes_nothing_more(base_url: str) -> None:
    """The Elixir client repeats a PATCH whose answer it has not seen."""
    new = {"name": "retried", "filter": every(), "aggregation": {"func": "count"}}
    _, meter = elixir(base_url, "POST", "/v1/meters/", new)
    target, archive = f"/v1/meters/{meter['id']}", {"is_archived": True}
    first, second = (elixir(base_url, "PATCH", target, archive)[1] for _ in range(2))
    assert first["archived_at"] == second["archived_at"]
