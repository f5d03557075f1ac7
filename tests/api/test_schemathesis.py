"""schemathesis reads the server's own document and tries to prove it wrong.

Every reply must have a status, a media type and a body that the document promises, a request that
breaks the document must be refused, other methods answered with 405 and the right `Allow`, and
nothing may end in a server error. The examples are the same on every run.
"""

import json
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from functools import cache
from typing import Any, Final

import httpx
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)
from tests.support.databases import new_database
from tests.support.portal import PORTAL_SECRET
from tests.support.server import running_server

from monometer.app import create_app
from monometer.config import Settings

OPERATIONS: Final = (
    "ingestEvents",
    "listEvents",
    "listEventsV2",
    "createMeter",
    "listMeters",
    "createFeature",
    "listFeatures",
    "getFeature",
    "getMeter",
    "updateMeter",
    "queryMeter",
    "queryMeterPost",
    "listMeterSubjects",
    "listMeterGroupByValues",
    "createPortalToken",
    "listPortalTokens",
    "invalidatePortalTokens",
    "queryPortalMeter",
    "upsertSubject",
    "listSubjects",
    "getSubject",
    "deleteSubject",
    "createCustomer",
    "listCustomers",
    "getCustomer",
    "updateCustomer",
    "deleteCustomer",
    "getDebugMetrics",
    "listCurrencies",
    "getProgress",
    "createEntitlement",
    "createCustomerEntitlementV2",
    "createGrant",
    "resetEntitlementUsage",
    "overrideEntitlement",
    "listEntitlements",
    "listEntitlementsV2",
    "listGrants",
    "getEntitlementValue",
    "getEntitlementHistory",
    "getCustomerAccess",
    "consumeEntitlement",
    "consumeCustomerEntitlement",
    "voidGrant",
    "deleteFeature",
    "deleteMeter",
    "createKey",
    "listKeys",
    "getKey",
    "revokeKey",
    "ingest-metering-events",
    "list-metering-events",
    "create-meter",
    "list-meters",
    "get-meter",
    "update-meter",
    "query-meter",
    "delete-meter",
    "create-customer",
    "list-customers",
    "get-customer",
    "upsert-customer",
    "delete-customer",
    "create-feature",
    "list-features",
    "get-feature",
    "update-feature",
    "query-feature-cost",
    "delete-feature",
    "list-customer-entitlement-access",
    "query-entitlement-access",
)
POLAR_OPERATIONS: Final = (
    "polarIngestEvents",
    "polarListEvents",
    "polarListEventNames",
    "polarGetEvent",
    "polarCreateMeter",
    "polarListMeters",
    "polarGetMeter",
    "polarUpdateMeter",
    "polarGetMeterQuantities",
    "polarListMeterEvents",
    "polarCreateCustomer",
    "polarListCustomers",
    "polarGetCustomer",
    "polarUpdateCustomer",
    "polarDeleteCustomer",
    "polarGetCustomerExternal",
    "polarUpdateCustomerExternal",
    "polarDeleteCustomerExternal",
    "polarGetCustomerState",
    "polarGetCustomerStateExternal",
    "polarListCustomerMeters",
    "polarGetCustomerMeter",
)
TOGAI_OPERATIONS: Final = (
    "togaiCreateEventSchema",
    "togaiListEventSchemas",
    "togaiGetEventSchema",
    "togaiListEventSchemaVersions",
    "togaiUpdateEventSchema",
    "togaiActivateEventSchema",
    "togaiDeactivateEventSchema",
    "togaiDeleteEventSchema",
    "togaiCreateUsageMeter",
    "togaiListUsageMeters",
    "togaiGetUsageMeter",
    "togaiUpdateUsageMeter",
    "togaiActivateUsageMeter",
    "togaiDeactivateUsageMeter",
    "togaiDeleteUsageMeter",
    "togaiGetMetrics",
    "togaiIngest",
    "togaiIngestBatch",
    "togaiIngestEntitled",
    "togaiListEvents",
    "togaiGetEvent",
    "togaiCreateCustomer",
    "togaiListCustomers",
    "togaiGetCustomer",
    "togaiUpdateCustomer",
    "togaiDeleteCustomer",
    "togaiCreateAccount",
    "togaiListAccounts",
    "togaiGetAccount",
    "togaiUpdateAccount",
    "togaiDeleteAccount",
    "togaiAddAliases",
    "togaiRemoveAliases",
    "togaiListAliases",
)
READING_A_METER: Final = (
    "getMeter",
    "queryMeter",
    "queryMeterPost",
    "listMeterSubjects",
    "listMeterGroupByValues",
    "queryPortalMeter",
    "get-meter",
    "query-meter",
)
# JSON Schema cannot say that a customer exists, that a cursor is one of ours, or that COUNT takes
# no value: such requests fit the document and are refused all the same.
UNSAYABLE: Final[list[Any]] = [positive_data_acceptance]
# Nor that one of two ids is needed, or what a UUID may look like. Polar takes numbers as texts,
# and Togai logic as an object in place of a text.
POLAR_UNSAYABLE: Final[list[Any]] = [*UNSAYABLE, negative_data_rejection]
# An event's id may stand where `ingest` does, and an external id may end in `/state`.
METHODS: Final[list[Any]] = [unsupported_method, allow_header_conformance]
# In a query `filter[name][gte]=false` is a text, though it came of a boolean.
TEXTS_IN_BRACKETS: Final = frozenset(
    {"list-features", "list-meters", "list-customers", "list-metering-events"}
)
POLAR_SHARED_PATHS: Final = ("polarIngestEvents", "polarGetCustomerStateExternal")
# Below keys of subjects and customers, which may hold slashes: `DELETE /subjects/a/entitlements`
# is of the subject `a/entitlements`, so other methods are allowed than the document says.
BELOW_A_KEY: Final = frozenset(
    {
        "createEntitlement",
        "createCustomerEntitlementV2",
        "createGrant",
        "resetEntitlementUsage",
        "overrideEntitlement",
        "getEntitlementValue",
        "getEntitlementHistory",
        "getCustomerAccess",
        "consumeEntitlement",
        "consumeCustomerEntitlement",
    }
)
SLUG: Final = "aimed_at"
EXAMPLES: Final = 40

