"""Metrics: units by periods of UTC, zeros included."""

from decimal import Decimal
from json import loads
from typing import Any
from uuid import uuid4

import pytest
from tests.support.togai import Togai

DAYS = [f"2024-06-{day:02}T00:00:00Z" for day in (14, 15, 16)]


@pytest.fixture
def used(togai: Togai) -> str:
    """A meter with 1 and 2 of ann on the 14th and the 16th, and 4 of bob on the 16th."""
    meter = togai.active()
    for subject, day, units in (("ann", 14, 1), ("ann", 16, "2"), ("bob", 16, 4)):
        togai.send({"bytes": units}, subject=f"{subject}-{togai.schema}",
                   time=f"2024-06-{day}T12:00:00.5Z")  # fmt: skip
    return meter


def asked(togai: Togai, **members: Any) -> Any:
    times = {"startTime": "2024-06-14T06:00:00Z", "endTime": "2024-06-17T00:00:00Z"}
    times |= {name: members.pop(name) for name in times if name in members}
    query = {"id": "q", "name": "METER_USAGE", "aggregationPeriod": "DAY", **members}
    answer = togai.http.post("/togai/metrics", json={**times, "metricQueries": [query]})
    assert answer.status_code == 200, answer.text
    (result,) = loads(answer.text, parse_float=Decimal, parse_int=Decimal)["results"]
    assert (result["id"], result["name"]) == ("q", query["name"])
    return result["data"]


def of(field: str, *values: str) -> dict[str, Any]:
    return {"filters": [{"fieldName": field, "fieldValues": list(values)}]}


def values(data: Any) -> list[list[Decimal]]:
    return [one["metricValues"] for one in data]


def test_every_period_has_a_point(togai: Togai, used: str) -> None:
    (one,) = asked(togai, **of("USAGE_METER_ID", used))
    assert one == {"timestamps": DAYS, "metricValues": [1, 0, 6]}


def test_both_ends_cut_their_periods(togai: Togai, used: str) -> None:
    at = "2024-06-16T12:00:00.5Z"
    assert values(asked(togai, endTime=at, **of("USAGE_METER_ID", used))) == [[1, 0, 0]]
    late = asked(togai, startTime=at, **of("USAGE_METER_ID", used))
    assert late == [{"timestamps": DAYS[2:], "metricValues": [6]}]


@pytest.mark.parametrize(
    ("period", "starts"),
    [
        ("WEEK", ["2024-06-10T00:00:00Z"]),
        ("MONTH", ["2024-06-01T00:00:00Z"]),
    ],
)
def test_weeks_start_on_monday_and_months_on_their_first(
    togai: Togai, used: str, period: str, starts: list[str]
) -> None:
    (one,) = asked(togai, aggregationPeriod=period, **of("USAGE_METER_ID", used))
    assert one == {"timestamps": starts, "metricValues": [7]}


@pytest.mark.usefixtures("used")
def test_without_usage_there_are_zeros(togai: Togai) -> None:
    nobody = asked(togai, **of("ACCOUNT_ID", "nobody"))
    assert values(nobody) == [[0, 0, 0]]
    assert asked(togai, groupBy="ACCOUNT_ID", **of("ACCOUNT_ID", "nobody")) == []


def test_groups_are_those_with_usage(togai: Togai, used: str) -> None:
    other = togai.active(aggregation="COUNT", computations=None)
    ann, bob = (f"{name}-{togai.schema}" for name in ("ann", "bob"))
    told = asked(togai, groupBy="ACCOUNT_ID", **of("USAGE_METER_ID", used))
    by_account = {one["groupedBy"]["fieldValue"]: one["metricValues"] for one in told}
    assert by_account == {ann: [1, 0, 2], bob: [0, 0, 4]}
    told = asked(togai, groupBy="USAGE_METER_ID", **of("USAGE_METER_ID", used, other))
    assert [one["groupedBy"] for one in told] == [
        {"fieldName": "USAGE_METER_ID", "fieldValue": used}
    ]
    togai.send({"bytes": 1}, subject=ann, time="2024-06-15T00:00:00Z")
    assert values(asked(togai, **of("USAGE_METER_ID", used, other))) == [[1, 2, 6]]


def test_a_customer_is_all_of_its_subjects(togai: Togai, used: str) -> None:
    key = f"c-{togai.schema}"
    subjects = [f"{name}-{togai.schema}" for name in ("ann", "bob")]
    customer = {"key": key, "name": key, "usageAttribution": {"subjectKeys": subjects}}
    assert togai.http.post("/api/v1/customers", json=customer).status_code == 201
    assert values(asked(togai, **of("CUSTOMER_ID", key))) == [[1, 0, 6]]
    assert values(asked(togai, **of("CUSTOMER_ID", subjects[0]))) == [[0, 0, 0]]
    (one,) = asked(togai, groupBy="CUSTOMER_ID", **of("USAGE_METER_ID", used))
    assert one["groupedBy"] == {"fieldName": "CUSTOMER_ID", "fieldValue": key}
    both = [*of("CUSTOMER_ID", key)["filters"], *of("ACCOUNT_ID", subjects[1])["filters"]]
    assert values(asked(togai, filters=both)) == [[0, 0, 4]]


