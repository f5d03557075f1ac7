"""Meters of the configuration file: made at start, and guarded against drifting apart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.databases import new_database

from monometer.app import create_app
from monometer.config import ConfigError, load_settings
from monometer.store import migrate

TOKENS = """
  - slug: tokens
    name: Tokens
    description: AI tokens
    eventType: prompt
    aggregation: SUM
    valueProperty: $.tokens
    groupBy: {model: $.model}
    eventFrom: 2024-01-01T00:00:00+02:00
    metadata: {team: core}
"""
CALLS = "  - {slug: calls, eventType: call, aggregation: COUNT}\n"


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        await migrate.upgrade(url)
        yield url


@asynccontextmanager
async def started(
    database: str, tmp_path: Path, meters: str, **environ: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application as it runs with a configuration file of these `meters`."""
    file = tmp_path / "config.yaml"
    file.write_text(f"meters:\n{meters}")
    app = create_app(load_settings({"MONOMETER_DATABASE_URL": database, **environ}, file))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


async def failure_to_start(database: str, tmp_path: Path, meters: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        async with started(database, tmp_path, meters, **environ):
            pass
    message = str(caught.value)
    assert "\n" not in message
    return message


async def meter(client: httpx.AsyncClient, slug: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/meters/{slug}")
    assert answer.status_code == HTTPStatus.OK, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_meters_are_made_at_start_with_all_they_say(database: str, tmp_path: Path) -> None:
    async with started(database, tmp_path, TOKENS + CALLS) as client:
        tokens, calls = await meter(client, "tokens"), await meter(client, "calls")
    given = {name for name in tokens if name not in {"id", "createdAt", "updatedAt"}}
    assert {name: tokens[name] for name in given} == {
        "slug": "tokens",
        "name": "Tokens",
        "description": "AI tokens",
        "eventType": "prompt",
        "aggregation": "SUM",
        "valueProperty": "$.tokens",
        "groupBy": {"model": "$.model"},
        "eventFrom": "2023-12-31T22:00:00Z",
        "metadata": {"team": "core"},
        "annotations": None,
        "windowSize": "MINUTE",
    }
    assert (calls["name"], calls["aggregation"]) == ("calls", "COUNT")


async def test_meters_that_are_there_already_stay_as_they_are(
    database: str, tmp_path: Path
) -> None:
    async with started(database, tmp_path, TOKENS + CALLS) as client:
        first = await meter(client, "tokens")
    async with started(database, tmp_path, TOKENS + CALLS) as client:
        assert await meter(client, "tokens") == first


async def test_deleted_meter_is_made_anew(database: str, tmp_path: Path) -> None:
    async with started(database, tmp_path, CALLS) as client:
        first = await meter(client, "calls")
        await client.delete("/api/v1/meters/calls")
    async with started(database, tmp_path, CALLS) as client:
        assert (await meter(client, "calls"))["id"] != first["id"]


DIFFERENT = {
    "name": ("name: Tokens", "name: Words"),
    "description": ("AI tokens", "words"),
    "aggregation": ("SUM", "MAX"),
    "eventType": ("eventType: prompt", "eventType: answer"),
    "eventFrom": ("2024-01-01", "2024-01-02"),
    "valueProperty": ("$.tokens", "$.words"),
    "groupBy": ("{model: $.model}", "{model: $.name}"),
    "metadata": ("team: core", "team: ads"),
}


async def test_one_that_differs_stops_the_start_and_names_the_field(
    database: str, tmp_path: Path
) -> None:
    async with started(database, tmp_path, TOKENS):
        pass
    for field, (old, new) in DIFFERENT.items():
        changed = TOKENS.replace(old, new)
        assert changed != TOKENS
        message = await failure_to_start(database, tmp_path, changed)
        assert message.startswith(f"meters: tokens: meter tokens: {field} is ")
        assert "; " not in message


async def test_every_field_that_differs_is_named(database: str, tmp_path: Path) -> None:
    async with started(database, tmp_path, CALLS) as client:
        await client.put("/api/v1/meters/calls", json={"name": "Calls", "description": "Of all"})
    message = await failure_to_start(database, tmp_path, CALLS)
    assert "name is 'Calls' in the database and 'calls' in the configuration" in message
    assert "description is 'Of all' in the database and '' in the configuration" in message


WRONG = {
    "'sum' is not": "  - {slug: m, eventType: t, aggregation: sum, valueProperty: $.v}\n",
    "value property is required": "  - {slug: m, eventType: t, aggregation: SUM}\n",
    "invalid JSONPath": "  - {slug: m, eventType: t, aggregation: SUM, valueProperty: $..v}\n",
    "invalid meter slug: M": "  - {slug: M, eventType: t, aggregation: COUNT}\n",
    "event type: it cannot be empty": "  - {slug: m, eventType: '', aggregation: COUNT}\n",
    "key subject is reserved": (
        "  - {slug: m, eventType: t, aggregation: COUNT, groupBy: {subject: $.s, a-b: $.x}}\n"
    ),
}


@pytest.mark.parametrize("reason", WRONG)
async def test_wrong_meter_stops_the_start_with_one_line(
    database: str, tmp_path: Path, reason: str
) -> None:
    message = await failure_to_start(database, tmp_path, WRONG[reason])
    assert message.startswith("meters: ")
    assert reason in message


async def test_second_meter_of_the_same_slug_must_be_the_same(
    database: str, tmp_path: Path
) -> None:
    async with started(database, tmp_path, CALLS + CALLS):
        pass
    message = await failure_to_start(database, tmp_path, CALLS + CALLS.replace("COUNT", "MAX"))
    assert "calls" in message


RESERVED = {"MONOMETER_RESERVED_EVENT_TYPES": r"^billing\., internal"}


async def test_reserved_event_types_are_refused_with_their_pattern(
    database: str, tmp_path: Path
) -> None:
    meter_of = {"slug": "m", "aggregation": "COUNT"}
    async with started(database, tmp_path, CALLS, **RESERVED) as client:
        for event_type, pattern in (("billing.paid", r"^billing\."), ("my.internal", "internal")):
            body = {**meter_of, "eventType": event_type}
            answer = await client.post("/api/v1/meters", json=body)
            assert answer.status_code == HTTPStatus.BAD_REQUEST
            assert answer.json()["detail"] == (
                f"validation error: invalid event type: event type '{event_type}' "
                f"matched reserved pattern '{pattern}'"
            )
        free = await client.post("/api/v1/meters", json={**meter_of, "eventType": "billing"})
        assert free.status_code == HTTPStatus.CREATED


async def test_reserved_event_types_bind_polars_meters_too(database: str, tmp_path: Path) -> None:
    def meter_of(name: str) -> dict[str, object]:
        named = {"property": "name", "operator": "eq", "value": name}
        only = {"conjunction": "and", "clauses": [named]}
        return {"name": "Meter", "filter": only, "aggregation": {"func": "count"}}

    async with started(database, tmp_path, CALLS, **RESERVED) as client:
        refused = await client.post("/v1/meters/", json=meter_of("billing.paid"))
        assert refused.status_code == 422
        assert "matched reserved pattern" in refused.text
        free = await client.post("/v1/meters/", json=meter_of("billing"))
        assert free.status_code == HTTPStatus.CREATED


async def test_reserved_event_types_bind_configured_meters_too(
    database: str, tmp_path: Path
) -> None:
    reserved = CALLS.replace("eventType: call", "eventType: billing.call")
    message = await failure_to_start(database, tmp_path, reserved, **RESERVED)
    assert "matched reserved pattern" in message
