"""Copies event schemas, usage meters, customers, accounts and events from Togai to monometer.

    python from_togai.py https://api.togai.com TOGAI_TOKEN http://127.0.0.1:8888/togai KEY

It can be interrupted and run again: what is there already stays as it is, and an event that came
before is a duplicate. Nothing is changed at Togai. Python's standard library is all that it needs.
"""

import json
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

Found: TypeAlias = dict[str, Any]

PAGE = 50
TIMEOUT_S = 60


class Side:
    """One of the two servers."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token

    def ask(self, method: str, path: str, body: object = None) -> Found:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, headers, method=method)
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            found: Found = json.load(answer)
        return found

    def all(self, path: str, member: str = "data") -> Iterator[Found]:
        token = None
        while True:
            query = {"pageSize": PAGE} | ({"nextToken": token} if token else {})
            page = self.ask("GET", f"{path}{'&' if '?' in path else '?'}{urlencode(query)}")
            yield from page.get(member) or ()
            token = page.get("nextToken")
            if not token:
                return

    def make(self, path: str, body: Found) -> Found | None:
        """None where there is one already."""
        try:
            return self.ask("POST", path, {k: v for k, v in body.items() if v is not None})
        except HTTPError as error:
            message = error.read().decode()
            if error.code == HTTPStatus.BAD_REQUEST and "already exists" in message:
                return None
            sys.exit(f"{path}: {error.code} {message}\n{json.dumps(body)}")


def picked(one: Found, *names: str) -> Found:
    return {name: one.get(name) for name in names}


def schemas(old: Side, new: Side) -> None:
    for one in old.all("/event_schema?status=ACTIVE"):
        new.make("/event_schema", picked(
            one, "name", "description", "attributes", "dimensions", "enrichments", "filterFields",
            "eventIdTemplate",
        ))  # fmt: skip
        new.ask("POST", f"/event_schema/{quote(one['name'])}/activate")


def meters(old: Side, new: Side) -> None:
    """Active ones. They count what comes in from now on, so the events follow."""
    for listed in old.all("/usage_meters?status=ACTIVE"):
        one = old.ask("GET", f"/usage_meters/{listed['id']}?includeSchema=true")
        made = new.make("/usage_meters", picked(
            one, "name", "billableName", "description", "filters", "type", "aggregation",
            "computations",
        ) | {"eventSchemaName": one["eventSchema"]["name"]})  # fmt: skip
        if made is not None:
            new.ask("POST", f"/usage_meters/{made['id']}/activate")


def people(old: Side, new: Side) -> None:
    for one in old.all("/customers"):
        address = {"address": one.get("address") or {}}
        new.make("/customers", picked(one, "id", "name", "primaryEmail") | address)
    for one in old.all("/accounts"):
        if one["status"] == "ARCHIVED":
            continue
        aliases = {"aliases": [alias["alias"] for alias in one.get("aliases") or ()]}
        new.make("/accounts", aliases | picked(
            one, "id", "name", "customerId", "status", "invoiceCurrency", "netTermDays", "address",
            "primaryEmail", "billingInformation", "metadata", "tags",
        ))  # fmt: skip


def events(old: Side, new: Side) -> None:
    """Those that Togai took, a page at a time."""
    taken = 0
    batch: list[Found] = []
    for one in old.all("/events", "events"):
        if one["ingestionStatus"]["status"].startswith("INGESTION_COMPLETED"):
            batch.append(one["eventPayload"])
        if len(batch) == PAGE:
            new.ask("POST", "/ingestBatch", {"events": batch})
            taken, batch = taken + len(batch), []
    if batch:
        new.ask("POST", "/ingestBatch", {"events": batch})
    print(f"{taken + len(batch)} events sent; GET /events?status=… tells what became of them")


if __name__ == "__main__":
    try:
        old_url, old_token, new_url, new_token = sys.argv[1:]
    except ValueError:
        sys.exit(__doc__)
    both = Side(old_url, old_token), Side(new_url, new_token)
    for step in (schemas, meters, people, events):
        step(*both)
