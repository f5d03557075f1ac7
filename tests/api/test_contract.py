"""The server's own document names the metering operations as the published contract does.

Clients are generated from these names: an operation id is a method, a parameter an argument, a
status the reply that is decoded.
"""

from typing import Any, Final, NamedTuple

import httpx
import pytest

JSON: Final = "application/json"
CSV: Final = "text/csv"
EVENT_BODIES: Final = {
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/json",
}


class Contract(NamedTuple):
    """One operation; `*` marks a required parameter."""

    method: str
    path: str
    operation_id: str
    parameters: str
    status: int
    media_types: frozenset[str] = frozenset()
    body_types: frozenset[str] = frozenset()


ONE: Final = "/api/v1/meters/{meterIdOrSlug}"
SUBJECT: Final = "/api/v1/subjects/{subjectIdOrKey}"
CUSTOMER: Final = "/api/v1/customers/{customerIdOrKey}"
GIVES_JSON: Final = frozenset({JSON})
GIVES_ROWS: Final = frozenset({JSON, CSV})
TAKES_JSON: Final = frozenset({JSON})

ORDER: Final = "query:order query:orderBy"
HISTORY: Final = "query:from query:to query:windowSize* query:windowTimeZone"
OF_SUBJECT: Final = "/api/v1/subjects/{subjectIdOrKey}/entitlements"
OF_CUSTOMER: Final = "/api/v2/customers/{customerIdOrKey}/entitlements"
NAMED: Final = "{entitlementIdOrFeatureKey}"
PARTS: Final = "query:page query:pageSize query:offset query:limit"

