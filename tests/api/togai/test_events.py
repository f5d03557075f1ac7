"""Events for schemas: what became of each is told, and is what the meters count."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from tests.support.togai import SUM, Togai

BYTES_TIMES = '{{"*":[{{"var":"attributes.bytes"}},{0}]}}'
FAILED = "INGESTION_FAILED_"


@pytest.fixture
def account(togai: Togai) -> str:
    return str(togai.account()["id"])


def test_an_event_is_told_with_its_units(togai: Togai, account: str) -> None:
    doubled = [{"computation": BYTES_TIMES.format(2)}]
    meter, eu = togai.active(computations=doubled), togai.active(
        filters=[{"field": "region", "value": "eu"}], computations=SUM
    )  # fmt: skip
    event = togai.event(account, {"bytes": "0.10000000000000000000001"}, {"region": "us"})
    event["attributes"][0]["unit"] = "B"
    assert togai.ingest(event) == ["COMPLETED_EVENT_METERED"]
    (told,) = togai.told("GET", f"/events/{event['id']}")["events"]
    assert told["eventPayload"] == event
    assert told["eventPipelineInfo"]["eventSchema"] == {"name": togai.schema, "version": 1}
    assert told["eventPipelineInfo"]["account"] == {"id": account, "name": "Acme Europe"}
    assert told["eventPipelineInfo"]["customer"]["id"] == told["customerId"]
    by_id = {one["id"]: one for one in told["eventPipelineInfo"]["usageMeters"]}
    assert by_id[eu]["status"] == "PROCESSED_FILTERED_OUT"
    assert by_id[meter]["status"] == "PROCESSED_UNITS_COMPUTED"
    exact = Decimal("0.20000000000000000000002")
    assert togai.units(event["id"]) == {meter: exact, eu: None}
    assert [togai.used(meter), togai.used(eu)] == [exact, Decimal(0)]


def test_what_became_of_each_is_told(togai: Togai, account: str) -> None:
    assert togai.ingest(togai.event(account)) == ["COMPLETED_NO_MATCHING_METERS"]
    meter = togai.active(computations=[{**SUM[0], "matcher": '{"var":"dimensions.region"}'}])
    good = togai.event(account, {"bytes": "1.5"}, {"region": "eu"})
    assert togai.ingest(
        good,
        togai.event(account, {"bytes": "2"}),
        togai.event(account, {"bites": "2"}, {"region": "eu"}),
        togai.event(account, schemaName=uuid4().hex),
        togai.event(uuid4().hex),
        togai.event(account, id=None),
        togai.event(account, {"bytes": "4"}, {"region": "eu"}, id=good["id"]),
    ) == [
        "COMPLETED_EVENT_METERED",
        "COMPLETED_EVENT_NOT_METERED",
        "FAILED_UNITS_INVALID",
        "FAILED_SCHEMA_NOT_DEFINED",
        "FAILED_ACCOUNT_NOT_FOUND",
        "FAILED_NO_EVENT_ID",
        "FAILED_DUPLICATE_EVENT",
    ]
    assert togai.ingest(good) == ["FAILED_DUPLICATE_EVENT"]
    assert togai.used(meter) == Decimal("1.5")
    told = togai.told("GET", f"/events/{good['id']}")["events"]
    assert [one["ingestionStatus"]["status"] for one in told] == [
        f"{FAILED}DUPLICATE_EVENT", f"{FAILED}DUPLICATE_EVENT", "INGESTION_COMPLETED_EVENT_METERED",
    ]  # fmt: skip
    assert "has been ingested" in told[0]["ingestionStatus"]["statusDescription"]


def test_a_failed_event_may_come_again(togai: Togai) -> None:
    meter = togai.active()
    event = togai.event(uuid4().hex, {"bytes": "3"})
    assert togai.ingest(event) == ["FAILED_ACCOUNT_NOT_FOUND"]
    togai.account(id=event["accountId"])
    assert togai.ingest(event, event) == ["COMPLETED_EVENT_METERED", "FAILED_DUPLICATE_EVENT"]
    assert togai.used(meter) == 3


def test_invalid_units_for_one_meter_are_so_for_all(togai: Togai, account: str) -> None:
    counting = togai.active(aggregation="COUNT", computations=None)
    togai.active()
    assert togai.ingest(togai.event(account, {"bites": "2"})) == ["FAILED_UNITS_INVALID"]
    assert togai.used(counting) == 0


def test_what_is_not_active_takes_nothing(togai: Togai, account: str) -> None:
    meter = togai.active()
    togai.told("POST", f"/usage_meters/{meter}/deactivate")
    assert togai.ingest(togai.event(account, {"bytes": "1"})) == ["COMPLETED_NO_MATCHING_METERS"]
    togai.told("PATCH", f"/accounts/{account}", status="DRAFT")
    assert togai.ingest(togai.event(account)) == ["FAILED_ACCOUNT_NOT_FOUND"]
    togai.told("POST", f"/event_schema/{togai.schema}/deactivate")
    assert togai.ingest(togai.event(account)) == ["FAILED_SCHEMA_NOT_DEFINED"]


def test_an_account_is_named_by_id_or_by_an_alias_of_the_time(togai: Togai) -> None:
    meter, alias, at = togai.active(), uuid4().hex, "2024-06-15T12:00:00Z"
    until = {"value": alias, "effectiveUntil": at}
    since = {"value": alias, "effectiveFrom": at}
    one = togai.account(accountAliases=[until])["id"]
    two = togai.account(accountAliases=[since])["id"]
    before = togai.event(alias, {"bytes": "1"}, timestamp="2024-06-15T11:59:59.999999Z")
    then = togai.event(alias, {"bytes": "2"}, timestamp=at)
    assert togai.ingest(before, then) == ["COMPLETED_EVENT_METERED"] * 2
    (told,) = togai.told("GET", f"/events?account_id={one}")["events"]
    assert told["eventPayload"] == before
    by_account = togai.points(meter, groupBy="ACCOUNT_ID")
    assert by_account == {one: 1, two: 2}


def test_whom_a_native_customer_lists_needs_no_account(togai: Togai) -> None:
    subject = uuid4().hex
    attribution = {"subjectKeys": [subject]}
    native = {"name": "Acme", "usageAttribution": attribution}
    customer = togai.http.post("/api/v1/customers", json=native).json()["id"]
    meter = togai.active()
    assert togai.ingest(togai.event(subject, {"bytes": "1"})) == ["COMPLETED_EVENT_METERED"]
    assert togai.points(meter, groupBy="CUSTOMER_ID") == {customer: 1}


def test_every_api_sees_the_event(togai: Togai, account: str) -> None:
    native = {
        "slug": f"m_{uuid4().hex}", "eventType": togai.schema, "aggregation": "SUM",
        "valueProperty": "$.attributes.bytes", "groupBy": {"region": "$.dimensions.region"},
    }  # fmt: skip
    togai.http.post("/api/v1/meters", json=native).raise_for_status()
    event = togai.event(account, {"bytes": "-1.25"}, {"region": "eu"})
    assert togai.ingest(event) == ["COMPLETED_EVENT_METERED"]  # by the native meter
    query = {"subject": account, "groupBy": ["region", "subject"]}
    answer = togai.http.get(f"/api/v1/meters/{native['slug']}/query", params=query)
    (row,) = answer.json()["data"]
    assert (row["value"], row["subject"], row["groupBy"]) == (
        -1.25,
        account,
        {"region": "eu"},
    )  # fmt: skip
    listed = togai.http.get(
        "/api/v1/events", params={"subject": account, "from": "2024-06-15T00:00:00Z"}
    ).json()
    assert [one["event"]["id"] for one in listed] == [event["id"]]


def test_fields_are_made_of_fields(togai: Togai, account: str) -> None:
    fields = [
        {"name": "twice", "type": "ATTRIBUTE", "enrichmentType": "JSON_LOGIC", "order": 2,
         "value": '{"+":[{"var":"attribute.kilo"},{"var":["attribute.kilo"]}]}'},
        {"name": "kilo", "type": "ATTRIBUTE", "enrichmentType": "JSON_LOGIC", "order": 1,
         "value": '{"/":[{"var":"attribute.bytes"},1000]}'},
        {"name": "size", "type": "DIMENSION", "enrichmentType": "JSON_LOGIC", "order": 3,
         "value": '{"if":[{">=":[{"var":"attribute.twice"},1]},"large","small"]}'},
        {"name": "plan", "type": "DIMENSION", "enrichmentType": "VALUE", "value": "free",
         "order": 4},
    ]  # fmt: skip
    togai.told("PATCH", f"/event_schema/{togai.schema}", enrichments={"fields": fields})
    meter = togai.active(
        computations=[{"computation": '{"var":"attributes.twice"}'}],
        filters=[{"field": "size", "value": "large"}],
    )
    good = togai.event(account, {"bytes": "500"})
    statuses = togai.ingest(good, togai.event(account, {"bytes": "499"}), togai.event(account))
    assert statuses == [
        "COMPLETED_EVENT_METERED", "COMPLETED_EVENT_NOT_METERED", "FAILED_ENRICHMENT_FAILED",
    ]  # fmt: skip
    assert togai.used(meter) == 1
    (told,) = togai.told("GET", f"/events/{good['id']}")["events"]
    assert told["eventPayload"] == good
    assert told["eventPipelineInfo"]["eventSchema"]["version"] == 2
    made = told["eventPipelineInfo"]["enrichments"]
    assert [(one["name"], one["value"]) for one in made["attributes"]] == [
        ("kilo", "0.5"), ("twice", "1"),
    ]  # fmt: skip
    assert [one["value"] for one in made["dimensions"]] == ["large", "free"]


def test_a_schema_may_make_the_id(togai: Togai, account: str) -> None:
    template = "{{accountId}}/{{ attributes.bytes }}/${dimensions.region}/${timestamp}"
    togai.told("PATCH", f"/event_schema/{togai.schema}", eventIdTemplate=template)
    event = togai.event(account, {"bytes": "1.50"}, {"region": "eu"}, id=None)
    named = togai.event(account, {"bytes": "1.50"}, {"region": "eu"})
    poor = togai.event(account, {"bytes": "1"}, id=None)
    assert togai.ingest(event, event, named, poor) == [
        "COMPLETED_NO_MATCHING_METERS", "FAILED_DUPLICATE_EVENT", "COMPLETED_NO_MATCHING_METERS",
        "FAILED_NO_EVENT_ID",
    ]  # fmt: skip
    id_ = f"{account}/1.5/eu/2024-06-15T12:00:00Z"
    told = togai.told("GET", f"/events/{id_}")["events"]
    assert [one["eventPayload"]["id"] for one in told] == [id_, id_]
    for wrong in ("constant", "{{nothing}}", "{{id}}"):
        message = togai.refused("PATCH", f"/event_schema/{togai.schema}", eventIdTemplate=wrong)
        assert "event id template" in message


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ({"type": "ATTRIBUTE", "enrichmentType": "VALUE", "value": "many"}, "needs a number"),
        ({"type": "ATTRIBUTE", "enrichmentType": "JSON_LOGIC", "value": '{"!":1}'}, "no number"),
        ({"type": "DIMENSION", "enrichmentType": "JSON_LOGIC", "value": '{"hex":1}'}, "unknown"),
        ({"type": "DIMENSION", "enrichmentType": "JSON_LOGIC", "value": "[1]"}, "a list"),
    ],
)
def test_a_field_that_never_comes_to_anything_is_refused(
    togai: Togai, field: dict[str, str], why: str
) -> None:
    fields = [{"name": "made", "order": 1, **field}]
    path = f"/event_schema/{togai.schema}"
    assert why in togai.refused("PATCH", path, enrichments={"fields": fields})


def test_events_are_listed_in_pages(togai: Togai, account: str) -> None:
    events = [togai.event(account, {"bytes": str(n)}) for n in range(5)]
    togai.ingest(*events, togai.event(account, id=None))
    path = f"/events?account_id={account}&schema_name={togai.schema}&pageSize=2"
    path += "&status=INGESTION_COMPLETED_NO_MATCHING_METERS"
    seen, token = [], ""
    while True:
        page = togai.told("GET", path + token)
        seen += [one["eventPayload"]["id"] for one in page["events"]]
        if "nextToken" not in page:
            break
        token = f"&nextToken={page['nextToken']}"
    assert seen == [one["id"] for one in reversed(events)]
    assert togai.told("GET", f"/events?schema_name={uuid4().hex}") == {"events": []}
    togai.refused("GET", "/events?pageSize=51")
    togai.refused("GET", "/events?nextToken=there")
    togai.refused("GET", "/events?status=FINE")
    togai.refused("GET", f"/events/{uuid4().hex}", 404)


def test_one_event_and_numbers_that_are_no_texts(togai: Togai, account: str) -> None:
    meter = togai.active()
    for value in (1.5, "007.50", -2):
        event = togai.event(account, {"bytes": value}, timestamp="2022-06-15T07:30:35.123")
        assert togai.told("POST", "/ingest", 202, event=event) == {"success": True}
    assert togai.told("POST", "/ingest/batch", 202, events=[togai.event(account)]) == {
        "success": True
    }
    assert togai.used(meter) == 7
    (told,) = togai.told("GET", f"/events/{event['id']}")["events"]
    assert told["eventPayload"]["attributes"] == [{"name": "bytes", "value": "-2"}]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"schemaName": "x" * 51}, "events.1.schemaName"),
        ({"timestamp": "yesterday"}, "events.1.timestamp"),
        ({"timestamp": "0500-01-01T00:00:00Z"}, "events.1.timestamp"),
        ({"accountId": ""}, "events.1.accountId"),
        ({"accountId": None}, "accountId"),
        ({"id": "x" * 513}, "events.1.id"),
        ({"id": "\U0001f600" * 300}, "1024 bytes"),
        ({"id": "a\0b"}, "NUL"),
        ({"dimensions": {"region": ""}}, "events.1.dimensions"),
        ({"dimensions": {"region": "x" * 201}}, "events.1.dimensions"),
        ({"dimensions": {"region": 5}}, "events.1.dimensions"),
        ({"attributes": [{"name": "a", "value": "1"}] * 2}, "unique"),
        ({"attributes": [{"name": f"a{n}", "value": "1"} for n in range(11)]}, "attributes"),
        ({"attributes": [{"name": "a", "value": "1e5"}]}, "events.1.attributes.0.value"),
        ({"attributes": [{"name": "a", "value": "NaN"}]}, "decimal number"),
        ({"attributes": [{"name": "a", "value": "9" * 513}]}, "512 digits"),
        ({"attributes": [{"name": "a", "value": f"0.{'9' * 1001}"}]}, "1000 digits"),
        ({"timestamp": "2024-06-15T24:00:00Z"}, "events.1.timestamp"),
        ({"timestamp": "2024-06-31"}, "events.1.timestamp"),
        ({"attributes": [{"name": "a", "value": True}]}, "decimal number"),
        ({"attributes": {"a": 1}}, "events.1.attributes"),
    ],
)
def test_a_malformed_event_refuses_the_request(
    togai: Togai, account: str, members: dict[str, Any], why: str
) -> None:
    good = togai.event(account)
    bad = {**togai.event(account), **members}
    assert why in togai.refused("POST", "/ingestBatch", events=[good, bad])
    togai.refused("GET", f"/events/{good['id']}", 404)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"events":[]}', b'{"event":{}}', b"\xff"])
def test_what_holds_no_events_is_refused(togai: Togai, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = togai.http.post("/togai/ingestBatch", content=body, headers=headers)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json().keys() == {"message"}


@pytest.mark.parametrize(
    ("timestamp", "month"),
    [
        ("2024-06-15T12:00:00.123456789+02:00", "2024-06"),
        ("2024-07-01T01:00:00+02:00", "2024-06"),
        ("2024-07-01T00:00:00", "2024-07"),
        ("2024-07-01T00:00Z", "2024-07"),  # as Java writes it
        ("2024-07-01 00:00:00", "2024-07"),
        ("2024-07-01", "2024-07"),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(
    togai: Togai, account: str, timestamp: str, month: str
) -> None:
    event = togai.event(account, timestamp=timestamp)
    assert togai.ingest(event) == ["COMPLETED_NO_MATCHING_METERS"]
    (told,) = togai.told("GET", f"/events/{event['id']}")["events"]
    assert told["eventPayload"]["timestamp"] == timestamp
    query = {"subject": account, "from": "2024-06-01T00:00:00Z"}
    (stored,) = togai.http.get("/api/v1/events", params=query).json()
    assert stored["event"]["time"].startswith(month)


def test_a_thousand_and_no_more(togai: Togai, account: str) -> None:
    meter = togai.active()
    events = [togai.event(account, {"bytes": "1"}) for _ in range(1_001)]
    togai.refused("POST", "/ingestBatch", events=events)
    togai.told("POST", "/ingestBatch", 202, events=events[1:])
    assert togai.used(meter) == 1_000


def test_a_rule_knows_when_it_was(togai: Togai, account: str) -> None:
    since = '{"duration.between":["2024-06-01",{"var":"timestamp"}]}'
    meter = togai.active(
        computations=[
            {
                "matcher": '{"<":[{"var":"timestamp"},{"date.add":["2024-06-01","P2W"]}]}',
                "computation": f'{{"duration.as":[{since},"HOURS"]}}',
            }
        ]
    )
    early = togai.event(account, timestamp="2024-06-02T01:30:00Z")
    late = togai.event(account, timestamp="2024-06-15T00:00:00Z")
    assert togai.ingest(early, late) == ["COMPLETED_EVENT_METERED", "COMPLETED_EVENT_NOT_METERED"]
    assert togai.units(early["id"]) == {meter: Decimal("25.5")}
    assert togai.used(meter) == Decimal("25.5")
