"""Meters, events and queries in the form of `/api/v3`, and its failures."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias
from uuid import uuid4

import httpx
from tests.support.metering import TIMEOUT_S

V3 = "/api/v3/openmeter"
METERS = f"{V3}/meters"
EVENTS = f"{V3}/events"
CUSTOMERS = f"{V3}/customers"
FEATURES = f"{V3}/features"
ACCESS = f"{V3}/entitlement-access/query"
SOURCES = {"path", "query", "body", "header"}
LIMITS = {"minimum", "maximum", "choices"}

Meter: TypeAlias = Mapping[str, Any]


class Wrong(NamedTuple):
    """One of `invalid_parameters`, without its reason."""

    field: str
    rule: str
    source: str


class Client:
    """A client of one server. Meters get keys and event types of their own."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        """`body` as JSON; unlike httpx's own, it may hold lone surrogates."""
        named = {"content-type": "application/json", **headers}
        return self.http.post(path, content=json.dumps(body), headers=named)

    def try_to_create(self, aggregation: object = "count", **members: object) -> httpx.Response:
        """None leaves a member out."""
        key = f"m_{uuid4().hex}"
        meter = {
            "key": key,
            "name": "Some meter",
            "event_type": key,
            "aggregation": aggregation,
            "value_property": None if aggregation == "count" else "$.v",
            **members,
        }
        return self.post(METERS, {name: m for name, m in meter.items() if m is not None})

    def create(self, aggregation: object = "count", **members: object) -> Meter:
        created = self.try_to_create(aggregation, **members)
        assert created.status_code == HTTPStatus.CREATED, created.text
        meter: Meter = created.json()
        return meter

    def customer(self, **members: object) -> dict[str, Any]:
        created = self.post(CUSTOMERS, {"key": uuid4().hex, "name": "Somebody", **members})
        assert created.status_code == HTTPStatus.CREATED, created.text
        customer: dict[str, Any] = created.json()
        return customer

    def try_to_feature(self, of: Meter | None = None, /, **members: object) -> httpx.Response:
        """None leaves a member out. `filters` are those of the meter."""
        filters = members.pop("filters", None)
        reference: dict[str, object] | None = None if of is None else {"id": of["id"]}
        if reference is not None and filters is not None:
            reference["filters"] = filters
        feature = {"key": f"f_{uuid4().hex}", "name": "A feature", "meter": reference, **members}
        return self.post(FEATURES, {name: m for name, m in feature.items() if m is not None})

    def feature(self, of: Meter | None = None, /, **members: object) -> dict[str, Any]:
        created = self.try_to_feature(of, **members)
        assert created.status_code == HTTPStatus.CREATED, created.text
        feature: dict[str, Any] = created.json()
        return feature

    def cost(self, feature: Mapping[str, Any], body: object = None) -> list[dict[str, Any]]:
        answer = self.post(f"{FEATURES}/{feature['id']}/cost/query", body or {})
        rows: list[dict[str, Any]] = page_of(answer)["data"]
        return rows

    def entitle(
        self, customer: Mapping[str, Any], feature: Mapping[str, Any], **terms: object
    ) -> None:
        path = f"/api/v2/customers/{customer['id']}/entitlements"
        made = self.post(path, {"featureKey": feature["key"], **terms})
        assert made.status_code == HTTPStatus.CREATED, made.text

    def send(self, *events: Mapping[str, object]) -> None:
        sent = self.post(EVENTS, [event(**one) for one in events])
        assert (sent.status_code, sent.content) == (HTTPStatus.ACCEPTED, b""), sent.text

    def query(self, meter: Meter, body: object = None, **headers: str) -> httpx.Response:
        return self.post(f"{METERS}/{meter['id']}/query", body or {}, **headers)

    def rows(self, meter: Meter, body: object = None) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = page_of(self.query(meter, body))["data"]
        return data

    def page(self, path: str, **parameters: str) -> dict[str, Any]:
        """`filter_key_contains="x"` is sent as `filter[key][contains]=x`."""
        return page_of(self.http.get(path, params=bracketed(parameters)))


def bracketed(parameters: Mapping[str, str]) -> dict[str, str]:
    """Names with a double underscore for each pair of brackets: `filter__key__eq`."""
    named = {}
    for name, value in parameters.items():
        first, *rest = name.split("__")
        named[first + "".join(f"[{part}]" for part in rest)] = value
    return named


def event(**members: object) -> dict[str, Any]:
    """A whole event of its own id, type and subject."""
    whole = {name: uuid4().hex for name in ("id", "type", "subject")}
    return {"specversion": "1.0", "source": "test", **whole, **members}


def page_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == HTTPStatus.OK, answer.text
    body: dict[str, Any] = answer.json()
    return body


def failure(answer: httpx.Response) -> tuple[int, str]:
    """Status and detail of an answer that must be a whole problem in v3's form."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["title"] == HTTPStatus(answer.status_code).phrase
    assert problem["status"] == answer.status_code
    assert problem["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    assert problem["type"].startswith("https://kongapi.info/konnect/") or (
        problem["type"] == "about:blank"
    )
    assert ("invalid_parameters" in problem) == (answer.status_code == HTTPStatus.BAD_REQUEST)
    assert problem["detail"]
    assert problem.keys() <= {
        "type", "title", "status", "detail", "instance", "invalid_parameters",
    }  # fmt: skip
    return answer.status_code, problem["detail"]


def wrong(answer: httpx.Response) -> list[Wrong]:
    """What a 400 says is wrong."""
    status, detail = failure(answer)
    assert status == HTTPStatus.BAD_REQUEST
    assert detail.startswith("Bad Request: ")
    listed = answer.json()["invalid_parameters"]
    assert listed
    for one in listed:
        assert one.keys() - LIMITS == {"field", "rule", "reason", "source"}
        assert one["reason"]
        assert one["reason"] in detail
        assert one["source"] in SOURCES
    return [Wrong(one["field"], one["rule"], one["source"]) for one in listed]
