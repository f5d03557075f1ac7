"""Togai's API over HTTP, with everything that does not matter filled in."""

from decimal import Decimal
from http import HTTPStatus
from json import loads
from typing import Any
from uuid import uuid4

import httpx

SUM = [{"computation": '{"var":"attributes.bytes"}'}]


class Togai:
    """A client with an active event schema of its own, which is also the type of its events."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=30)
        self.schema = uuid4().hex
        declared = {"attributes": [{"name": "bytes"}], "dimensions": [{"name": "region"}]}
        self.told("POST", "/event_schema", 201, name=self.schema, **declared)
        self.told("POST", f"/event_schema/{self.schema}/activate")

    def told(self, method: str, path: str, status: int = 200, /, **body: Any) -> Any:
        answer = self.http.request(method, f"/togai{path}", json=body or None)
        assert answer.status_code == status, answer.text
        return answer.json()

    def refused(self, method: str, path: str, status: int = 400, /, **body: Any) -> str:
        told = self.told(method, path, status, **body)
        assert told.keys() == {"message"}
        return str(told["message"])

    def new(self, **members: Any) -> dict[str, Any]:
        usual = {"name": uuid4().hex, "type": "COUNTER", "aggregation": "SUM",
                 "eventSchemaName": self.schema, "computations": SUM}  # fmt: skip
        return {name: one for name, one in {**usual, **members}.items() if one is not None}

    def make(self, **members: Any) -> str:
        return str(self.told("POST", "/usage_meters", 201, **self.new(**members))["id"])

    def active(self, **members: Any) -> str:
        id_ = self.make(**members)
        self.told("POST", f"/usage_meters/{id_}/activate")
        return id_

    def send(
        self,
        attributes: Any = None,
        dimensions: Any = None,
        *,
        subject: str = "acme",
        time: str | None = None,
        **data: Any,
    ) -> None:
        """One event by OpenMeter's API."""
        event = {
            "specversion": "1.0", "id": uuid4().hex, "source": "test", "type": self.schema,
            "subject": subject, "time": time,
            "data": {"attributes": attributes or {}, "dimensions": dimensions or {}, **data},
        }  # fmt: skip
        assert self.http.post("/api/v1/events", json=event).status_code == HTTPStatus.NO_CONTENT

    def used(self, id_: str) -> Decimal:
        """What OpenMeter's API says that the meter has counted."""
        name = self.told("GET", f"/usage_meters/{id_}")["name"]
        meters = self.http.get("/api/v1/meters", params={"pageSize": 1000}).json()
        (slug,) = [one["slug"] for one in meters if one["name"] == name]
        text = self.http.get(f"/api/v1/meters/{slug}/query").text
        rows = loads(text, parse_float=Decimal, parse_int=Decimal)["data"]
        return rows[0]["value"] if rows else Decimal(0)
