"""A meter query without windows: the period that each row tells, and rows of zero."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.metering import Meter, Metering, Row, at, instant

NUMERIC = ("SUM", "AVG", "MIN", "MAX", "LATEST")
COUNTING = ("COUNT", "UNIQUE_COUNT")
FROM, TO = "2024-06-01T00:00:00Z", "2024-07-01T00:00:00Z"
OUTSIDE = {"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"}


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def meter(api: Metering) -> Meter:
    """Ann at 12:00:30.5 and 13:59:59.999999, Bob at 12:30:00 and nowhere else."""
    meter = api.create(groupBy={"g": "$.g"})
    api.send(
        meter,
        at("2024-06-15T12:00:30.5Z", subject="ann", data={"g": "x"}),
        at("2024-06-15T13:59:59.999999Z", subject="ann", data={"g": "y"}),
        at("2024-06-15T12:30:00Z", subject="bob", data={"g": "x"}),
    )
    return meter


def test_open_bounds_are_those_of_the_events_to_the_minute(api: Metering, meter: Meter) -> None:
    assert api.rows(meter) == [
        Row("2024-06-15T12:00:00Z", "2024-06-15T14:00:00Z", 3, None, {}),
    ]


def test_open_bounds_are_found_for_each_row(api: Metering, meter: Meter) -> None:
    assert api.rows(meter, {"groupBy": "subject"}) == [
        Row("2024-06-15T12:00:00Z", "2024-06-15T14:00:00Z", 2, "ann", {}),
        Row("2024-06-15T12:30:00Z", "2024-06-15T12:31:00Z", 1, "bob", {}),
    ]
    assert api.rows(meter, {"groupBy": "g", "from": FROM}) == [
        Row(FROM, "2024-06-15T12:31:00Z", 2, None, {"g": "x"}),
        Row(FROM, "2024-06-15T14:00:00Z", 1, None, {"g": "y"}),
    ]
    assert api.rows(meter, {"groupBy": "g", "to": TO}) == [
        Row("2024-06-15T12:00:00Z", TO, 2, None, {"g": "x"}),
        Row("2024-06-15T13:59:00Z", TO, 1, None, {"g": "y"}),
    ]


def test_open_bounds_look_at_selected_events_only(api: Metering, meter: Meter) -> None:
    [row] = api.rows(meter, {"subject": "bob"})
    assert (row.start, row.end) == ("2024-06-15T12:30:00Z", "2024-06-15T12:31:00Z")


def test_event_without_a_value_still_bounds_its_row(api: Metering) -> None:
    meter = api.create("SUM")
    api.send(
        meter,
        at("2024-06-15T12:00:00Z", data={"v": 1}),
        at("2024-06-15T13:00:00Z", data={"v": "none"}),
    )
    [row] = api.rows(meter)
    assert (row.start, row.end, row.value) == ("2024-06-15T12:00:00Z", "2024-06-15T13:01:00Z", 1)


def test_given_bounds_are_repeated_word_for_word(api: Metering, meter: Meter) -> None:
    bounds = {"from": "2024-06-15T14:00:00.120+02:00", "to": "2024-06-15T20:00:00.5-00:30"}
    answer = api.query(meter, bounds).json()
    assert (answer["from"], answer["to"]) == (
        "2024-06-15T14:00:00.12+02:00",
        "2024-06-15T20:00:00.5-00:30",
    )
    [row] = answer["data"]
    assert (row["windowStart"], row["windowEnd"]) == (answer["from"], answer["to"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("2024-06-15T12:00:00.000Z", "2024-06-15T12:00:00Z"),
        ("2024-06-15T12:00:00+00:00", "2024-06-15T12:00:00Z"),
        ("2024-06-15T12:00:00-00:00", "2024-06-15T12:00:00Z"),
        ("2024-06-15t12:00:00.100z", "2024-06-15T12:00:00.1Z"),
        ("2024-06-15T12:00:00.1234567+14:00", "2024-06-15T12:00:00.123456+14:00"),
    ],
)
def test_given_instants_lose_only_empty_digits(
    api: Metering, meter: Meter, given: str, told: str
) -> None:
    assert api.query(meter, {"from": given}).json()["from"] == told
    assert api.query_by_body(meter, {"to": given}).json()["to"] == told


def test_answer_repeats_only_what_was_asked(api: Metering, meter: Meter) -> None:
    assert set(api.query(meter).json()) == {"data"}
    assert set(api.query(meter, {"windowSize": "DAY", "to": TO}).json()) == {
        "data",
        "to",
        "windowSize",
    }
    zoned = {"windowTimeZone": "Asia/Tokyo", "clientId": "x", "groupBy": "g"}
    assert set(api.query(meter, zoned).json()) == {"data"}


def test_zone_without_windows_changes_nothing(api: Metering, meter: Meter) -> None:
    assert api.rows(meter, {"windowTimeZone": "Asia/Tokyo"}) == api.rows(meter)


def test_row_has_exactly_the_members_that_clients_know(api: Metering, meter: Meter) -> None:
    [row] = api.query(meter).json()["data"]
    assert set(row) == {"value", "windowStart", "windowEnd", "subject", "groupBy"}


@pytest.mark.parametrize("aggregation", NUMERIC)
def test_numeric_aggregations_over_no_event_have_no_row(api: Metering, aggregation: str) -> None:
    meter = api.create(aggregation)
    assert api.query(meter).json() == {"data": []}
    assert api.query(meter, OUTSIDE).json() == {**OUTSIDE, "data": []}


@pytest.mark.parametrize("aggregation", COUNTING)
def test_counting_over_no_event_is_one_row_of_zero(api: Metering, aggregation: str) -> None:
    meter = api.create(aggregation)
    assert api.rows(meter, OUTSIDE) == [Row(OUTSIDE["from"], OUTSIDE["to"], 0, None, {})]


@pytest.mark.parametrize("aggregation", COUNTING)
def test_open_side_of_a_row_of_zero_is_the_current_minute(api: Metering, aggregation: str) -> None:
    meter = api.create(aggregation)
    before = datetime.now(UTC)  # noqa: TID251 - the server's clock is this one
    [row], [from_now], [to_now] = (
        api.rows(meter),
        api.rows(meter, {"to": "2999-01-01T00:00:00Z"}),
        api.rows(meter, {"from": FROM}),
    )
    after = datetime.now(UTC)  # noqa: TID251 - same
    assert instant(row.end) - instant(row.start) == timedelta(minutes=1)
    for start, end in ((row.start, row.end), (from_now.start, row.end), (row.start, to_now.end)):
        assert before - timedelta(minutes=1) < instant(start) <= after
        assert before < instant(end) <= after + timedelta(minutes=1)
    assert (from_now.end, to_now.start) == ("2999-01-01T00:00:00Z", FROM)


@pytest.mark.parametrize("bound", ["from", "to"])
@pytest.mark.parametrize(
    "time",
    ["0001-01-01T00:00:00Z", "2024-06-15T12:00:00Z", "2999-06-15T12:00:00Z",
     "9999-12-31T23:59:59.999999Z"],
)  # fmt: skip
def test_row_of_zero_never_ends_before_it_starts(api: Metering, bound: str, time: str) -> None:
    [row] = api.rows(api.create(), {bound: time})
    assert time in {row.start, row.end}
    assert row.value == 0
    assert instant(row.start) <= instant(row.end)


@pytest.mark.parametrize("aggregation", ["COUNT", "UNIQUE_COUNT", "SUM"])
@pytest.mark.parametrize(
    "params",
    [{"windowSize": "DAY"}, {"groupBy": "g"}, {"groupBy": "subject"}, {"subject": "nobody"}],
)
def test_windows_and_groups_without_events_have_no_rows(
    api: Metering, aggregation: str, params: dict[str, str]
) -> None:
    meter = api.create(aggregation, groupBy={"g": "$.g"})
    assert api.rows(meter, params) == []


def test_filter_that_takes_nothing_leaves_a_row_of_zero(api: Metering, meter: Meter) -> None:
    assert api.value(meter, {"filterGroupBy[g]": "z"}) == 0


def test_next_query_sees_what_was_acknowledged(api: Metering) -> None:
    meter = api.create("SUM")
    for sent in range(1, 21):
        api.send_values(meter, "1")
        assert api.value(meter) == sent
