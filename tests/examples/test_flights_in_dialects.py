"""January's flights, sent in each dialect and asked for in each: the numbers are the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from itertools import takewhile
from json import loads
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
from tests.examples.test_flights import NEW_YORK, instant, load_script
from tests.support.metering import Metering
from tests.support.polar import Polar, clause, every

JANUARY = 27_004
BATCH = 1_000
DAYS = {"from": "2024-01-01T05:00:00Z", "to": "2024-02-01T05:00:00Z"}

Flight: TypeAlias = Mapping[str, Any]
Daily: TypeAlias = dict[datetime, Decimal]


@pytest.fixture(scope="module")
def january() -> list[Flight]:
    """Of another year: Polar answers nothing before 2023."""
    script = load_script()
    rows = takewhile(lambda row: row["month"] == "1", script.flights(script.data_file()))
    flights = map(script.event_of, rows)
    return [{**one, "time": one["time"].replace("2013", "2024")} for one in flights]


@pytest.fixture(scope="module")
def native(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def polar(base_url: str) -> Iterator[Polar]:
    client = Polar(base_url)
    yield client
    client.http.close()


def send_native(native: Metering, name: str, flights: Sequence[Flight]) -> None:
    headers = {"content-type": "application/cloudevents-batch+json"}
    for at in range(0, len(flights), BATCH):
        batch = [{**one, "type": name, "source": name} for one in flights[at : at + BATCH]]
        sent = native.http.post("/api/v1/events", json=batch, headers=headers)
        assert sent.status_code == HTTPStatus.NO_CONTENT, sent.text


def send_polar(polar: Polar, name: str, flights: Sequence[Flight]) -> None:
    for at in range(0, len(flights), BATCH):
        batch = [
            {
                "name": name, "external_id": f"{name} {one['id']}", "timestamp": one["time"],
                "external_customer_id": one["subject"], "metadata": one["data"],
            }
            for one in flights[at : at + BATCH]
        ]  # fmt: skip
        sent = polar.http.post("/v1/events/ingest", json={"events": batch})
        assert sent.json() == {"inserted": len(batch), "duplicates": 0}


def ask_native(native: Metering, name: str, aggregation: str, **query: str) -> Daily:
    on = None if aggregation == "COUNT" else "$.air_time"
    meter = native.create(aggregation, eventType=name, valueProperty=on)
    days = {"windowSize": "DAY", "windowTimeZone": NEW_YORK, **DAYS}
    path = f"/api/v1/meters/{meter['slug']}/query"
    answer = native.http.get(path, params={**days, **query})
    rows = loads(answer.text, parse_float=Decimal, parse_int=Decimal)["data"]
    return {instant(row["windowStart"]): row["value"] for row in rows}


def ask_polar(polar: Polar, name: str, aggregation: str, **query: str) -> Daily:
    of_name = every(clause("name", "eq", name))
    meter = polar.create(aggregation.lower(), filter_=of_name, on="air_time")
    days = {
        "start_timestamp": DAYS["from"], "end_timestamp": "2024-01-31T05:00:00Z",
        "interval": "day", "timezone": NEW_YORK,
    }  # fmt: skip
    points, total = polar.quantities(meter, **days, **query)
    assert total == (max if aggregation == "MAX" else sum)(quantity for _, quantity in points)
    return {instant(at): Decimal(quantity) for at, quantity in points}


@pytest.fixture(scope="module")
def names(january: Sequence[Flight], native: Metering, polar: Polar) -> list[str]:
    """Event types that the flights have been stored by, one for each dialect."""
    made = [uuid4().hex, uuid4().hex]
    send_native(native, made[0], january)
    send_polar(polar, made[1], january)
    return made


@pytest.mark.parametrize("aggregation", ["COUNT", "SUM", "MAX"])
@pytest.mark.parametrize("carrier", [None, "UA"])
def test_every_way_in_and_out_gives_the_same_numbers(
    *,
    january: Sequence[Flight],
    native: Metering,
    polar: Polar,
    names: Sequence[str],
    aggregation: str,
    carrier: str | None,
) -> None:
    folds: dict[str, Callable[[list[int]], int]] = {"COUNT": len, "SUM": sum, "MAX": max}
    measured: dict[datetime, list[int]] = {}
    for one in january:
        minutes = one["data"].get("air_time", 0 if aggregation == "COUNT" else None)
        if minutes is not None and carrier in {None, one["subject"]}:
            # The month has one offset from UTC, so that a day is a number.
            day = instant(DAYS["from"]).replace(day=int(one["id"][8:10]))
            measured.setdefault(day, []).append(minutes)
    right = {day: Decimal(folds[aggregation](values)) for day, values in measured.items()}
    assert len(right) == 31
    who = {} if carrier is None else {"subject": carrier}
    whose = {} if carrier is None else {"external_customer_id": carrier}
    for name in names:
        assert ask_native(native, name, aggregation, **who) == right
        assert ask_polar(polar, name, aggregation, **whose) == right


def test_the_month_is_whole(january: Sequence[Flight]) -> None:
    assert len(january) == JANUARY