METER: Final = {
    "slug": SLUG,
    "aggregation": "SUM",
    "eventType": SLUG,
    "valueProperty": "$.tokens",
    "groupBy": {"model": "$.model", "kind": "$.kind"},
}
EVENTS: Final = [
    {
        "specversion": "1.0",
        "id": str(number),
        "source": SLUG,
        "type": SLUG,
        "subject": subject,
        "time": time,
        "data": data,
    }
    for number, (subject, time, data) in enumerate(
        [
            ("acme", "2024-03-10T05:30:00Z", {"tokens": "20.5", "model": "gpt-4"}),
            ("acme", "2024-11-03T05:30:00Z", {"tokens": 1e300, "model": {"nested": 1}}),
            ('a,b\n"c"', "1883-11-18T12:03:58Z", {"tokens": "NaN", "kind": None}),
            ("\U0001f600", "2999-12-31T23:59:59.999999Z", {"tokens": "1e-300", "kind": True}),
        ]
    )
]


@pytest.fixture(scope="module")
async def hostile_database(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def hostile(hostile_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, for what is made up here shall not meet other tests."""
    directory = tmp_path_factory.mktemp("hostile")
    secret = {"portal_token_secret": PORTAL_SECRET}
    with running_server(hostile_database, directory, **secret) as base_url:
        httpx.post(f"{base_url}/api/v1/meters", json=METER).raise_for_status()
        httpx.post(f"{base_url}/api/v1/events", json=EVENTS).raise_for_status()
        yield base_url


def aimed(document: dict[str, Any]) -> dict[str, Any]:
    """The document cut down to a meter that exists, so that random requests reach its events."""
    a_model = {"type": "string", "minLength": 1, "maxLength": 20}
    some_models = {"type": "array", "items": a_model, "maxItems": 3}
    narrow: dict[str, Any] = {
        "meterSlug": {"type": "string", "enum": [SLUG]},
        "meterIdOrSlug": {"type": "string", "enum": [SLUG]},
        "groupByKey": {"type": "string", "enum": ["model", "kind"]},
        "windowTimeZone": {"type": "string", "enum": ["UTC", "Asia/Kolkata", "America/New_York"]},
        "groupBy": {"type": "array", "items": {"enum": ["model", "kind", "subject"]}},
        "filterCustomerId": {"type": "array", "maxItems": 0},
        "time_zone": {"type": "string", "enum": ["UTC", "Asia/Kolkata", "America/New_York"]},
        "group_by_dimensions": {"type": "array", "items": {"enum": ["model", "kind", "subject"]}},
    }
    in_url = {**narrow, "filterGroupBy": one_key_map(a_model)}
    in_body = {**narrow, "filterGroupBy": one_key_map(some_models)}
    cut = deepcopy(document)
    for operation in (found for path in cut["paths"].values() for found in path.values()):
        for parameter in operation.get("parameters", ()):
            if parameter["name"] in in_url:
                parameter["schema"] = in_url[parameter["name"]]
    schemas = cut["components"]["schemas"]
    for shape in ("MeterQueryRequest", "MeterQueryRequestV3"):
        body = schemas[shape]["properties"]
        body.update({name: in_body[name] for name in body.keys() & in_body.keys()})
    condition = {"$ref": "#/components/schemas/QueryFilterStringMapItem"}
    schemas["MeterQueryFilters"]["properties"]["dimensions"] = one_key_map(condition)
    return cut


def one_key_map(values: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"model": values}, "additionalProperties": False}


@schemathesis.serializer("application/x-ndjson")
def lines(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """Schemathesis has no way of its own to send this type."""
    return (value if isinstance(value, str) else json.dumps(value)).encode(errors="replace")


DOCUMENT: Final = create_app(Settings()).openapi()


def test_document_read_here_is_the_one_that_is_served(hostile: str) -> None:
    assert httpx.get(f"{hostile}/openapi.json").json() == DOCUMENT


def headers_for(operation_id: str, base_url: str) -> dict[str, str]:
    """A new token for each request: examples of another operation invalidate those that are."""
    if operation_id != "queryPortalMeter":
        return {}
    created = httpx.post(f"{base_url}/api/v1/portal/tokens", json={"subject": "acme"})
    return {"Authorization": f"Bearer {created.raise_for_status().json()['token']}"}


def proof(operation_id: str, unsayable: list[Any]) -> Any:
    """A test of one operation, with requests that fit the document and requests that break it."""
    schema = schemathesis.openapi.from_dict(DOCUMENT).include(operation_id=operation_id)
    schema.config.generation.update(max_examples=EXAMPLES, deterministic=True)

    @schema.parametrize()
    def test(case: schemathesis.Case[Any], hostile: str) -> None:
        headers: dict[str, str] = dict(case.headers or {})
        lenient = "lenient" in headers.get("Prefer", "")
        # A request that asks for it is accepted although some of its events are not.
        excluded = [*unsayable, negative_data_rejection] if lenient else list(unsayable)
        excluded += METHODS if operation_id in BELOW_A_KEY else []
        case.call_and_validate(
            base_url=hostile,
            headers=headers_for(operation_id, hostile),
            excluded_checks=excluded,
        )

    return test


@cache
def id_of_meter(base_url: str) -> str:
    """Which v3 knows a meter by, unlike its slug, and which the server decides."""
    found: str = httpx.get(f"{base_url}/api/v1/meters/{SLUG}").json()["id"]
    return found


def aimed_proof(operation_id: str) -> Any:
    """A test of one operation on a meter that exists, with requests that fit the document."""
    schema = schemathesis.openapi.from_dict(aimed(DOCUMENT)).include(operation_id=operation_id)
    schema.config.generation.update(
        max_examples=EXAMPLES, deterministic=True, modes=[schemathesis.GenerationMode.POSITIVE]
    )

    @schema.parametrize()
    def test(case: schemathesis.Case[Any], hostile: str) -> None:
        if "meterId" in case.path_parameters:
            case.path_parameters["meterId"] = id_of_meter(hostile)
        reply = case.call_and_validate(
            base_url=hostile, headers=headers_for(operation_id, hostile), excluded_checks=UNSAYABLE
        )
        assert reply.status_code != httpx.codes.NOT_FOUND, "the request missed the meter"

    return test


# schemathesis gives all operations of one function the same test id, so each gets a function.
for _operation_id in READING_A_METER:
    _name = _operation_id.replace("-", "_")
    globals()[f"test_requests_that_reach_events_of_{_name}"] = aimed_proof(_operation_id)
for _operation_id in OPERATIONS:
    _name = _operation_id.replace("-", "_")
    _text = [negative_data_rejection] if _operation_id in TEXTS_IN_BRACKETS else []
    globals()[f"test_document_holds_for_{_name}"] = proof(_operation_id, [*UNSAYABLE, *_text])
for _operation_id in POLAR_OPERATIONS:
    _shared = METHODS if _operation_id in POLAR_SHARED_PATHS else []
    _test = proof(_operation_id, [*POLAR_UNSAYABLE, *_shared])
    globals()[f"test_document_holds_for_{_operation_id}"] = _test
for _operation_id in TOGAI_OPERATIONS:
    globals()[f"test_document_holds_for_{_operation_id}"] = proof(
        _operation_id, [*UNSAYABLE, negative_data_rejection]
    )
