"""January's flights, sent in each dialect and asked for in each: the numbers are the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from itertools import takewhile
from json import dumps as json_logic
from json import loads
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
from tests.examples.test_flights import NEW_YORK, instant, load_script
from tests.support.metering import Metering
from tests.support.polar import Polar, clause, every
from tests.support.togai import Togai

JANUARY = 27_004
BATCH = 1_000
# Where events that came by a dialect hold the minutes in the air, as each API writes it.
PATHS = ("air_time", "air_time", "attributes.air_time")
VARIABLES = ("data.air_time", "data.air_time", "attributes.air_time")
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


@pytest.fixture(scope="module")
def togai(base_url: str) -> Iterator[Togai]:
    client = Togai(base_url)
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


def send_togai(togai: Togai, name: str, flights: Sequence[Flight]) -> None:
    """Each carrier is an account of a customer of its own."""
    accounts = {one: f"{one}-{name[:12]}" for one in {flight["subject"] for flight in flights}}
    for carrier, account in accounts.items():
        togai.account(id=account, name=f"Carrier {carrier}")
    for at in range(0, len(flights), BATCH):
        batch = [
            togai.event(
                accounts[one["subject"]],
                {key: str(value) for key, value in one["data"].items() if isinstance(value, int)},
                {key: value for key, value in one["data"].items() if isinstance(value, str)},
                schemaName=name, id=f"{name} {one['id']}", timestamp=one["time"],
            )
            for one in flights[at : at + BATCH]
        ]  # fmt: skip
        togai.told("POST", "/ingestBatch", 202, events=batch)


def ask_native(native: Metering, name: str, path: str, aggregation: str, **query: str) -> Daily:
    on = None if aggregation == "COUNT" else f"$.{path}"
    meter = native.create(aggregation, eventType=name, valueProperty=on)
    days = {"windowSize": "DAY", "windowTimeZone": NEW_YORK, **DAYS}
    answer = native.http.get(f"/api/v1/meters/{meter['slug']}/query", params={**days, **query})
    rows = loads(answer.text, parse_float=Decimal, parse_int=Decimal)["data"]
    return {instant(row["windowStart"]): row["value"] for row in rows}


def ask_polar(polar: Polar, name: str, path: str, aggregation: str, **query: str) -> Daily:
    of_name = every(clause("name", "eq", name))
    meter = polar.create(aggregation.lower(), filter_=of_name, on=path)
    days = {
        "start_timestamp": DAYS["from"], "end_timestamp": "2024-01-31T05:00:00Z",
        "interval": "day", "timezone": NEW_YORK,
    }  # fmt: skip
    points, total = polar.quantities(meter, **days, **query)
    assert total == (max if aggregation == "MAX" else sum)(quantity for _, quantity in points)
    return {instant(at): Decimal(quantity) for at, quantity in points}


def ask_togai(togai: Togai, meter: str, account: str | None) -> Daily:
    """By days of UTC, which are all that there is."""
    filters = [{"fieldName": "USAGE_METER_ID", "fieldValues": [meter]}]
    if account is not None:
        filters.append({"fieldName": "ACCOUNT_ID", "fieldValues": [account]})
    query = {"id": "q", "name": "METER_USAGE", "aggregationPeriod": "DAY", "filters": filters}
    days = {"startTime": DAYS["from"], "endTime": DAYS["to"]}
    (result,) = togai.told("POST", "/metrics", **days, metricQueries=[query])["results"]
    (points,) = result["data"]
    told = zip(points["timestamps"], points["metricValues"], strict=True)
    return {instant(at): Decimal(value) for at, value in told}


def usage_meters(togai: Togai, name: str, variable: str) -> dict[str, str]:
    """Of a schema of its own, active from now on: COUNT, and SUM of the minutes in the air."""
    togai.told("POST", "/event_schema", 201, name=name, attributes=[], dimensions=[])
    togai.told("POST", f"/event_schema/{name}/activate")
    flown = json_logic({"!==": [{"var": variable}, None]})  # a cancelled flight has no minutes
    minutes = [{"matcher": flown, "computation": json_logic({"var": variable})}]
    count: dict[str, Any] = {"aggregation": "COUNT", "computations": None}
    return {
        "COUNT": togai.active(eventSchemaName=name, **count),
        "SUM": togai.active(eventSchemaName=name, computations=minutes),
    }


@pytest.fixture(scope="module")
def sent(
    january: Sequence[Flight], native: Metering, polar: Polar, togai: Togai
) -> list[tuple[str, dict[str, str]]]:
    """The event types that the flights were stored by, one for each dialect, with usage meters."""
    names = [uuid4().hex for _ in PATHS]
    meters = [usage_meters(togai, *one) for one in zip(names, VARIABLES, strict=True)]
    send_native(native, names[0], january)
    send_polar(polar, names[1], january)
    send_togai(togai, names[2], january)
    return list(zip(names, meters, strict=True))


def right(
    january: Sequence[Flight],
    aggregation: str,
    carrier: str | None,
    day_of: Callable[[Flight], datetime],
) -> Daily:
    """By the plainest of means."""
    folds: dict[str, Callable[[list[int]], int]] = {"COUNT": len, "SUM": sum, "MAX": max}
    measured: dict[datetime, list[int]] = {}
    for one in january:
        minutes = one["data"].get("air_time", 0 if aggregation == "COUNT" else None)
        if minutes is not None and carrier in {None, one["subject"]}:
            measured.setdefault(day_of(one), []).append(minutes)
    return {day: Decimal(folds[aggregation](values)) for day, values in measured.items()}


def new_york_day(one: Flight) -> datetime:
    """The month has one offset from UTC, so that a day is a number."""
    return instant(DAYS["from"]).replace(day=int(one["id"][8:10]))


def utc_day(one: Flight) -> datetime:
    return instant(one["time"]).replace(hour=0, minute=0, second=0, microsecond=0)


def names_of(carrier: str | None, name: str, dialect: int) -> str | None:
    """What events of the dialect call the carrier."""
    return f"{carrier}-{name[:12]}" if carrier and dialect == len(PATHS) - 1 else carrier


@pytest.mark.parametrize("aggregation", ["COUNT", "SUM", "MAX"])
@pytest.mark.parametrize("carrier", [None, "UA"])
def test_every_way_in_and_out_gives_the_same_numbers(
    *,
    january: Sequence[Flight],
    native: Metering,
    polar: Polar,
    togai: Togai,
    sent: Sequence[tuple[str, dict[str, str]]],
    aggregation: str,
    carrier: str | None,
) -> None:
    by_day = right(january, aggregation, carrier, new_york_day)
    by_utc_day = right(january, aggregation, carrier, utc_day)
    assert (len(by_day), len(by_utc_day)) == (31, 32)
    for dialect, (name, meters) in enumerate(sent):
        who, path = names_of(carrier, name, dialect), PATHS[dialect]
        of_subject = {} if who is None else {"subject": who}
        of_customer = {} if who is None else {"external_customer_id": who}
        assert ask_native(native, name, path, aggregation, **of_subject) == by_day
        assert ask_polar(polar, name, path, aggregation, **of_customer) == by_day
        if aggregation in meters:  # Togai has no others
            assert ask_togai(togai, meters[aggregation], who) == by_utc_day


def test_the_month_is_whole(january: Sequence[Flight]) -> None:
    assert len(january) == JANUARY
