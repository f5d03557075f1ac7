"""Events, meters, keys, and what is asked about the server itself."""

from typing import Any, Final

import httpx
from tests.support.recipes.call import NOON, Call, Facts, asking, each, made

NAMES: Final = ("event_id", "source", "type", "subject", "group", "slug", "key_name")
EVENT: Final = {
    "specversion": "1.0",
    "id": "{event_id}",
    "source": "{source}",
    "type": "{type}",
    "subject": "{subject}",
    "time": NOON,
    "data": {"v": 7, "g": "{group}"},
}
METER: Final = {
    "slug": "{slug}",
    "eventType": "{type}",
    "aggregation": "SUM",
    "valueProperty": "$.v",
    "groupBy": {"g": "$.g"},
}
KEY: Final = {"name": "{key_name}", "scopes": ["meters:read"]}


def fill(client: httpx.Client, facts: Facts) -> None:
    facts["meter_id"] = made(client, "/api/v1/meters", METER, facts)["id"]
    facts["key_id"] = made(client, "/api/v1/keys", KEY, facts)["id"]
    today = {**EVENT, "id": "{event_id}-now", "time": None}
    made(client, "/api/v1/events", [EVENT, today], facts)
    page = client.get("/api/v2/events", params={"limit": "1"}).raise_for_status().json()
    facts["cursor"] = page["nextCursor"]


def _of_meter(**call: Any) -> list[Call]:
    return each({"meterIdOrSlug": ("{slug}", "{meter_id}")}, **call)


ALL_TIME: Final = {"from": "2000-01-01T00:00:00Z"}
OF_SUBJECT: Final = {"subject": ["{subject}"], "groupBy": ["subject", "g"]}
OF_CUSTOMER: Final = {"filterCustomerId": ["{customer_id}"], "groupBy": ["customer_id"]}
TELLING: Final = {"prefer": "return=representation"}

RECIPES: Final[dict[str, list[Call]]] = {
    "ingestEvents": [Call(body=EVENT, headers=TELLING), Call(body=[EVENT, EVENT], headers=TELLING)],
    "listEvents": asking(
        ALL_TIME,
        {**ALL_TIME, "subject": "{subject}"},
        {**ALL_TIME, "id": "{event_id}"},
        {**ALL_TIME, "customerId": "{customer_id}"},
    ),
    "listEventsV2": asking(
        {"cursor": "{cursor}"},
        {"filter": '{"subject": {"$eq": "{subject}"}}'},
        {"filter": '{"id": {"$eq": "{event_id}"}}'},
        {"filter": '{"customerId": {"$in": ["{customer_id}"]}}'},
    ),
    "listMeters": asking({"includeDeleted": "true"}),
    "getMeter": _of_meter(),
    "updateMeter": _of_meter(body={"name": "mine now", "groupBy": {"g": "$.other"}}),
    "deleteMeter": _of_meter(),
    "createMeter": [Call(body=METER), Call(body=METER)],
    "queryMeter": [
        *_of_meter(query={"subject": "{subject}", "groupBy": "g"}),
        *_of_meter(query={"filterCustomerId": "{customer_id}"}),
    ],
    "queryMeterPost": [
        *_of_meter(body=OF_SUBJECT),
        *_of_meter(body=OF_CUSTOMER),
        *_of_meter(body={}),
    ],
    "explainMeterQuery": _of_meter(body=OF_SUBJECT),
    "listMeterSubjects": _of_meter(),
    "listMeterGroupByValues": each(
        {"meterIdOrSlug": ("{slug}", "{meter_id}"), "groupByKey": ("g",)}
    ),
    "getDebugMetrics": [Call()],
    "listCurrencies": [Call()],
    "getProgress": [Call(path={"id": "{meter_id}"})],
    "createKey": [Call(body=KEY)],
    "listKeys": asking({"includeRevoked": "true"}),
    "getKey": [Call(path={"keyId": "{key_id}"})],
    "revokeKey": [Call(path={"keyId": "{key_id}"})],
    "live": [Call()],
    "ready": [Call()],
    "metrics": [Call()],
    "version": [Call()],
}