CONTRACTS: Final = (
    Contract(
        "get", "/api/v1/events", "listEvents",
        "query:clientId query:ingestedAtFrom query:ingestedAtTo query:id query:subject "
        "query:customerId query:from query:to query:limit", 200, GIVES_JSON,
    ),
    Contract(
        "post", "/api/v1/events", "ingestEvents", "", 204, body_types=frozenset(EVENT_BODIES)
    ),
    Contract(
        "get", "/api/v2/events", "listEventsV2",
        "query:cursor query:limit query:clientId query:filter", 200, GIVES_JSON,
    ),
    Contract(
        "get", "/api/v1/meters", "listMeters",
        "query:page query:pageSize query:order query:orderBy query:includeDeleted",
        200, GIVES_JSON,
    ),
    Contract("post", "/api/v1/meters", "createMeter", "", 201, GIVES_JSON, TAKES_JSON),
    Contract("get", ONE, "getMeter", "path:meterIdOrSlug*", 200, GIVES_JSON),
    Contract("put", ONE, "updateMeter", "path:meterIdOrSlug*", 200, GIVES_JSON, TAKES_JSON),
    Contract("delete", ONE, "deleteMeter", "path:meterIdOrSlug*", 204),
    Contract(
        "get", f"{ONE}/query", "queryMeter",
        "path:meterIdOrSlug* query:clientId query:from query:to query:windowSize "
        "query:windowTimeZone query:subject query:filterCustomerId query:filterGroupBy "
        "query:advancedMeterGroupByFilters query:groupBy", 200, GIVES_ROWS,
    ),
    Contract(
        "post", f"{ONE}/query", "queryMeterPost",
        "path:meterIdOrSlug*", 200, GIVES_ROWS, TAKES_JSON,
    ),
    Contract(
        "get", f"{ONE}/subjects", "listMeterSubjects",
        "path:meterIdOrSlug* query:from query:to", 200, GIVES_JSON,
    ),
    Contract(
        "get", f"{ONE}/group-by/{{groupByKey}}/values", "listMeterGroupByValues",
        "path:meterIdOrSlug* path:groupByKey* query:from query:to", 200, GIVES_JSON,
    ),
    Contract("get", "/api/v1/subjects", "listSubjects", "", 200, GIVES_JSON),
    Contract("post", "/api/v1/subjects", "upsertSubject", "", 200, GIVES_JSON, TAKES_JSON),
    Contract("get", SUBJECT, "getSubject", "path:subjectIdOrKey*", 200, GIVES_JSON),
    Contract("delete", SUBJECT, "deleteSubject", "path:subjectIdOrKey*", 204),
    Contract(
        "get", "/api/v1/customers", "listCustomers",
        "query:page query:pageSize query:order query:orderBy query:includeDeleted query:key "
        "query:name query:primaryEmail query:subject query:planKey query:expand", 200, GIVES_JSON,
    ),
    Contract("post", "/api/v1/customers", "createCustomer", "", 201, GIVES_JSON, TAKES_JSON),
    Contract(
        "get", CUSTOMER, "getCustomer", "path:customerIdOrKey* query:expand", 200, GIVES_JSON
    ),
    Contract(
        "put", CUSTOMER, "updateCustomer", "path:customerIdOrKey*", 200, GIVES_JSON, TAKES_JSON
    ),
    Contract("delete", CUSTOMER, "deleteCustomer", "path:customerIdOrKey*", 204),
    Contract(
        "get", "/api/v1/debug/metrics", "getDebugMetrics", "", 200, frozenset({"text/plain"})
    ),
    Contract(
        "get", "/api/v1/features", "listFeatures",
        f"query:meterSlug query:includeArchived {PARTS} query:order query:orderBy", 200, GIVES_JSON,
    ),
    Contract("post", "/api/v1/features", "createFeature", "", 201, GIVES_JSON, TAKES_JSON),
    Contract(
        "get", "/api/v1/features/{featureId}", "getFeature", "path:featureId*", 200, GIVES_JSON
    ),
    Contract("delete", "/api/v1/features/{featureId}", "deleteFeature", "path:featureId*", 204),
    Contract(
        "get", "/api/v1/entitlements", "listEntitlements",
        "query:feature query:subject query:entitlementType query:excludeInactive "
        f"{PARTS} {ORDER}", 200, GIVES_JSON,
    ),
    Contract(
        "get", "/api/v1/entitlements/{entitlementId}", "getEntitlementById",
        "path:entitlementId*", 200, GIVES_JSON,
    ),
    Contract(
        "get", "/api/v1/grants", "listGrants",
        f"query:feature query:subject query:includeDeleted {PARTS} {ORDER}", 200, GIVES_JSON,
    ),
    Contract(
        "delete", "/api/v1/grants/{grantId}", "voidGrant", "path:grantId* query:at", 204,
    ),
    Contract(
        "post", OF_SUBJECT, "createEntitlement",
        "path:subjectIdOrKey*", 201, GIVES_JSON, TAKES_JSON,
    ),
    Contract(
        "get", OF_SUBJECT, "listSubjectEntitlements",
        "path:subjectIdOrKey* query:includeDeleted", 200, GIVES_JSON,
    ),
    Contract(
        "get", f"{OF_SUBJECT}/{{entitlementId}}", "getEntitlement",
        "path:subjectIdOrKey* path:entitlementId*", 200, GIVES_JSON,
    ),
    Contract(
        "delete", f"{OF_SUBJECT}/{{entitlementId}}", "deleteEntitlement",
        "path:subjectIdOrKey* path:entitlementId*", 204,
    ),
    Contract(
        "get", f"{OF_SUBJECT}/{{entitlementId}}/history", "getEntitlementHistory",
        f"path:subjectIdOrKey* path:entitlementId* {HISTORY}", 200, GIVES_JSON,
    ),
    Contract(
        "post", f"{OF_SUBJECT}/{{entitlementId}}/reset", "resetEntitlementUsage",
        "path:subjectIdOrKey* path:entitlementId*", 204, body_types=TAKES_JSON,
    ),
    Contract(
        "get", f"{OF_SUBJECT}/{NAMED}/value", "getEntitlementValue",
        "path:subjectIdOrKey* path:entitlementIdOrFeatureKey* query:time", 200, GIVES_JSON,
    ),
    Contract(
        "put", f"{OF_SUBJECT}/{NAMED}/override", "overrideEntitlement",
        "path:subjectIdOrKey* path:entitlementIdOrFeatureKey*", 201, GIVES_JSON, TAKES_JSON,
    ),
    Contract(
        "post", f"{OF_SUBJECT}/{NAMED}/grants", "createGrant",
        "path:subjectIdOrKey* path:entitlementIdOrFeatureKey*", 201, GIVES_JSON, TAKES_JSON,
    ),
    Contract(
        "get", f"{OF_SUBJECT}/{NAMED}/grants", "listEntitlementGrants",
        "path:subjectIdOrKey* path:entitlementIdOrFeatureKey* query:includeDeleted "
        "query:orderBy", 200, GIVES_JSON,
    ),
    Contract(
        "get", "/api/v1/customers/{customerIdOrKey}/access", "getCustomerAccess",
        "path:customerIdOrKey*", 200, GIVES_JSON,
    ),
    Contract(
        "get", "/api/v1/customers/{customerIdOrKey}/entitlements/{featureKey}/value",
        "getCustomerEntitlementValue",
        "path:customerIdOrKey* path:featureKey* query:time", 200, GIVES_JSON,
    ),
    Contract(
        "get", "/api/v2/entitlements", "listEntitlementsV2",
        "query:feature query:customerKeys query:customerIds query:entitlementType "
        f"query:excludeInactive {PARTS} {ORDER}", 200, GIVES_JSON,
    ),
    Contract(
        "get", "/api/v2/entitlements/{entitlementId}", "getEntitlementByIdV2",
        "path:entitlementId*", 200, GIVES_JSON,
    ),
    Contract(
        "get", "/api/v2/grants", "listGrantsV2",
        f"query:feature query:customer query:includeDeleted {PARTS} {ORDER}", 200, GIVES_JSON,
    ),
    Contract(
        "post", OF_CUSTOMER, "createCustomerEntitlementV2",
        "path:customerIdOrKey*", 201, GIVES_JSON, TAKES_JSON,
    ),
    Contract(
        "get", OF_CUSTOMER, "listCustomerEntitlementsV2",
        "path:customerIdOrKey* query:includeDeleted query:page query:pageSize "
        f"{ORDER}", 200, GIVES_JSON,
    ),
    Contract(
        "get", f"{OF_CUSTOMER}/{NAMED}", "getCustomerEntitlementV2",
        "path:customerIdOrKey* path:entitlementIdOrFeatureKey*", 200, GIVES_JSON,
    ),
    Contract(
        "delete", f"{OF_CUSTOMER}/{NAMED}", "deleteCustomerEntitlementV2",
        "path:customerIdOrKey* path:entitlementIdOrFeatureKey*", 204,
    ),
    Contract(
        "put", f"{OF_CUSTOMER}/{NAMED}/override", "overrideCustomerEntitlementV2",
        "path:customerIdOrKey* path:entitlementIdOrFeatureKey*", 201, GIVES_JSON, TAKES_JSON,
    ),
    Contract(
        "post", f"{OF_CUSTOMER}/{NAMED}/reset", "resetCustomerEntitlementUsageV2",
        "path:customerIdOrKey* path:entitlementIdOrFeatureKey*", 204, body_types=TAKES_JSON,
    ),
    Contract(
        "get", f"{OF_CUSTOMER}/{NAMED}/value", "getCustomerEntitlementValueV2",
        "path:customerIdOrKey* path:entitlementIdOrFeatureKey* query:time", 200, GIVES_JSON,
    ),
    Contract(
        "get", f"{OF_CUSTOMER}/{NAMED}/history", "getCustomerEntitlementHistoryV2",
        f"path:customerIdOrKey* path:entitlementIdOrFeatureKey* {HISTORY}", 200, GIVES_JSON,
    ),
    Contract(
        "post", f"{OF_CUSTOMER}/{NAMED}/grants", "createCustomerEntitlementGrantV2",
        "path:customerIdOrKey* path:entitlementIdOrFeatureKey*", 201, GIVES_JSON, TAKES_JSON,
    ),
    Contract(
        "get", f"{OF_CUSTOMER}/{NAMED}/grants", "listCustomerEntitlementGrantsV2",
        "path:customerIdOrKey* path:entitlementIdOrFeatureKey* query:includeDeleted "
        f"{PARTS} {ORDER}", 200, GIVES_JSON,
    ),
    Contract("get", "/api/v1/info/currencies", "listCurrencies", "", 200, GIVES_JSON),
    Contract("get", "/api/v1/info/progress/{id}", "getProgress", "path:id*", 200, GIVES_JSON),
)  # fmt: skip