@pytest.mark.usefixtures("used")
def test_a_native_meter_is_asked_by_its_name(togai: Togai) -> None:
    slug = f"m_{uuid4().hex}"
    native = {"slug": slug, "eventType": togai.schema, "aggregation": "SUM",
              "valueProperty": "$.attributes.bytes", "name": slug}  # fmt: skip
    assert togai.http.post("/api/v1/meters", json=native).status_code == 201
    assert values(asked(togai, **of("USAGE_METER_ID", slug))) == [[1, 0, 6]]


def test_events_are_counted_by_what_became_of_them(togai: Togai) -> None:
    togai.active()
    owner = togai.customer()["id"]
    one, two = (togai.account(owner)["id"] for _ in range(2))
    late = {"timestamp": "2024-06-16T23:59:59.999999Z"}
    togai.ingest(
        togai.event(one, {"bytes": "1"}, timestamp="2024-06-14T06:00:00Z"),
        togai.event(two, {"bytes": "1"}, **late),
        togai.event(two, {"bites": "1"}, **late),
        togai.event(two, {"bytes": "1"}, timestamp="2024-06-14T05:59:59Z"),
    )
    of_schema = of("SCHEMA_NAME", togai.schema)["filters"]

    def events(by: str | None = None, *more: Any) -> Any:
        grouped = {} if by is None else {"groupBy": by}
        told = asked(togai, name="EVENTS", filters=[*of_schema, *more], **grouped)
        return {one.get("groupedBy", {}).get("fieldValue"): one["metricValues"] for one in told}

    assert events() == {None: [1, 0, 2]}
    assert events("ACCOUNT_ID") == {one: [1, 0, 0], two: [0, 0, 2]}
    assert events("CUSTOMER_ID") == {owner: [1, 0, 2]}
    assert events("SCHEMA_NAME") == {togai.schema: [1, 0, 2]}
    assert events("EVENT_STATUS") == {"PROCESSED": [1, 0, 1], "UNPROCESSED": [0, 0, 1]}
    assert events("RAW_EVENT_STATUS") == {
        "INGESTION_COMPLETED_EVENT_METERED": [1, 0, 1], "INGESTION_FAILED_UNITS_INVALID": [0, 0, 1],
    }  # fmt: skip
    processed = of("EVENT_STATUS", "PROCESSED", "IN_PROGRESS")["filters"]
    assert events(None, *processed) == {None: [1, 0, 1]}
    assert events(None, *of("EVENT_STATUS", "IN_PROGRESS")["filters"]) == {None: [0, 0, 0]}
    assert events(None, *of("ACCOUNT_ID", two)["filters"]) == {None: [0, 0, 2]}
    assert events(None, *of("CUSTOMER_ID", owner)["filters"]) == {None: [1, 0, 2]}


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"name": "EVENTS", "groupBy": "USAGE_METER_ID"}, "no groups by"),
        ({"name": "USAGE", "groupBy": "EVENT_STATUS"}, "no groups by"),
        ({"name": "EVENTS", **of("USAGE_METER_ID", "um")}, "no filter by"),
        ({"name": "USAGE", **of("SCHEMA_NAME", "a")}, "no filter by"),
        ({"name": "EVENTS", **of("SCHEMA_NAME", "a", "b")}, "SCHEMA_NAME takes one value"),
        ({"name": "EVENTS", **of("EVENT_STATUS", "LOST")}, "EVENT_STATUS must be among"),
        ({"name": "REVENUE"}, "REVENUE cannot be asked for"),
        ({"name": "LIKES"}, "name"),
        ({"aggregationPeriod": "YEAR"}, "aggregationPeriod"),
        ({"aggregationPeriod": "HOUR", "startTime": "2024-01-01T00:00:00Z"}, "300 periods"),
        ({"endTime": "2024-06-14T06:00:00Z"}, "startTime must be before endTime"),
        ({"groupBy": "COLOUR"}, "groupBy"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    togai: Togai, members: dict[str, Any], why: str
) -> None:
    times = {"startTime": "2024-06-14T06:00:00Z", "endTime": "2024-06-17T00:00:00Z"}
    rest: dict[str, Any] = {name: one for name, one in members.items() if name not in times}
    body: dict[str, Any] = {name: members.get(name, one) for name, one in times.items()}
    query = {"id": "q", "name": "USAGE", "aggregationPeriod": "DAY", **rest}
    assert why in togai.refused("POST", "/metrics", **body, metricQueries=[query])
    six = [{"id": "q", "name": "USAGE", "aggregationPeriod": "DAY"}] * 6
    assert "metricQueries" in togai.refused("POST", "/metrics", **body, metricQueries=six)
