"""The one oracle: acknowledged events count exactly once, every other at most once."""

import json
from decimal import Decimal
from typing import Any

import httpx
from tests.chaos.ledger import Key, Ledger

PAGE = 100
TIMEOUT_S = 30


async def create_meters(url: str, ledger: Ledger) -> str:
    """COUNT and SUM over the ledger's events. Returns the slug of COUNT; that of SUM is derived."""
    count = ledger.event_type.replace("-", "_")
    meters = [
        {"slug": count, "aggregation": "COUNT"},
        {"slug": sum_of(count), "aggregation": "SUM", "valueProperty": "$.value"},
    ]
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as http:
        for meter in meters:
            made = await http.post("/api/v1/meters", json=meter | {"eventType": ledger.event_type})
            assert made.is_success, made.text
    return count


def sum_of(count_meter: str) -> str:
    return f"{count_meter}_sum"


async def check(url: str, ledger: Ledger, count_meter: str) -> None:
    """Usage and the list of events equal the ledger. Raises AssertionError."""
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as http:
        listed = await _listed(http, ledger.event_type)
        stored = set(listed)
        assert len(listed) == len(stored), "an event is listed twice"
        assert ledger.acknowledged <= stored, "an acknowledged event is lost"
        assert stored <= ledger.sent.keys(), "an event is listed that nobody sent"
        counts, sums = ledger.usage(stored)
        assert await _by_subject(http, count_meter) == counts
        assert await _by_subject(http, sum_of(count_meter)) == sums
        ledger.figures["events"] = len(ledger.sent)
        ledger.figures["stored"] = len(stored)
        ledger.figures["stored, not acknowledged"] = len(stored - ledger.acknowledged)


def total(answer: httpx.Response) -> Decimal:
    """The sum of all rows of a query's answer."""
    return sum((Decimal(row["value"]) for row in _rows(answer)), Decimal(0))


async def _by_subject(http: httpx.AsyncClient, meter: str) -> dict[str, Decimal]:
    answer = await http.get(f"/api/v1/meters/{meter}/query", params={"groupBy": "subject"})
    rows = _rows(answer)
    by_subject = {str(row["subject"]): Decimal(row["value"]) for row in rows}
    assert len(by_subject) == len(rows), "a subject has two rows"
    return by_subject


def _rows(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.is_success, answer.text
    decoded = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
    rows: list[dict[str, Any]] = decoded["data"]
    return rows


async def _listed(http: httpx.AsyncClient, event_type: str) -> list[Key]:
    found: list[Key] = []
    page = {"limit": str(PAGE), "filter": json.dumps({"type": {"$eq": event_type}})}
    while True:
        answer = await http.get("/api/v2/events", params=page)
        assert answer.is_success, answer.text
        body = answer.json()
        found += [(item["event"]["source"], item["event"]["id"]) for item in body["items"]]
        if "nextCursor" not in body:
            return found
        page["cursor"] = body["nextCursor"]
