"""Quantities: points, buckets, totals and customers."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from tests.support.polar import NOBODY, Polar, refusal


def at(time: str, value: object, **members: object) -> dict[str, Any]:
    return {"timestamp": time, "metadata": {"v": value}, **members}


def test_points_keep_the_start_and_stop_at_the_end(polar: Polar) -> None:
    meter = polar.create("sum")
    polar.ingest(
        at("2024-06-03T00:30:00Z", 1), at("2024-06-04T23:59:59Z", 2), at("2024-06-05T08:00:00Z", 4)
    )
    days = {"start_timestamp": "2024-06-03T10:30:00Z", "end_timestamp": "2024-06-05T09:00:00Z"}
    # The first bucket reaches before the start, and the last day has no point of its own.
    assert polar.quantities(meter, interval="day", **days) == (
        [("2024-06-03T10:30:00Z", 1), ("2024-06-04T10:30:00Z", 2)],
        3,
    )


def test_equal_bounds_are_one_point_of_a_whole_bucket(polar: Polar) -> None:
    meter = polar.create()
    polar.ingest(at("2024-06-03T00:00:00Z", 1), at("2024-06-03T23:00:00Z", 1))
    noon = "2024-06-03T12:00:00Z"
    bounds = {"start_timestamp": noon, "end_timestamp": noon, "interval": "day"}
    assert polar.quantities(meter, **bounds) == ([(noon, 2)], 2)


def test_a_local_midnight_stays_one_when_clocks_change(polar: Polar) -> None:
    meter = polar.create()
    polar.ingest(at("2024-03-10T04:30:00Z", 1), at("2024-03-11T03:30:00Z", 1))
    asked = {
        "start_timestamp": "2024-03-09T05:00:00Z",
        "end_timestamp": "2024-03-11T04:00:00Z",
        "interval": "day",
        "timezone": "America/New_York",
    }
    points, _ = polar.quantities(meter, **asked)
    assert points == [
        ("2024-03-09T05:00:00Z", 1), ("2024-03-10T05:00:00Z", 1), ("2024-03-11T04:00:00Z", 0),
    ]  # fmt: skip


def test_month_steps_stop_at_the_end_of_short_months(polar: Polar) -> None:
    meter = polar.create()
    asked = {"start_timestamp": "2024-01-31T00:00:00Z", "end_timestamp": "2024-04-30T00:00:00Z"}
    points, _ = polar.quantities(meter, **asked)
    assert [at[5:10] for at, _ in points] == ["01-31", "02-29", "03-31", "04-30"]


def test_weeks_begin_on_mondays(polar: Polar) -> None:
    meter = polar.create()
    polar.ingest(at("2024-06-09T23:59:59Z", 1), at("2024-06-10T00:00:00Z", 1))
    asked = {"start_timestamp": "2024-06-05T00:00:00Z", "end_timestamp": "2024-06-12T00:00:00Z"}
    points, _ = polar.quantities(meter, interval="week", **asked)
    assert [quantity for _, quantity in points] == [1, 1]


@pytest.mark.parametrize(
    ("func", "june", "july", "august", "total"),
    [
        ("count", 3, 1, 0, 4),
        ("sum", 9, -1, 0, 8),
        ("max", 5, -1, 0, 5),
        ("min", 2, -1, 0, -1),  # the empty month lowers no minimum
        ("avg", 3, -1, 0, 2),
        ("unique", 2, 1, 0, 3),
    ],
)
def test_totals_are_those_of_each_function(
    polar: Polar, func: str, *, june: int, july: int, august: int, total: int
) -> None:
    meter = polar.create(func)
    polar.send(2, 2, 5)
    polar.send(-1, timestamp="2024-07-01T00:00:00Z")
    polar.send(100, timestamp="2024-09-01T00:00:00Z")  # in no bucket
    points, told = polar.quantities(meter, end_timestamp="2024-08-30T00:00:00Z")
    assert [quantity for _, quantity in points] == [june, july, august]
    assert told == total


@pytest.mark.parametrize("func", ["count", "sum", "max", "min", "avg", "unique"])
def test_nothing_found_is_zero(polar: Polar, func: str) -> None:
    assert polar.quantities(polar.create(func)) == ([("2024-06-01T00:00:00Z", 0)], 0)


def test_numbers_keep_all_their_digits(polar: Polar) -> None:
    meter = polar.create("sum")
    events = (
        f'{{"name":"{polar.name}","external_customer_id":"ann","timestamp":"2024-06-15T12:00:00Z",'
        f'"metadata":{{"v":{value}}}}}'
        for value in ("0.1", "0.2", "12345678901234567890")
    )
    sent = polar.http.post("/v1/events/ingest", content=f'{{"events":[{",".join(events)}]}}')
    assert sent.json() == {"inserted": 3, "duplicates": 0}
    assert polar.total(meter) == Decimal("12345678901234567890.3")


def test_numbers_are_json_numbers_only(polar: Polar) -> None:
    polar.send(1, "2", True, 4.5)
    assert polar.total(polar.create("sum")) == Decimal("5.5")
    assert polar.total(polar.create("count")) == 4
    assert polar.total(polar.create("unique")) == 4


def test_unique_tells_types_apart(polar: Polar) -> None:
    polar.send(1, "1", 1.0, True, "true", "t")
    assert polar.total(polar.create("unique")) == 5


@pytest.fixture
def crowd(polar: Polar) -> tuple[str, dict[str, str]]:
    """A meter, and the ids of a customer by its name; `bob` is none, and `ann` goes by two ids."""
    ann = f"ann-{uuid4().hex}"
    made = polar.http.post("/v1/customers/", json={"email": "a@b.example", "external_id": ann})
    meter = polar.create("sum")
    polar.ingest(
        at("2024-06-02T00:00:00Z", 1, customer_id=made.json()["id"]),
        at("2024-06-02T00:00:00Z", 2, external_customer_id=ann),
        at("2024-06-02T00:00:00Z", 10, external_customer_id="bob"),
    )
    return meter, {"ann": made.json()["id"], "external": ann}


def test_a_customer_is_found_by_either_id_whatever_its_events_say(
    polar: Polar, crowd: tuple[str, dict[str, str]]
) -> None:
    meter, ids = crowd
    assert polar.total(meter, customer_id=ids["ann"]) == 3
    assert polar.total(meter, external_customer_id=ids["external"]) == 3
    assert polar.total(meter, exernal_customer_id=ids["external"]) == 3
    assert polar.total(meter, customer_id=ids["ann"], external_customer_id=["bob", "no"]) == 13


def test_unknown_customers_are_zeros(polar: Polar, crowd: tuple[str, dict[str, str]]) -> None:
    assert polar.total(crowd[0], customer_id=NOBODY) == 0
    assert polar.total(crowd[0], external_customer_id="nobody") == 0


@pytest.mark.parametrize(
    ("across", "quantity"),
    [("count", 2), ("sum", 13), ("max", 10), ("min", 3), ("avg", Decimal("6.5")), ("unique", 2)],
)
def test_each_customer_is_folded_apart_and_then_together(
    polar: Polar, crowd: tuple[str, dict[str, str]], across: str, quantity: Decimal
) -> None:
    points, total = polar.quantities(crowd[0], customer_aggregation_function=across)
    assert points == [("2024-06-01T00:00:00Z", quantity)]
    assert total == quantity


def test_a_customer_of_two_subjects_is_one_person(polar: Polar, base_url: str) -> None:
    keys = [uuid4().hex, uuid4().hex]
    body = {"name": "Two", "usageAttribution": {"subjectKeys": keys}}
    made = polar.http.post("/api/v1/customers", json=body)
    assert made.is_success, made.text
    polar.send(1, 2, external_customer_id=keys[0])
    polar.send(2, 6, external_customer_id=keys[1])
    polar.send(9)
    assert base_url
    by_customer = {"customer_aggregation_function": "sum"}
    assert polar.quantities(polar.create("unique"), **by_customer)[0][0][1] == 4  # 1 2 6, and 9
    assert (
        polar.quantities(polar.create("count"), customer_aggregation_function="min")[0][0][1] == 1
    )
    assert polar.total(polar.create("sum"), external_customer_id=keys[0]) == 11


def test_metadata_chooses_events_by_their_text_form(polar: Polar) -> None:
    meter = polar.create("sum")
    for model, tier in (("a", 5), ("b", 5), ("b", "5"), ("b", True)):
        polar.ingest({"metadata": {"v": 1, "model": model, "tier": tier, "x.y": "z"}})
    assert polar.total(meter, **{"metadata[tier]": "5"}) == 3
    assert polar.total(meter, **{"metadata[tier]": ["5", "true"]}) == 4
    assert polar.total(meter, **{"metadata[tier]": "5", "metadata[model]": "b"}) == 2
    assert polar.total(meter, **{"metadata[x.y]": "z"}) == 4
    assert polar.total(meter, **{"metadata[missing]": "5"}) == 0


START, END = "start_timestamp", "end_timestamp"


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({START: "2024-06-30T00:00:01Z"}, []),  # after the end
        ({START: "2024-06-01T00:00:00Z", END: "2024-06-09T00:00:00Z", "interval": "hour"}, []),
        ({START: "2024-06-01T00:00:00Z", END: "2025-06-03T00:00:00Z", "interval": "day"}, []),
        ({START: "2024-06-01T00:00:00Z", END: "2025-06-08T00:00:00Z", "interval": "week"}, []),
        ({START: "2024-06-01T00:00:00Z", END: "2028-06-01T00:00:00Z"}, []),
        ({START: "2024-06-01T00:00:00Z", END: "2034-06-01T00:00:00Z", "interval": "year"}, []),
        ({START: "2022-12-31T23:59:59Z"}, [START]),
        ({START: "2024-06-01T00:00:00"}, [START]),
        ({START: "yesterday"}, [START]),
        ({END: "0001-01-01T00:00:00+23:00"}, [END]),
        ({END: "9999-12-31T00:00:00Z", START: "9999-01-01T00:00:00Z"}, [START]),
        ({"interval": "minute"}, ["interval"]),
        ({"timezone": "Mars/Olympus"}, ["timezone"]),
        ({"customer_id": "ann"}, ["customer_id", 0]),
        ({"customer_id": "5c10fade-1c9e-1d6c-8275-c52c36731d3c"}, ["customer_id", 0]),
        ({"customer_aggregation_function": "median"}, ["customer_aggregation_function"]),
    ],
)
def test_what_cannot_be_asked_is_named(
    polar: Polar, asked: dict[str, str], place: list[str | int]
) -> None:
    [(told, _), *_rest] = refusal(polar.ask(polar.create(), **asked))
    assert told == ["query", *place]


def test_the_longest_spans_are_answered(polar: Polar) -> None:
    meter, start = polar.create(), "2024-06-01T00:00:00Z"
    for interval, end, points in (
        ("hour", "2024-06-08T23:00:00Z", 192),
        ("day", "2025-06-02T00:00:00Z", 367),
        ("week", "2025-06-07T00:00:00Z", 54),
        ("month", "2028-05-31T00:00:00Z", 48),
        ("year", "2034-05-30T00:00:00Z", 10),
    ):
        asked = {"start_timestamp": start, "end_timestamp": end, "interval": interval}
        assert len(polar.quantities(meter, **asked)[0]) == points
