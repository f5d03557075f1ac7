"""What a feature's usage costs: usage times unit cost, to the last digit."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from tests.support.v3 import FEATURES, Client, Wrong, failure, page_of, wrong

MONTH = {"from": "2024-01-01T00:00:00Z", "to": "2024-02-01T00:00:00Z"}


@pytest.fixture(scope="module")
def meter(v3: Client) -> Mapping[str, Any]:
    """Usage of two models on two days."""
    meter = v3.create("sum", dimensions={"model": "$.model"})
    for day, model, value in (
        (1, "a", "0.1"),
        (1, "b", "1000000000000000000000.000000000000000001"),
        (2, "a", "0.2"),
    ):
        v3.send(
            {
                "subject": "s",
                "type": meter["event_type"],
                "time": f"2024-01-0{day}T12:00:00Z",
                "data": {"v": value, "model": model},
            }
        )
    return meter


def priced(v3: Client, meter: Mapping[str, Any], amount: str, **members: object) -> dict[str, Any]:
    return v3.feature(meter, unit_cost={"type": "manual", "amount": amount}, **members)


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(row["usage"], row["cost"]) for row in rows]


def test_cost_is_usage_times_unit_cost_exactly(v3: Client, meter: Mapping[str, Any]) -> None:
    [row] = v3.cost(priced(v3, meter, "0.000000000000000003"), MONTH)
    assert row == {
        "usage": "1000000000000000000000.300000000000000001",
        "cost": "3000.000000000000000000900000000000000003",
        "currency": "USD",
        "dimensions": {},
        **MONTH,
    }


def test_cost_is_of_events_that_pass_the_features_filters(
    v3: Client, meter: Mapping[str, Any]
) -> None:
    feature = priced(v3, meter, "2.50", filters={"model": {"eq": "a"}})
    assert told(v3.cost(feature)) == [("0.3", "0.75")]
    daily = {**MONTH, "granularity": "P1D", "group_by_dimensions": ["model", "subject"]}
    rows = v3.cost(feature, daily)
    assert told(rows) == [("0.1", "0.25"), ("0.2", "0.5")]
    assert rows[0]["dimensions"] == {"model": "a", "subject": "s"}
    nothing = {"filters": {"dimensions": {"model": {"eq": "b"}}}}
    assert v3.cost(feature, nothing) == []


def test_usage_is_that_of_the_meter(v3: Client, meter: Mapping[str, Any]) -> None:
    daily = {**MONTH, "granularity": "P1D", "group_by_dimensions": ["model"]}
    costs = v3.cost(priced(v3, meter, "1"), daily)
    assert [
        {"value": row["usage"], **{name: row[name] for name in ("from", "to", "dimensions")}}
        for row in costs
    ] == v3.rows(meter, daily)
    assert all(row["cost"] == row["usage"] for row in costs)


def test_question_may_be_left_out(v3: Client, meter: Mapping[str, Any]) -> None:
    url = f"{FEATURES}/{priced(v3, meter, '0')['id'].lower()}/cost/query"
    assert told(page_of(v3.http.post(url))["data"]) == [
        ("1000000000000000000000.300000000000000001", "0")
    ]


def test_new_unit_cost_is_that_of_the_past_too(v3: Client, meter: Mapping[str, Any]) -> None:
    feature = priced(v3, meter, "1", filters={"model": {"eq": "a"}})
    change = {"unit_cost": {"type": "manual", "amount": "2"}}
    v3.http.patch(f"{FEATURES}/{feature['id']}", json=change)
    assert told(v3.cost(feature)) == [("0.3", "0.6")]


@pytest.mark.parametrize(
    ("cost", "reason"),
    [
        (None, "the feature has no unit cost"),
        (
            {"type": "llm", "provider": "p", "model_property": "model", "token_type": "input"},
            "the server has no prices of language models",
        ),
    ],
)
def test_unknown_cost_is_null_with_the_reason(
    v3: Client, meter: Mapping[str, Any], cost: object, reason: str
) -> None:
    [row] = v3.cost(v3.feature(meter, unit_cost=cost, filters={"model": {"eq": "a"}}))
    assert (row["usage"], row["cost"], row["currency"]) == ("0.3", None, "USD")
    assert row["detail"] == reason


def test_customers_are_asked_for_as_of_a_meter(v3: Client) -> None:
    meter, customer = v3.create(), v3.customer()
    for subject in (customer["key"], uuid4().hex):
        v3.send({"subject": subject, "type": meter["event_type"], "time": "2024-01-01T00:00:00Z"})
    body = {"filters": {"dimensions": {"customer_id": {"eq": customer["id"]}}}}
    [row] = v3.cost(priced(v3, meter, "3"), body)
    assert (row["cost"], row["dimensions"]) == ("3", {"customer_id": customer["id"]})


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"granularity": "P1W"}, "granularity", "enum"),
        ({"from": "2024-01-02T00:00:00Z", "to": "2024-01-01T00:00:00Z"}, "from", "invalid"),
        ({"group_by_dimensions": ["none"]}, "group_by_dimensions.0", "invalid"),
        ({"time_zone": "Mars"}, "time_zone", "invalid"),
        ({"time_zone": "a\x00"}, "time_zone", "invalid"),
        ({"client_id": "x"}, "client_id", "unknown_property"),
    ],
)
def test_question_that_makes_no_sense_is_refused_by_the_field(
    v3: Client, meter: Mapping[str, Any], body: object, field: str, rule: str
) -> None:
    url = f"{FEATURES}/{v3.feature(meter)['id']}/cost/query"
    assert wrong(v3.post(url, body)) == [Wrong(field, rule, "body")]


def test_feature_without_a_meter_has_no_cost(v3: Client) -> None:
    answer = v3.post(f"{FEATURES}/{v3.feature()['id']}/cost/query", {})
    assert wrong(answer) == [Wrong("featureId", "invalid", "path")]
    unknown = v3.post(f"{FEATURES}/01HM6ZYX0000000000000000AB/cost/query", {})
    assert failure(unknown) == (404, "The requested feature was not found")
