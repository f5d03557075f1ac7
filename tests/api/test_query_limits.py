"""Large answers and long statements: streamed, bounded, and given up in time."""

import csv
import io
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from tests.support.metering import Meter, Metering, at, refusal, rows_of

from monometer.app import create_app
from monometer.config import Settings

MANY = 5_000
ROWS_MAX = 3


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def large(api: Metering) -> Meter:
    """As many subjects as events."""
    meter = api.create(groupBy={"g": "$.g"})
    api.send(meter, *(at(subject=f"s{i:05}", data={"g": f"{i:05}"}) for i in range(MANY)))
    return meter


@pytest.fixture(scope="module")
async def strict(
    base_url: str, server_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """A second server on the same database, with few rows and little time for a statement."""
    assert base_url  # the first one has migrated the database
    settings = Settings(
        database_url=server_database_url,
        data_dir=Path(tmp_path_factory.mktemp("strict")),
        query_rows_max=ROWS_MAX,
        query_timeout_s=0.1,
        projections=False,  # cells would answer in time
    )
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


def test_small_answer_carries_its_length(api: Metering, large: Meter) -> None:
    for accept in ("application/json", "text/csv"):
        answer = api.query(large, accept=accept)
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_large_answer_is_streamed_and_whole(api: Metering, large: Meter) -> None:
    answer = api.query(large, {"groupBy": "subject"})
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in answer.headers
    assert answer.headers["content-type"] == "application/json"
    rows = rows_of(answer)
    assert [row.subject for row in rows] == [f"s{i:05}" for i in range(MANY)]
    assert {row.value for row in rows} == {1}


def test_large_csv_is_streamed_and_whole(api: Metering, large: Meter) -> None:
    answer = api.query(large, {"groupBy": "subject"}, accept="text/csv")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["content-type"] == "text/csv"
    assert answer.headers["content-disposition"] == f"attachment; filename={large['slug']}.csv"
    _, *rows = csv.reader(io.StringIO(answer.text))
    assert [row[2] for row in rows] == [f"s{i:05}" for i in range(MANY)]


@pytest.mark.parametrize("rows", [1, 1_999, 2_000, 2_001, 4_000, 4_001])
def test_answer_of_any_size_is_whole(api: Metering, large: Meter, rows: int) -> None:
    body = {"groupBy": ["subject"], "advancedMeterGroupByFilters": {"g": {"$lt": f"{rows:05}"}}}
    assert len(rows_of(api.query_by_body(large, body))) == rows


def test_reader_who_leaves_gives_the_connection_back(api: Metering, large: Meter) -> None:
    path = f"/api/v1/meters/{large['slug']}/query"
    for _ in range(11):  # more than the pool has connections
        with api.http.stream("GET", path, params={"groupBy": "subject"}) as answer:
            assert next(answer.iter_bytes())
    assert api.value(large) == MANY


async def test_answer_of_too_many_rows_is_refused_by_the_limit(
    api: Metering, strict: httpx.AsyncClient
) -> None:
    meter = api.create()
    path = f"/api/v1/meters/{meter['slug']}/query"
    for number in range(ROWS_MAX):
        api.send(meter, at(subject=f"s{number}"))
    enough = await strict.get(path, params={"groupBy": "subject"})
    assert len(rows_of(enough)) == ROWS_MAX
    api.send(meter, at(subject="one more"))
    for accept in ("application/json", "text/csv"):
        headers = {"accept": accept}
        answer = await strict.get(path, params={"groupBy": "subject"}, headers=headers)
        assert refusal(answer) == (
            400,
            f"validation error: the answer has more than {ROWS_MAX} rows; "  # noqa: ISC004
            "ask for a shorter period, larger windows or fewer groups",
        )
    assert len(rows_of(await strict.get(path))) == 1


async def test_list_of_too_many_values_is_refused_by_the_limit(
    api: Metering, strict: httpx.AsyncClient
) -> None:
    meter = api.create(groupBy={"g": "$.g"})
    api.send(meter, *(at(subject=f"s{i}", data={"g": i}) for i in range(ROWS_MAX + 1)))
    path = f"/api/v1/meters/{meter['slug']}"
    detail = f"there are more than {ROWS_MAX} values; ask for a shorter period"
    for answer in (
        await strict.get(f"{path}/subjects"),
        await strict.get(f"{path}/group-by/g/values", params={"to": "2024-07-01T00:00:00Z"}),
    ):
        assert refusal(answer) == (400, f"validation error: {detail}")
    before = await strict.get(f"{path}/subjects", params={"to": "2024-06-01T00:00:00Z"})
    assert before.json() == []


async def test_statement_that_takes_too_long_is_given_up(
    large: Meter, strict: httpx.AsyncClient
) -> None:
    path = f"/api/v1/meters/{large['slug']}/query"
    slow = {"$and": [{"$nlike": f"%{number}%x"} for number in range(98)]}
    answer = await strict.post(path, json={"advancedMeterGroupByFilters": {"g": slow}})
    status, detail = refusal(answer)
    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert detail == "the statement took too long; ask for less at once"
    assert int(answer.headers["retry-after"]) >= 1
    assert (await strict.get(path)).json()["data"][0]["value"] == MANY
