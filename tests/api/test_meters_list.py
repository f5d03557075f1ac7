"""The list of meters: its order, what it leaves out, and the parameters it only checks."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from tests.support.databases import new_database
from tests.support.metering import refusal

from monometer.app import create_app
from monometer.config import Settings

METERS = "/api/v1/meters"
MADE = {
    "a": {"name": "zeta", "aggregation": "SUM", "valueProperty": "$.v"},
    "b": {"name": "Alpha", "aggregation": "COUNT"},
    "c": {"name": "alpha", "aggregation": "MAX", "valueProperty": "$.v"},
    "gone": {"name": "middle", "aggregation": "MIN", "valueProperty": "$.v"},
}


@pytest.fixture(scope="module")
async def client(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """A server with these meters alone, made in the order b, c, gone, a; then `b` was replaced."""
    async with new_database(postgres_url) as url:
        app = create_app(Settings(database_url=url, data_dir=tmp_path_factory.mktemp("list")))
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            assert (await client.get(METERS)).json() == []
            for slug in ("b", "c", "gone", "a"):
                meter = {"slug": slug, "eventType": "t", **MADE[slug]}
                assert (await client.post(METERS, json=meter)).status_code == HTTPStatus.CREATED
            await client.put(f"{METERS}/b", json={"name": MADE["b"]["name"]})
            await client.delete(f"{METERS}/gone")
            yield client


async def listed(client: httpx.AsyncClient, **params: object) -> list[dict[str, Any]]:
    answer = await client.get(METERS, params={name: str(value) for name, value in params.items()})
    assert answer.status_code == HTTPStatus.OK, answer.text
    meters: list[dict[str, Any]] = answer.json()
    return meters


async def slugs(client: httpx.AsyncClient, **params: object) -> str:
    return " ".join(meter["slug"] for meter in await listed(client, **params))


async def test_list_is_a_bare_array_of_live_meters_by_slug(client: httpx.AsyncClient) -> None:
    assert await slugs(client) == "a b c"


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ("key", "a b c"),
        ("name", "b c a"),  # by code point: capitals first
        ("aggregation", "b c a"),
        ("createdAt", "b c a"),
        ("updatedAt", "c a b"),
    ],
)
async def test_list_is_ordered_by_any_of_five_members(
    client: httpx.AsyncClient, order_by: str, expected: str
) -> None:
    assert await slugs(client, orderBy=order_by) == expected
    assert await slugs(client, orderBy=order_by, order="ASC") == expected
    backwards = " ".join(reversed(expected.split()))
    assert await slugs(client, orderBy=order_by, order="DESC") == backwards


async def test_deleted_meters_are_listed_on_demand_with_the_time_of_their_end(
    client: httpx.AsyncClient,
) -> None:
    assert await slugs(client, includeDeleted="true") == "a b c gone"
    assert await slugs(client, includeDeleted="false") == "a b c"
    meters = await listed(client, includeDeleted="true")
    assert [meter["slug"] for meter in meters if "deletedAt" in meter] == ["gone"]


@pytest.mark.parametrize("params", [{"page": 2, "pageSize": 1}, {"pageSize": 1000}, {"other": 1}])
async def test_pages_and_unknown_parameters_change_nothing(
    client: httpx.AsyncClient, params: dict[str, int]
) -> None:
    assert await slugs(client, **params) == "a b c"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"), ("page", "-1"), ("page", "x"), ("page", ""),
        ("pageSize", "0"), ("pageSize", "1001"),
        ("order", "asc"), ("order", "UP"),
        ("orderBy", "slug"), ("orderBy", "created_at"), ("orderBy", ""),
        ("includeDeleted", "maybe"), ("includeDeleted", ""),
    ],
)  # fmt: skip
async def test_wrong_parameter_is_named(client: httpx.AsyncClient, name: str, value: str) -> None:
    status, detail = refusal(await client.get(METERS, params={name: value}))
    assert status == HTTPStatus.BAD_REQUEST
    assert detail is not None
    assert detail.startswith(f'parameter "{name}" in query has an error: ')


async def test_listed_meter_is_the_meter(client: httpx.AsyncClient) -> None:
    for meter in await listed(client, includeDeleted="true"):
        assert (await client.get(f"{METERS}/{meter['id']}")).json() == meter
