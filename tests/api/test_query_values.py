"""Values of a meter query: exact, and deaf to everything that is no number."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from tests.support.metering import Metering, at

# JSON texts of values that no numeric aggregation may use.
NO_NUMBERS = (
    "null", "true", "false", "{}", '{"v":1}', "[]", "[1]", '""', '"abc"', '"NaN"', '"Infinity"',
    '"-Inf"', '"inf"', '" 1"', '"1 "', '"1\\n"', '"0x10"', '"1_000"', '"1,5"', '"\\uff11"',
    '"1e9999"', '"--1"', '"1e"', '"."', '"true"',
)  # fmt: skip


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


def value(api: Metering, aggregation: str, *values: str) -> str:
    """The text of the one value over events whose `v` has these JSON texts."""
    meter = api.create(aggregation)
    api.send_values(meter, *values)
    [row] = json.loads(api.query(meter).text, parse_float=str, parse_int=str)["data"]
    found: str = row["value"]
    return found


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("SUM", "5"), ("AVG", "2.5"), ("MIN", "2"), ("MAX", "3"), ("LATEST", "3")],
)
def test_what_is_no_number_is_not_used(api: Metering, aggregation: str, expected: str) -> None:
    meter = api.create(aggregation)
    api.send_values(meter, "2")
    api.send_values(meter, '"3"')
    api.send_values(meter, *NO_NUMBERS)
    api.send(meter, at(), at(data={}), {**at(), "data": None})
    assert api.value(meter) == Decimal(expected)


@pytest.mark.parametrize("aggregation", ["SUM", "AVG", "MIN", "MAX", "LATEST"])
@pytest.mark.parametrize("params", [{}, {"windowSize": "DAY"}, {"groupBy": "subject"}])
def test_group_without_any_number_has_no_row(
    api: Metering, aggregation: str, params: dict[str, str]
) -> None:
    meter = api.create(aggregation)
    api.send_values(meter, *NO_NUMBERS)
    assert api.rows(meter, params) == []


def test_count_does_not_look_at_data(api: Metering) -> None:
    meter = api.create("COUNT")
    api.send_values(meter, *NO_NUMBERS)
    api.send(meter, at(), at(data={}), {**at(), "data": None})
    assert api.value(meter) == len(NO_NUMBERS) + 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["0.1"] * 10, "1"),
        (["9007199254740993"], "9007199254740993"),
        (["9007199254740992", "1"], "9007199254740993"),
        (["123", '"0.4567890123456789"'], "123.4567890123456789"),
        (["1e20", "-1e20", "0.1"], "0.1"),
        (["1e-30", "1e30"], "1000000000000000000000000000000.000000000000000000000000000001"),
        (["-5", "5"], "0"),
        (["-0.0"], "0"),
        (["1.50", "1.5"], "3"),
        (["100"], "100"),
    ],
)
def test_sum_is_exact(api: Metering, values: list[str], expected: str) -> None:
    assert value(api, "SUM", *values) == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100", "100"), ("0.456", "0.456"), ("1e3", "1000"), ("+5", "5"), ("-5", "-5"),
        ("5.", "5"), (".5", "0.5"), ("1E-2", "0.01"), ("007", "7"),
        ("12345678901234567890.5", "12345678901234567890.5"),
    ],
)  # fmt: skip
def test_string_that_spells_a_number_is_that_number(api: Metering, text: str, number: str) -> None:
    assert value(api, "SUM", f'"{text}"') == number


def test_number_too_large_for_a_double_stays_exact(api: Metering) -> None:
    assert value(api, "MAX", '"1e999"', "1") == "1" + "0" * 999
    assert value(api, "SUM", "1e400", "1", "-1e400") == "1"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "0", "0"], "0." + "3" * 34),
        (["2", "0", "0"], "0." + "6" * 33 + "7"),
        (["-1", "0", "0"], "-0." + "3" * 34),
        (["1", "2"], "1.5"),
        (["0", "0"], "0"),
        (["1e40", "1", "1"], "3333333333333333333333333333333333333334"),
    ],
)
def test_mean_has_34_digits_and_whole_units(
    api: Metering, values: list[str], expected: str
) -> None:
    assert value(api, "AVG", *values) == expected


@pytest.mark.parametrize(("aggregation", "expected"), [("MIN", "-2.5"), ("MAX", "10")])
def test_extremes_compare_numbers_and_not_texts(
    api: Metering, aggregation: str, expected: str
) -> None:
    assert value(api, aggregation, '"9"', '"10"', "-2", '"-2.5"') == expected


def test_latest_is_the_value_at_the_latest_time(api: Metering) -> None:
    meter = api.create("LATEST")
    api.send(meter, at("2024-06-15T12:00:01Z", data={"v": 1}))
    api.send(meter, at("2024-06-15T12:00:00.999999Z", data={"v": 2}))
    api.send(meter, at("2024-06-15T12:00:02Z", data={"v": "no number"}))
    assert api.value(meter) == 1


def test_latest_of_one_time_is_the_one_stored_last(api: Metering) -> None:
    meter = api.create("LATEST")
    for number in ("3", "1", "2"):
        api.send_values(meter, number)
    assert api.value(meter) == 2
    assert [api.value(meter) for _ in range(5)] == [2] * 5


def test_latest_of_one_time_and_batch_is_that_of_the_greatest_id(api: Metering) -> None:
    for order in (("a", "c", "b"), ("c", "b", "a")):
        meter = api.create("LATEST")
        values = {"a": 1, "b": 2, "c": 3}
        events = [{**at(data={"v": values[i]}), "id": f"{meter['slug']}-{i}"} for i in order]
        api.send(meter, *events)
        assert api.value(meter) == 3


def test_latest_is_found_for_each_window_and_group(api: Metering) -> None:
    meter = api.create("LATEST")
    api.send(
        meter,
        at("2024-06-15T12:00:00Z", subject="ann", data={"v": 1}),
        at("2024-06-15T13:00:00Z", subject="ann", data={"v": 2}),
        at("2024-06-15T14:00:00Z", subject="bob", data={"v": 3}),
        at("2024-06-16T12:00:00Z", subject="ann", data={"v": 4}),
    )
    rows = api.rows(meter, {"windowSize": "DAY", "groupBy": "subject"})
    assert [(row.start[:10], row.subject, row.value) for row in rows] == [
        ("2024-06-15", "ann", 2),
        ("2024-06-15", "bob", 3),
        ("2024-06-16", "ann", 4),
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", '"1"', "1.0", "1e0"], "1"),
        (["true", '"true"'], "1"),
        (["0", "-0", '"0"'], "1"),
        (["1", "true", '"1.0"'], "3"),
        (['"a"', '"A"', '"a "'], "3"),
        (['""'], "1"),
        (["1", "null", "[]", "{}", "[1]"], "1"),
        (["null", "[]", "{}"], "0"),
    ],
)
def test_unique_count_counts_distinct_texts_of_scalars(
    api: Metering, values: list[str], expected: str
) -> None:
    assert value(api, "UNIQUE_COUNT", *values) == expected


def test_unique_count_does_not_count_what_is_absent(api: Metering) -> None:
    meter = api.create("UNIQUE_COUNT")
    api.send(meter, at(), at(data={}), at(data={"w": 1}), at(data={"v": 1}))
    assert api.value(meter) == 1
    [row] = api.rows(meter, {"windowSize": "DAY"})
    assert row.value == 1


def test_group_of_absent_values_has_a_row_of_zero_unique_values(api: Metering) -> None:
    meter = api.create("UNIQUE_COUNT")
    api.send(meter, at(subject="ann"), at(subject="bob", data={"v": 1}))
    rows = api.rows(meter, {"groupBy": "subject"})
    assert [(row.subject, row.value) for row in rows] == [("ann", 0), ("bob", 1)]


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("$.a.b", {"a": {"b": 1}}, 1),
        ('$["a b"]', {"a b": 1}, 1),
        ("$.a[1]", {"a": [5, 1]}, 1),
        ("$.a[*].b", {"a": [{"c": 5}, {"b": 1}, {"b": 7}]}, 1),
        ("$.a.b", {"a": [{"b": 5}], "a.b": 6}, None),
        ("$.a[0]", {"a": {"0": 5}}, None),
        ("$.a[9]", {"a": [1]}, None),
        ("$", {"a": 1}, None),
    ],
)
def test_value_is_what_the_path_leads_to(
    api: Metering, path: str, data: object, expected: int | None
) -> None:
    meter = api.create("SUM", valueProperty=path)
    api.send(meter, at(data=data))
    assert [row.value for row in api.rows(meter)] == ([] if expected is None else [expected])


def test_long_path_of_indexes_is_answered_at_once(api: Metering) -> None:
    assert api.rows(api.create("SUM", valueProperty="$" + "[0]" * 32)) == []
