"""Meters, events and queries over HTTP, with everything that does not matter filled in."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias
from uuid import uuid4

import httpx

TIMEOUT_S = 30
NOON = "2024-06-15T12:00:00Z"

Meter: TypeAlias = Mapping[str, Any]
Params: TypeAlias = Mapping[str, str | Sequence[str]]


class Row(NamedTuple):
    """A row of an answer. The bounds are the wire's text; numbers are exact."""

    start: str
    end: str
    value: int | Decimal
    subject: str | None
    group: dict[str, str]


def at(time: str = NOON, *, subject: str = "ann", data: object = None) -> dict[str, Any]:
    """An event's members that tests care about; `Metering.send` fills in the rest."""
    event = {"time": time, "subject": subject}
    return event if data is None else {**event, "data": data}


class Metering:
    """A client of one server. Meters get slugs and event types of their own."""

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

    def post(self, path: str, body: object) -> httpx.Response:
        """`body` as JSON; unlike httpx's own, it may hold lone surrogates."""
        text = json.dumps(body)
        return self.http.post(path, content=text, headers={"content-type": "application/json"})

    def try_to_create(self, aggregation: object = "COUNT", **members: object) -> httpx.Response:
        """A wrong meter is one with a wrong member; None leaves a member out."""
        value = None if aggregation == "COUNT" else "$.v"
        meter = {
            "slug": f"m_{uuid4().hex}",
            "eventType": uuid4().hex,
            "aggregation": aggregation,
            "valueProperty": value,
            **members,
        }
        present = {name: member for name, member in meter.items() if member is not None}
        return self.post("/api/v1/meters", present)

    def create(self, aggregation: object = "COUNT", **members: object) -> Meter:
        created = self.try_to_create(aggregation, **members)
        assert created.status_code == HTTPStatus.CREATED, created.text
        meter: Meter = created.json()
        return meter

    def send(self, meter: Meter, *events: Mapping[str, Any]) -> None:
        """Events of the meter's type, in one batch; see `at`."""
        self._ingest(json.dumps([{**_identity(meter), **event} for event in events]))

    def send_values(self, meter: Meter, *values: str) -> None:
        """One event at NOON for each `values`, which is the JSON text of its data's `v`."""
        heads = (json.dumps({**_identity(meter), **at()})[:-1] for _ in values)
        pairs = zip(heads, values, strict=True)
        self._ingest("[" + ",".join(f'{head},"data":{{"v":{v}}}}}' for head, v in pairs) + "]")

    def _ingest(self, batch: str) -> None:
        headers = {"content-type": "application/cloudevents-batch+json"}
        sent = self.http.post("/api/v1/events", content=batch, headers=headers)
        assert sent.status_code == HTTPStatus.NO_CONTENT, sent.text

    def query(self, meter: Meter, params: Params | None = None, **headers: str) -> httpx.Response:
        path = f"/api/v1/meters/{meter['slug']}/query"
        return self.http.get(path, params=params, headers=headers)

    def query_by_body(self, meter: Meter, body: object) -> httpx.Response:
        return self.post(f"/api/v1/meters/{meter['slug']}/query", body)

    def rows(self, meter: Meter, params: Params | None = None) -> list[Row]:
        return rows_of(self.query(meter, params))

    def value(self, meter: Meter, params: Params | None = None) -> int | Decimal:
        """The value of an answer of one row."""
        [row] = self.rows(meter, params)
        return row.value


def _identity(meter: Meter) -> dict[str, str]:
    return {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "test",
        "type": meter["eventType"],
        "subject": "ann",
    }


def rows_of(answer: httpx.Response) -> list[Row]:
    """Rows in the server's order. A value with a fraction is a Decimal, any other an int."""
    assert answer.status_code == HTTPStatus.OK, answer.text
    body = json.loads(answer.text, parse_float=Decimal)
    return [
        Row(row["windowStart"], row["windowEnd"], row["value"], row["subject"], row["groupBy"])
        for row in body["data"]
    ]


def refusal(answer: httpx.Response) -> tuple[int, str | None]:
    """Status and detail of an answer that must be a whole problem document."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "about:blank"
    assert problem["title"] == HTTPStatus(answer.status_code).phrase
    assert problem["status"] == answer.status_code
    assert problem["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    return answer.status_code, problem.get("detail")


def instant(text: str) -> datetime:
    """RFC 3339 text as an instant, for what is equal in any offset."""
    return datetime.fromisoformat(text)
