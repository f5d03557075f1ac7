"""Groups of a meter query: their texts, their combinations, and the filters that imply them."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.metering import Meter, Metering, Row, at, refusal

MINUTE = ("2024-06-15T12:00:00Z", "2024-06-15T12:01:00Z")


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def meter(api: Metering) -> Meter:
    meter = api.create(groupBy={"model": "$.model", "kind": "$.kind"})
    api.send(
        meter,
        at(subject="ann", data={"model": "m1", "kind": "in"}),
        at(subject="ann", data={"model": "m1", "kind": "out"}),
        at(subject="bob", data={"model": "m2", "kind": "in"}),
        at(subject="bob", data={"model": "m2", "kind": "in"}),
        at(subject="cyd"),
    )
    return meter


def groups(rows: list[Row]) -> list[tuple[Any, ...]]:
    return [
        (*([row.subject] if row.subject else []), *row.group.values(), row.value) for row in rows
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"), ("", ""), (5, "5"), (5.0, "5"), (0.5, "0.5"), (1e3, "1000"), (-0.0, "0"),
        (True, "true"), (False, "false"), (None, ""), ({"a": 1}, ""), ([1], ""),
        ('q"\n,', 'q"\n,'), (" ", " "), ("null", "null"),
        (12345678901234567890, "12345678901234567890"),
    ],
)  # fmt: skip
def test_group_value_is_the_text_of_a_scalar(api: Metering, value: object, text: str) -> None:
    meter = api.create(groupBy={"g": "$.g"})
    api.send(meter, at(data={"g": value}))
    assert api.rows(meter, {"groupBy": "g"}) == [Row(*MINUTE, 1, None, {"g": text})]


def test_everything_without_a_text_is_one_group(api: Metering) -> None:
    meter = api.create(groupBy={"g": "$.g"})
    api.send(meter, at(), at(data={}), at(data={"g": None}), at(data={"g": []}), at(data={"g": ""}))
    assert groups(api.rows(meter, {"groupBy": "g"})) == [("", 5)]


def test_number_and_its_text_are_one_group(api: Metering) -> None:
    meter = api.create(groupBy={"g": "$.g"})
    api.send(meter, *(at(data={"g": value}) for value in (1, "1", 1.0)))
    assert groups(api.rows(meter, {"groupBy": "g"})) == [("1", 3)]


def test_rows_are_combinations_that_occur_in_order(api: Metering, meter: Meter) -> None:
    rows = api.rows(meter, {"groupBy": ["model", "kind"]})
    assert groups(rows) == [("", "", 1), ("m1", "in", 1), ("m1", "out", 1), ("m2", "in", 2)]


def test_group_members_come_as_they_were_asked_for(api: Metering, meter: Meter) -> None:
    [row, *_] = api.rows(meter, {"groupBy": ["model", "kind"]})
    assert list(row.group) == ["model", "kind"]
    [row, *_] = api.rows(meter, {"groupBy": ["kind", "model"]})
    assert list(row.group) == ["kind", "model"]


def test_group_asked_for_twice_is_one_group(api: Metering, meter: Meter) -> None:
    once = api.rows(meter, {"groupBy": ["model", "subject"]})
    again = {"groupBy": ["model", "subject", "model", "subject"]}
    assert api.rows(meter, again) == once
    assert api.rows(meter, {"groupBy": ["model"] * 101}) == api.rows(meter, {"groupBy": "model"})


def test_subject_in_group_by_is_told_beside_the_groups(api: Metering, meter: Meter) -> None:
    rows = api.rows(meter, {"groupBy": ["subject", "kind"]})
    assert rows[0] == Row(*MINUTE, 1, "ann", {"kind": "in"})
    assert groups(rows) == [("ann", "in", 1), ("ann", "out", 1), ("bob", "in", 2), ("cyd", "", 1)]


def test_without_grouping_a_row_has_neither(api: Metering, meter: Meter) -> None:
    assert api.rows(meter) == [Row(*MINUTE, 5, None, {})]


def test_rows_are_ordered_by_window_then_subject_then_group(api: Metering) -> None:
    meter = api.create(groupBy={"g": "$.g"})
    for time in ("2024-06-16T12:00:00Z", "2024-06-15T12:00:00Z"):
        for subject in ("b", "B", "é", "a"):
            api.send(meter, *(at(time, subject=subject, data={"g": g}) for g in ("2", "10", "")))
    rows = api.rows(meter, {"windowSize": "DAY", "groupBy": ["g", "subject"]})
    keys = [(row.start, row.subject or "", row.group["g"]) for row in rows]
    assert len(keys) == 24
    assert keys == sorted(keys)


def test_subject_filter_groups_by_subject(api: Metering, meter: Meter) -> None:
    assert groups(api.rows(meter, {"subject": "bob"})) == [("bob", 2)]
    assert groups(api.rows(meter, {"subject": ["cyd", "ann", "ann", "zoe"]})) == [
        ("ann", 2),
        ("cyd", 1),
    ]


def test_empty_subject_list_of_a_body_groups_and_filters_nothing(
    api: Metering, meter: Meter
) -> None:
    body = api.query_by_body(meter, {"subject": []}).json()
    assert [row["subject"] for row in body["data"]] == ["ann", "bob", "cyd"]


def test_subjects_are_compared_whole_and_exactly(api: Metering, meter: Meter) -> None:
    for subject in ("an", "Ann", "ann ", "%", "a_n"):
        assert api.rows(meter, {"subject": subject}) == []


def test_filtering_by_a_group_does_not_group_by_it(api: Metering, meter: Meter) -> None:
    assert api.rows(meter, {"filterGroupBy[model]": "m1"}) == [Row(*MINUTE, 2, None, {})]


def test_all_filters_hold_at_once(api: Metering, meter: Meter) -> None:
    both = {"subject": ["ann", "bob"], "filterGroupBy[kind]": "in", "filterGroupBy[model]": "m2"}
    assert groups(api.rows(meter, both)) == [("bob", 2)]


def test_customers_are_asked_for_before_anything_is_counted(api: Metering, meter: Meter) -> None:
    unknown = api.query(meter, {"filterCustomerId": "someone"})
    assert refusal(unknown) == (404, "not found error: customer with id someone not found")
    required = "validation error: customer filter is required with customer_id group by"
    assert refusal(api.query(meter, {"groupBy": "customer_id"})) == (400, required)
    assert api.query_by_body(meter, {"filterCustomerId": []}).json()["data"]


def test_get_and_post_give_the_same_answer(api: Metering, meter: Meter) -> None:
    by_get = api.query(
        meter,
        {
            "from": "2024-06-01T00:00:00Z",
            "to": "2024-07-01T00:00:00+02:00",
            "windowSize": "MONTH",
            "windowTimeZone": "Asia/Tokyo",
            "subject": ["ann", "bob"],
            "groupBy": ["kind", "subject"],
            "filterGroupBy[kind]": "in",
            "clientId": "me",
        },
    )
    by_post = api.query_by_body(
        meter,
        {
            "from": "2024-06-01T00:00:00Z",
            "to": "2024-07-01T00:00:00+02:00",
            "windowSize": "MONTH",
            "windowTimeZone": "Asia/Tokyo",
            "subject": ["ann", "bob"],
            "groupBy": ["kind", "subject"],
            "filterGroupBy": {"kind": ["in"]},
            "clientId": "me",
        },
    )
    assert by_get.content == by_post.content
    assert len(by_get.json()["data"]) == 2


def test_empty_body_is_the_total_of_all_time(api: Metering, meter: Meter) -> None:
    assert api.query_by_body(meter, {}).content == api.query(meter).content


def test_meter_may_be_named_by_id_in_either_case(api: Metering, meter: Meter) -> None:
    for name in (meter["id"], meter["id"].lower()):
        assert api.query({"slug": name}).content == api.query(meter).content


def test_a_hundred_groups_with_deep_paths_are_answered(api: Metering) -> None:
    keys = {f"k{number}": f"$.k{number}" + ".a" * 9 for number in range(100)}
    meter = api.create(groupBy=keys)
    api.send(meter, at())
    [row] = rows = api.rows(meter, {"groupBy": list(keys)})
    assert len(rows) == 1
    assert row.group == dict.fromkeys(keys, "")