SCHEMAS: Final = (
    "Event",
    "BalanceHistoryWindow",
    "CustomerAccess",
    "EntitlementBoolean",
    "EntitlementBooleanCreateInputs",
    "EntitlementBooleanV2",
    "EntitlementGrant",
    "EntitlementGrantCreateInput",
    "EntitlementGrantCreateInputV2",
    "EntitlementGrantV2",
    "EntitlementMetered",
    "EntitlementMeteredCreateInputs",
    "EntitlementMeteredV2",
    "EntitlementMeteredV2CreateInputs",
    "EntitlementOrderBy",
    "EntitlementPaginatedResponse",
    "EntitlementStatic",
    "EntitlementStaticCreateInputs",
    "EntitlementStaticV2",
    "EntitlementType",
    "EntitlementV2PaginatedResponse",
    "EntitlementValue",
    "EntitlementValueV2",
    "ExpirationDuration",
    "ExpirationPeriod",
    "GrantBurnDownHistorySegment",
    "GrantOrderBy",
    "GrantPaginatedResponse",
    "GrantUsageRecord",
    "GrantV2PaginatedResponse",
    "IssueAfterReset",
    "Period",
    "RecurringPeriod",
    "RecurringPeriodCreateInput",
    "ResetEntitlementUsageInput",
    "WindowedBalanceHistory",
    "Feature",
    "FeatureCreateInputs",
    "FeatureLLMUnitCost",
    "FeatureManualUnitCost",
    "FeatureOrderBy",
    "FeaturePaginatedResponse",
    "IngestedEvent",
    "IngestedEventCursorPaginatedResponse",
    "Meter",
    "MeterAggregation",
    "MeterCreate",
    "MeterOrderBy",
    "MeterQueryRequest",
    "MeterQueryResult",
    "MeterQueryRow",
    "MeterUpdate",
    "FilterString",
    "WindowSize",
    "SortOrder",
    "Subject",
    "SubjectUpsert",
    "Customer",
    "CustomerCreate",
    "CustomerReplaceUpdate",
    "CustomerUsageAttribution",
    "CustomerPaginatedResponse",
    "CustomerOrderBy",
    "CustomerExpand",
    "Address",
    "Currency",
    "Progress",
)


