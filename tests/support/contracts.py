"""What the published contracts say of each operation that the server has."""

from typing import Final, NamedTuple

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
    Contract("get", "/api/v1/portal/tokens", "listPortalTokens", "query:limit", 200, GIVES_JSON),
    Contract(
        "post", "/api/v1/portal/tokens", "createPortalToken", "", 200, GIVES_JSON, TAKES_JSON
    ),
    Contract(
        "post", "/api/v1/portal/tokens/invalidate", "invalidatePortalTokens", "", 204,
        body_types=TAKES_JSON,
    ),
    Contract(
        "get", "/api/v1/portal/meters/{meterSlug}/query", "queryPortalMeter",
        "path:meterSlug* query:clientId query:from query:to query:windowSize "
        "query:windowTimeZone query:filterCustomerId query:filterGroupBy "
        "query:advancedMeterGroupByFilters query:groupBy", 200, GIVES_ROWS,
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

V3: Final = "/api/v3/openmeter"
V3_LIST: Final = "query:page query:filter query:sort"
V3_CONTRACTS: Final = (
    Contract("get", f"{V3}/events", "list-metering-events", V3_LIST, 200, GIVES_JSON),
    Contract(
        "post", f"{V3}/events", "ingest-metering-events", "", 202,
        body_types=frozenset(EVENT_BODIES),
    ),
    Contract("get", f"{V3}/meters", "list-meters", V3_LIST, 200, GIVES_JSON),
    Contract("post", f"{V3}/meters", "create-meter", "", 201, GIVES_JSON, TAKES_JSON),
    Contract("get", f"{V3}/meters/{{meterId}}", "get-meter", "path:meterId*", 200, GIVES_JSON),
    Contract(
        "put", f"{V3}/meters/{{meterId}}", "update-meter",
        "path:meterId*", 200, GIVES_JSON, TAKES_JSON,
    ),
    Contract("delete", f"{V3}/meters/{{meterId}}", "delete-meter", "path:meterId*", 204),
    Contract(
        "post", f"{V3}/meters/{{meterId}}/query", "query-meter",
        "path:meterId*", 200, GIVES_ROWS, TAKES_JSON,
    ),
    Contract("get", f"{V3}/customers", "list-customers", V3_LIST, 200, GIVES_JSON),
    Contract("post", f"{V3}/customers", "create-customer", "", 201, GIVES_JSON, TAKES_JSON),
    Contract(
        "get", f"{V3}/customers/{{customerId}}", "get-customer",
        "path:customerId*", 200, GIVES_JSON,
    ),
    Contract(
        "put", f"{V3}/customers/{{customerId}}", "upsert-customer",
        "path:customerId*", 200, GIVES_JSON, TAKES_JSON,
    ),
    Contract(
        "delete", f"{V3}/customers/{{customerId}}", "delete-customer", "path:customerId*", 204
    ),
    Contract("get", f"{V3}/features", "list-features", V3_LIST, 200, GIVES_JSON),
    Contract("post", f"{V3}/features", "create-feature", "", 201, GIVES_JSON, TAKES_JSON),
    Contract(
        "get", f"{V3}/features/{{featureId}}", "get-feature", "path:featureId*", 200, GIVES_JSON
    ),
    Contract(
        "patch", f"{V3}/features/{{featureId}}", "update-feature",
        "path:featureId*", 200, GIVES_JSON, TAKES_JSON,
    ),
    Contract("delete", f"{V3}/features/{{featureId}}", "delete-feature", "path:featureId*", 204),
    Contract(
        "post", f"{V3}/features/{{featureId}}/cost/query", "query-feature-cost",
        "path:featureId*", 200, GIVES_JSON, TAKES_JSON,
    ),
    Contract(
        "get", f"{V3}/customers/{{customerId}}/entitlement-access",
        "list-customer-entitlement-access", "path:customerId*", 200, GIVES_JSON,
    ),
    Contract(
        "post", f"{V3}/entitlement-access/query", "query-entitlement-access",
        "query:page", 200, GIVES_JSON, TAKES_JSON,
    ),
)  # fmt: skip
