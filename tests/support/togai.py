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

    def __init__(self, base_url: str, key: str | None = None) -> None:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=30)
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

    def customer(self, **members: Any) -> Any:
        usual = {"id": uuid4().hex, "name": "Acme", "primaryEmail": "a@acme.test", "address": {}}
        return self.told("POST", "/customers", 201, **{**usual, **members})

    def account(self, owner: str | None = None, **members: Any) -> Any:
        """Of a customer of its own, where none is named."""
        usual = {"id": uuid4().hex, "name": "Acme Europe"}
        usual["customerId"] = self.customer()["id"] if owner is None else owner
        return self.told("POST", "/accounts", 201, **{**usual, **members})

    def event(
        self, account: str, attributes: Any = None, dimensions: Any = None, **members: Any
    ) -> dict[str, Any]:
        """One that this API can be sent; a member that is None is left out."""
        usual = {
            "schemaName": self.schema, "id": uuid4().hex, "timestamp": "2024-06-15T12:00:00Z",
            "accountId": account, "dimensions": dimensions or {},
            "attributes": [{"name": k, "value": v} for k, v in (attributes or {}).items()],
        }  # fmt: skip
        return {name: one for name, one in {**usual, **members}.items() if one is not None}

    def ingest(self, *events: dict[str, Any]) -> list[str]:
        """Sends them together; what became of each, without what all statuses begin with."""
        assert self.told("POST", "/ingestBatch", 202, events=list(events)) == {"success": True}
        told = self.told("GET", f"/events?pageSize={len(events)}")["events"]
        statuses = [one["ingestionStatus"]["status"] for one in reversed(told)]
        return [one.removeprefix("INGESTION_") for one in statuses]

    def units(self, event_id: str) -> dict[str, Any]:
        """Of the event's last telling, by id of its meters."""
        told = loads(self.http.get(f"/togai/events/{event_id}").text, parse_float=Decimal)
        meters = told["events"][0]["eventPipelineInfo"]["usageMeters"]
        return {one["id"]: one.get("units") for one in meters}

    def points(self, meter: str, *, groupBy: str) -> dict[str, Decimal]:  # noqa: N803 - the wire's
        """Group → what the meter has counted in 2024."""
        of = {"fieldName": "USAGE_METER_ID", "fieldValues": [meter]}
        query = {"id": "q", "name": "METER_USAGE", "aggregationPeriod": "MONTH",
                 "groupBy": groupBy, "filters": [of]}  # fmt: skip
        year = {"startTime": "2024-01-01T00:00:00Z", "endTime": "2025-01-01T00:00:00Z"}
        (result,) = self.told("POST", "/metrics", **year, metricQueries=[query])["results"]
        return {
            one["groupedBy"]["fieldValue"]: sum(
                (Decimal(str(value)) for value in one["metricValues"]), Decimal(0)
            )
            for one in result["data"]
        }

    def used(self, id_: str) -> Decimal:
        """What OpenMeter's API says that the meter has counted."""
        name = self.told("GET", f"/usage_meters/{id_}")["name"]
        meters = self.http.get("/api/v1/meters", params={"pageSize": 1000}).json()
        (slug,) = [one["slug"] for one in meters if one["name"] == name]
        text = self.http.get(f"/api/v1/meters/{slug}/query").text
        rows = loads(text, parse_float=Decimal, parse_int=Decimal)["data"]
        return rows[0]["value"] if rows else Decimal(0)
