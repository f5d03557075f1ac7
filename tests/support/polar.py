"""Polar's API over HTTP, with everything that does not matter filled in."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from json import loads
from typing import Any, TypeAlias
from uuid import uuid4

import httpx

TIMEOUT_S = 30
NOBODY = "5c10fade-1c9e-4d6c-8275-c52c36731d3c"

Tree: TypeAlias = Mapping[str, Any]


def clause(name: str, operator: str, value: object) -> Tree:
    return {"property": name, "operator": operator, "value": value}


def every(*clauses: Tree) -> Tree:
    return {"conjunction": "and", "clauses": list(clauses)}


def some(*clauses: Tree) -> Tree:
    return {"conjunction": "or", "clauses": list(clauses)}


class Polar:
    """A client whose events, unless told otherwise, have a name of their own: `name`."""

    def __init__(self, base_url: str, key: str | None = None) -> None:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=TIMEOUT_S)
        self.name = uuid4().hex

    def of_name(self, *clauses: Tree) -> Tree:
        return every(clause("name", "eq", self.name), *clauses)

    def create(
        self, func: str = "count", *, filter_: Tree | None = None, on: str = "v", **members: object
    ) -> str:
        """Id of a meter: of the client's events, unless a filter is given."""
        aggregation = {"func": func} if func == "count" else {"func": func, "property": on}
        meter = {
            "name": "A meter", "filter": filter_ or self.of_name(), "aggregation": aggregation,
            **members,
        }  # fmt: skip
        created = self.http.post("/v1/meters/", json=meter)
        assert created.status_code == HTTPStatus.CREATED, created.text
        return str(created.json()["id"])

    def ingest(self, *events: Mapping[str, Any]) -> httpx.Response:
        """Events of `ann` at noon of 2024-06-15, but for what is said of each."""
        noon = {"name": self.name, "timestamp": "2024-06-15T12:00:00Z"}
        whole = [
            {**noon, **({} if "customer_id" in one else {"external_customer_id": "ann"}), **one}
            for one in events
        ]
        return self.http.post("/v1/events/ingest", json={"events": whole})

    def send(self, *values: object, **members: object) -> None:
        """One event for each value of its metadata's `v`."""
        sent = self.ingest(*({**members, "metadata": {"v": value}} for value in values))
        assert sent.status_code == HTTPStatus.OK, sent.text

    def ask(self, meter: str, **query: Any) -> httpx.Response:
        """Of June 2024, in one bucket."""
        usual = {
            "start_timestamp": "2024-06-01T00:00:00Z", "end_timestamp": "2024-06-30T00:00:00Z",
            "interval": "month",
        }  # fmt: skip
        return self.http.get(f"/v1/meters/{meter}/quantities", params={**usual, **query})

    def quantities(self, meter: str, **query: Any) -> tuple[list[tuple[str, Any]], Any]:
        answer = self.ask(meter, **query)
        assert answer.status_code == HTTPStatus.OK, answer.text
        body = loads(answer.text, parse_float=Decimal)
        points = [(point["timestamp"], point["quantity"]) for point in body["quantities"]]
        return points, body["total"]

    def total(self, meter: str, **query: Any) -> Any:
        return self.quantities(meter, **query)[1]

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        answer = self.http.get(path, params=query)
        assert answer.status_code == HTTPStatus.OK, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def refusal(answer: httpx.Response) -> list[tuple[Sequence[str | int], str]]:
    """Place and type of each thing that is wrong."""
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["error"] in {"RequestValidationError", "PolarRequestValidationError"}
    return [(one["loc"], one["type"]) for one in body["detail"]]
