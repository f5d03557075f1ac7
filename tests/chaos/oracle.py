"""The one oracle: acknowledged events count exactly once, every other at most once."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import httpx
from tests.chaos.ledger import Key, Ledger, Sent
from tests.chaos.questions import METERS, QUESTIONS

PAGE = 100
TIMEOUT_S = 30


async def create_meters(url: str, ledger: Ledger) -> None:
    """Those of METERS, over the ledger's events."""
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as http:
        for name, meter in METERS.items():
            body = {"slug": ledger.slug(name), "eventType": ledger.event_type, **meter}
            made = await http.post("/api/v1/meters", json=body)
            assert made.is_success, made.text


async def check(url: str, ledger: Ledger) -> list[Sent]:
    """The list of events, and the answer to every question, equal the ledger.

    Returns what is stored. Raises AssertionError. To be called when nobody sends any more.
    """
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as http:
        listed = await _listed(http, ledger.event_type)
    stored = set(listed)
    assert len(listed) == len(stored), "an event is listed twice"
    assert ledger.acknowledged <= stored, "an acknowledged event is lost"
    assert stored <= ledger.sent.keys(), "an event is listed that nobody sent"
    ledger.figures["events"] = len(ledger.sent)
    ledger.figures["stored"] = len(stored)
    ledger.figures["stored, not acknowledged"] = len(stored - ledger.acknowledged)
    events = [ledger.sent[key] for key in stored]
    await check_answers(url, ledger, events)
    return events


async def check_answers(url: str, ledger: Ledger, events: Iterable[Sent]) -> None:
    """The answer to every question counts each of these events once, and no other."""
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as http:
        for question in QUESTIONS:
            path = f"/api/v1/meters/{ledger.slug(question.meter)}/query"
            rows = _rows(await http.post(path, json=question.to_wire()))
            usage = {question.row_from_wire(row): Decimal(row["value"]) for row in rows}
            assert len(usage) == len(rows), f"two rows for one: {question}"
            assert usage == question.answer(events), question


async def sources(url: str, ledger: Ledger) -> set[str]:
    """What the answers are read from, as the server explains them."""
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as http:
        found = set()
        for question in QUESTIONS:
            path = f"/api/v1/meters/{ledger.slug(question.meter)}/query/explain"
            explained = await http.post(path, json=question.to_wire())
            assert explained.is_success, explained.text
            found.add(explained.json()["source"])
    return found


def total(answer: httpx.Response) -> Decimal:
    """The sum of all rows of a query's answer."""
    return sum((Decimal(row["value"]) for row in _rows(answer)), Decimal(0))


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
