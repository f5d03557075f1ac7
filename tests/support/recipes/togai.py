"""Togai's dialect: its event schemas by name, and usage meters with ids of their own."""

from typing import Any, Final

import httpx
from tests.support.recipes.call import NOON, WHILE, Call, Facts, asking, each, made

NAMES: Final = (
    "togai_schema",
    "togai_meter",
    "togai_customer",
    "togai_account",
    "togai_alias",
    "togai_event",
)
SCHEMA: Final = {
    "name": "{togai_schema}",
    "attributes": [{"name": "bytes"}],
    "dimensions": [{"name": "region"}],
}
METER: Final = {
    "name": "{togai_meter}",
    "type": "COUNTER",
    "aggregation": "COUNT",
    "eventSchemaName": "{togai_schema}",
}
CUSTOMER: Final = {
    "id": "{togai_customer}",
    "name": "{togai_customer}",
    "primaryEmail": "{togai_customer}@example.com",
    "address": {},
}
ACCOUNT: Final = {
    "id": "{togai_account}",
    "name": "{togai_account}",
    "customerId": "{togai_customer}",
    "aliases": ["{togai_alias}"],
}
EVENT: Final = {
    "schemaName": "{togai_schema}",
    "id": "{togai_event}",
    "timestamp": NOON,
    "accountId": "{togai_alias}",
    "attributes": [{"name": "bytes", "value": "1.5"}],
    "dimensions": {"region": "eu"},
}


def fill(client: httpx.Client, facts: Facts) -> None:
    made(client, "/togai/event_schema", SCHEMA, facts)
    made(client, "/togai/event_schema/{togai_schema}/activate", {}, facts)
    facts["togai_meter_id"] = made(client, "/togai/usage_meters", METER, facts)["id"]
    made(client, "/togai/usage_meters/{togai_meter_id}/activate", {}, facts)
    made(client, "/togai/customers", CUSTOMER, facts)
    made(client, "/togai/accounts", ACCOUNT, facts)
    made(client, "/togai/ingest", {"event": EVENT}, facts)
    event = {
        "specversion": "1.0", "id": "{togai_meter}", "source": "walk", "type": "{togai_schema}",
        "subject": "{togai_meter}", "time": NOON,
    }  # fmt: skip
    made(client, "/api/v1/events", [event], facts)


_SCHEMA: Final = {"name": ("{togai_schema}",)}
_METER: Final = {"id": ("{togai_meter_id}",)}
_CUSTOMER: Final = {"id": ("{togai_customer}",)}
_ACCOUNT: Final = {"id": ("{togai_account}",)}
_RENAMED: Final = {"name": "mine now"}

_ASKED: Final[list[dict[str, Any]]] = [
    {},
    {"groupBy": "ACCOUNT_ID"},
    {"groupBy": "USAGE_METER_ID"},
    {"name": "EVENTS"},
    {"name": "EVENTS", "groupBy": "ACCOUNT_ID"},
    {
        "name": "EVENTS",
        "filters": [{"fieldName": "CUSTOMER_ID", "fieldValues": ["{togai_customer}"]}],
    },
    {"filters": [{"fieldName": "USAGE_METER_ID", "fieldValues": ["{togai_meter_id}"]}]},
    {"filters": [{"fieldName": "USAGE_METER_ID", "fieldValues": ["{togai_meter}"]}]},
]


def _metrics(**members: Any) -> dict[str, Any]:
    query = {"id": "q", "name": "METER_USAGE", "aggregationPeriod": "DAY", **members}
    return {"startTime": WHILE["from"], "endTime": WHILE["to"], "metricQueries": [query]}


RECIPES: Final[dict[str, list[Call]]] = {
    "togaiCreateEventSchema": [Call(body=SCHEMA)],
    "togaiListEventSchemas": asking({"status": "ACTIVE"}),
    "togaiGetEventSchema": each(_SCHEMA),
    "togaiListEventSchemaVersions": each(_SCHEMA),
    "togaiUpdateEventSchema": each(_SCHEMA, body={"description": "mine now"}),
    "togaiActivateEventSchema": each(_SCHEMA),
    "togaiDeactivateEventSchema": each(_SCHEMA),
    "togaiDeleteEventSchema": each(_SCHEMA),
    "togaiGetMetrics": [
        *(Call(body=_metrics(**one)) for one in _ASKED),
    ],
    "togaiCreateUsageMeter": [Call(body=METER)],
    "togaiListUsageMeters": asking({"status": "ACTIVE"}, {"aggregations": "COUNT"}),
    "togaiGetUsageMeter": each(_METER, query={"includeSchema": "true"}),
    "togaiUpdateUsageMeter": each(_METER, body={"description": "mine now"}),
    "togaiActivateUsageMeter": each(_METER),
    "togaiDeactivateUsageMeter": each(_METER),
    "togaiDeleteUsageMeter": each(_METER),
    "togaiIngest": [Call(body={"event": EVENT})],
    "togaiIngestBatch": [Call(body={"events": [EVENT]})],
    "togaiIngestEntitled": [Call(body={"event": EVENT})],
    "togaiListEvents": asking({"account_id": "{togai_account}"}, {"schema_name": "{togai_schema}"}),
    "togaiGetEvent": each({"event_id": ("{togai_event}",)}),
    "togaiCreateCustomer": [Call(body=CUSTOMER)],
    "togaiListCustomers": asking(),
    "togaiGetCustomer": each(_CUSTOMER),
    "togaiUpdateCustomer": each(_CUSTOMER, body=_RENAMED),
    "togaiDeleteCustomer": each(_CUSTOMER),
    "togaiCreateAccount": [Call(body=ACCOUNT)],
    "togaiListAccounts": asking(),
    "togaiGetAccount": each(_ACCOUNT),
    "togaiUpdateAccount": each(_ACCOUNT, body=_RENAMED),
    "togaiDeleteAccount": each(_ACCOUNT),
    "togaiAddAliases": each(_ACCOUNT, body={"aliases": ["mine now"]}),
    "togaiRemoveAliases": each(_ACCOUNT, body={"aliases": ["{togai_alias}"]}),
    "togaiListAliases": each(_ACCOUNT),
}
