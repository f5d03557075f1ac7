"""Subjects and group values of a meter."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.support.metering import Meter, Metering, at, refusal

NOW = datetime.now(UTC)  # noqa: TID251 - the server's default bounds are about now
DAY = timedelta(days=1)


def ago(days: float) -> str:
    return (NOW - days * DAY).isoformat()


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def meter(api: Metering) -> Meter:
    """Values of `g`: new an hour ago, 5 and absent two days ago, old 100 days ago, next ahead."""
    meter = api.create("SUM", groupBy={"g": "$.g"}, eventFrom=ago(1))
    api.send(
        meter,
        at(ago(1 / 24), subject="zoe", data={"g": "new", "v": "no number"}),
        at(ago(2), subject="Bob", data={"g": 5}),
        at(ago(2), subject="Bob", data={"g": "5"}),
        at(ago(2), subject="élan", data={"g": None}),
        at(ago(2), subject="ann"),
        at(ago(100), subject="ann", data={"g": "old"}),
        at(ago(-1), subject="ahead", data={"g": "next"}),
    )
    return meter


def subjects(api: Metering, meter: Meter, **bounds: str) -> httpx.Response:
    return api.http.get(f"/api/v1/meters/{meter['slug']}/subjects", params=named(bounds))


def values(api: Metering, meter: Meter, key: str = "g", **bounds: str) -> httpx.Response:
    path = f"/api/v1/meters/{meter['slug']}/group-by/{key}/values"
    return api.http.get(path, params=named(bounds))


def named(bounds: dict[str, str]) -> dict[str, str]:
    return {name.rstrip("_"): bound for name, bound in bounds.items()}


def test_subjects_are_distinct_and_ordered_by_code_point(api: Metering, meter: Meter) -> None:
    answer = subjects(api, meter)
    assert answer.json() == ["Bob", "ahead", "ann", "zoe", "élan"]
    assert answer.headers["content-type"] == "application/json"


def test_subjects_of_a_meter_without_events_are_an_empty_array(api: Metering) -> None:
    assert subjects(api, api.create()).text == "[]"


def test_subjects_from_is_included_and_to_excluded(api: Metering) -> None:
    meter = api.create()
    moments = ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000001Z", "2024-01-01T00:00:00.000002Z"]
    api.send(meter, *(at(time, subject=f"s{i}") for i, time in enumerate(moments)))
    assert subjects(api, meter, from_=moments[1]).json() == ["s1", "s2"]
    assert subjects(api, meter, to=moments[1]).json() == ["s0"]
    assert subjects(api, meter, from_=moments[1], to=moments[2]).json() == ["s1"]


def test_subjects_are_those_of_the_event_type(api: Metering, meter: Meter) -> None:
    other = api.create()
    api.send(other, at(subject="other"))
    assert subjects(api, other).json() == ["other"]
    assert "other" not in subjects(api, meter).json()


def test_values_are_texts_of_the_last_day_with_the_future(api: Metering, meter: Meter) -> None:
    assert values(api, meter).json() == ["new", "next"]


def test_values_of_absent_and_null_are_one_empty_text(api: Metering, meter: Meter) -> None:
    assert values(api, meter, from_=ago(3)).json() == ["", "5", "new", "next"]


def test_values_to_alone_has_no_lower_bound(api: Metering, meter: Meter) -> None:
    assert values(api, meter, to=ago(0)).json() == ["", "5", "new", "old"]


def test_values_from_is_included_and_to_excluded(api: Metering, meter: Meter) -> None:
    assert values(api, meter, from_=ago(1 / 24), to=ago(-1)).json() == ["new"]


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ({"from_": ago(91)}, "from time must not be more than 90 days ago"),
        ({"from_": ago(31), "to": ago(0.5)}, "time window must be less than 30 days"),
        ({"from_": ago(1), "to": ago(1)}, "from and to cannot be equal"),
        ({"from_": ago(1), "to": ago(2)}, "from time must be before to time"),
    ],
)
def test_values_have_a_short_past(
    api: Metering, meter: Meter, bounds: dict[str, str], reason: str
) -> None:
    assert refusal(values(api, meter, **bounds)) == (400, f"validation error: {reason}")


def test_values_of_exactly_thirty_days_and_of_89_days_ago_are_told(
    api: Metering, meter: Meter
) -> None:
    assert values(api, meter, from_=ago(30), to=ago(0)).json() == ["", "5", "new"]
    assert values(api, meter, from_=ago(89)).json() == ["", "5", "new", "next"]


@pytest.mark.parametrize("key", ["subject", "customer_id", "G", "v", "%ED%A0%80"])
def test_values_of_anything_but_a_group_key_are_refused(
    api: Metering, meter: Meter, key: str
) -> None:
    reason = "group by key is not valid for this meter"
    assert refusal(values(api, meter, key)) == (400, f"validation error: {reason}")


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ({"from_": ago(1), "to": ago(1)}, "from and to cannot be equal"),
        ({"from_": ago(1), "to": ago(2)}, "from time must be before to time"),
    ],
)
def test_subjects_of_no_period_are_refused(
    api: Metering, meter: Meter, bounds: dict[str, str], reason: str
) -> None:
    assert refusal(subjects(api, meter, **bounds)) == (400, f"validation error: {reason}")


@pytest.mark.parametrize("bound", ["from_", "to"])
@pytest.mark.parametrize("text", ["", "yesterday", "2024-01-01", "1704067200"])
def test_wrong_bound_is_named(api: Metering, meter: Meter, bound: str, text: str) -> None:
    for ask in (subjects, values):
        status, detail = refusal(ask(api, meter, **{bound: text}))
        assert status == 400
        assert str(detail).startswith(f'parameter "{bound.rstrip("_")}" in query has an error: ')


def test_unknown_meter_has_neither(api: Metering) -> None:
    nobody = {"slug": "nobody"}
    detail = "not found error: meter not found: nobody"
    assert refusal(subjects(api, nobody)) == (404, detail)
    assert refusal(values(api, nobody)) == (404, detail)


@pytest.mark.parametrize(
    "bounds",
    [
        {"from_": "9999-12-31T23:59:59.999999Z"},
        {"to": "0001-01-01T00:00:00Z"},
    ],
)
def test_bounds_at_the_end_of_time_are_empty(
    api: Metering, meter: Meter, bounds: dict[str, str]
) -> None:
    assert subjects(api, meter, **bounds).json() == []
    assert values(api, meter, **bounds).json() == []