@pytest.fixture(scope="module")
def document(base_url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{base_url}/openapi.json").raise_for_status().json()
    return found


@pytest.fixture(params=CONTRACTS, ids=lambda contract: contract.operation_id)
def contract(request: pytest.FixtureRequest) -> Contract:
    found: Contract = request.param
    return found


@pytest.fixture
def operation(contract: Contract, document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][contract.path][contract.method]
    return found


def resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found = document
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def shows_an_example(
    node: Any, document: dict[str, Any], seen: frozenset[str] = frozenset()
) -> bool:
    """Whether the node, or a schema it refers to, carries an example."""
    if isinstance(node, list):
        return any(shows_an_example(child, document, seen) for child in node)
    if not isinstance(node, dict):
        return False
    if "$ref" in node:
        name = node["$ref"]
        return name not in seen and shows_an_example(
            resolved(node, document), document, seen | {name}
        )
    return bool(node.keys() & {"example", "examples"}) or any(
        shows_an_example(child, document, seen) for child in node.values()
    )


def test_operation_has_the_contracts_id(contract: Contract, operation: dict[str, Any]) -> None:
    assert operation["operationId"] == contract.operation_id


def test_operation_takes_every_parameter_of_the_contract_and_requires_no_other(
    contract: Contract, operation: dict[str, Any], document: dict[str, Any]
) -> None:
    parameters = [resolved(p, document) for p in operation.get("parameters", ())]
    taken = {f"{p['in']}:{p['name']}" for p in parameters}
    required = {f"{p['in']}:{p['name']}" for p in parameters if p.get("required")}
    promised = contract.parameters.split()
    assert {name.rstrip("*") for name in promised} <= taken
    assert required == {name.rstrip("*") for name in promised if name.endswith("*")}


def test_operation_succeeds_with_the_contracts_status_and_media_types(
    contract: Contract, operation: dict[str, Any]
) -> None:
    success = operation["responses"][str(contract.status)]
    assert set(success.get("content", ())) == contract.media_types


def test_operation_takes_the_contracts_body_types(
    contract: Contract, operation: dict[str, Any], document: dict[str, Any]
) -> None:
    body = resolved(operation.get("requestBody", {}), document)
    assert contract.body_types <= set(body.get("content", ()))


def test_operation_shows_an_example(
    contract: Contract, operation: dict[str, Any], document: dict[str, Any]
) -> None:
    parts = [operation.get("parameters"), operation.get("requestBody")]
    parts.append(operation["responses"][str(contract.status)])
    assert shows_an_example(parts, document)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_has_the_contracts_name(document: dict[str, Any], name: str) -> None:
    assert name in document["components"]["schemas"]


def test_every_failure_of_an_operation_is_a_problem_document(
    operation: dict[str, Any], document: dict[str, Any]
) -> None:
    failures = {
        status: resolved(response, document)
        for status, response in operation["responses"].items()
        if not status.startswith("2")
    }
    assert "default" in failures
    assert "422" not in failures
    for status, failure in failures.items():
        assert set(failure["content"]) == {"application/problem+json"}, status


def test_filter_by_group_is_a_map_in_brackets(document: dict[str, Any]) -> None:
    query = document["paths"][f"{ONE}/query"]["get"]
    [parameter] = [p for p in query["parameters"] if p["name"] == "filterGroupBy"]
    assert (parameter["style"], parameter.get("explode", True)) == ("deepObject", True)
    assert parameter["schema"]["type"] == "object"


# The members, with those that are always there first. Subscriptions are told of, and never there.
MEMBERS: Final = {
    "Subject": "createdAt id key updatedAt / currentPeriodEnd currentPeriodStart deletedAt "
    "displayName metadata stripeCustomerId",
    "SubjectUpsert": "key / currentPeriodEnd currentPeriodStart displayName metadata "
    "stripeCustomerId",
    "Customer": "createdAt id name updatedAt / annotations billingAddress currency "
    "currentSubscriptionId deletedAt description key metadata primaryEmail subscriptions "
    "usageAttribution",
    "CustomerCreate": "name / billingAddress currency description key metadata primaryEmail "
    "usageAttribution",
    "CustomerReplaceUpdate": "name / billingAddress currency description key metadata "
    "primaryEmail usageAttribution",
    "CustomerUsageAttribution": "subjectKeys / ",
    "CustomerPaginatedResponse": "items page pageSize totalCount / ",
    "Address": " / city country line1 line2 phoneNumber postalCode state",
}


@pytest.mark.parametrize("name", MEMBERS)
def test_schema_has_the_contracts_members(document: dict[str, Any], name: str) -> None:
    schema = document["components"]["schemas"][name]
    required, optional = (set(names.split()) for names in MEMBERS[name].split("/"))
    assert set(schema["properties"]) == required | optional
    assert set(schema.get("required", ())) == required


@pytest.mark.parametrize("name", ["subject", "groupBy", "filterCustomerId"])
def test_lists_are_repeated_parameters(document: dict[str, Any], name: str) -> None:
    query = document["paths"][f"{ONE}/query"]["get"]
    [parameter] = [p for p in query["parameters"] if p["name"] == name]
    assert (parameter.get("style", "form"), parameter.get("explode", True)) == ("form", True)


def test_both_addresses_give_one_document(base_url: str, document: dict[str, Any]) -> None:
    assert httpx.get(f"{base_url}/api/swagger.json").raise_for_status().json() == document
