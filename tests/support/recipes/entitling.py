"""Features, entitlements, their values and grants, in versions 1 and 2."""

from typing import Any, Final

import httpx
from tests.support.recipes.call import NOON, WHILE, Call, Facts, asking, each, made

NAMES: Final = ("feature_key",)
FEATURE: Final = {"key": "{feature_key}", "name": "A feature", "meterSlug": "{slug}"}
ENTITLEMENT: Final = {
    "type": "metered",
    # So long that it is still the first one: what is sent and asked needs no clock.
    "usagePeriod": {"interval": "P50Y", "anchor": "2024-06-01T00:00:00Z"},
    "measureUsageFrom": "2024-06-01T00:00:00Z",
}
BY_KEY: Final = {**ENTITLEMENT, "featureKey": "{feature_key}"}
BY_ID: Final = {**ENTITLEMENT, "featureId": "{feature_id}"}
GRANT: Final = {
    "amount": 100,
    "effectiveAt": NOON,
    "expiration": {"duration": "YEAR", "count": 100},
}
CONSUMPTION: Final = {
    "id": "{event_id}-consumed",
    "source": "{source}",
    "amount": 3,
    "data": {"g": "{group}"},
}
HISTORY: Final = {**WHILE, "windowSize": "DAY"}


def fill(client: httpx.Client, facts: Facts) -> None:
    one = "/api/v1/subjects/{subject}/entitlements"
    facts["feature_id"] = made(client, "/api/v1/features", FEATURE, facts)["id"]
    facts["entitlement_id"] = made(client, one, BY_KEY, facts)["id"]
    one += "/{entitlement_id}"
    facts["grant_id"] = made(client, f"{one}/grants", GRANT, facts)["id"]
    made(client, f"{one}/consume", CONSUMPTION, facts)
    made(client, f"{one}/reset", {}, facts)


SUBJECTS: Final = ("{subject}", "{subject_id}")
CUSTOMERS: Final = ("{customer_key}", "{customer_id}")
ENTITLEMENTS: Final = ("{feature_key}", "{entitlement_id}")


def _of_subject(**call: Any) -> list[Call]:
    return each({"subjectIdOrKey": SUBJECTS}, **call)


def _of_subject_by_id(**call: Any) -> list[Call]:
    return each({"subjectIdOrKey": SUBJECTS, "entitlementId": ("{entitlement_id}",)}, **call)


def _of_subject_by_any(**call: Any) -> list[Call]:
    return each({"subjectIdOrKey": SUBJECTS, "entitlementIdOrFeatureKey": ENTITLEMENTS}, **call)


def _of_customer(**call: Any) -> list[Call]:
    return each({"customerIdOrKey": CUSTOMERS}, **call)


def _of_customer_by_any(**call: Any) -> list[Call]:
    return each({"customerIdOrKey": CUSTOMERS, "entitlementIdOrFeatureKey": ENTITLEMENTS}, **call)


_FEATURE: Final = {"featureId": ("{feature_key}", "{feature_id}")}
_ENTITLEMENT: Final = {"entitlementId": ("{entitlement_id}",)}
_DELETED: Final = {"includeDeleted": "true"}
_FEATURES: Final = ({"feature": "{feature_key}"}, {"feature": "{feature_id}"})

FEATURES: Final = {
    "listFeatures": asking({"meterSlug": "{slug}"}, {"includeArchived": "true"}),
    "createFeature": [
        Call(body=FEATURE),
        Call(body={"key": "{feature_key}", "name": "Without a meter"}),
    ],
    "getFeature": each(_FEATURE),
    "deleteFeature": each(_FEATURE),
}
VERSION_1: Final = {
    "createEntitlement": [*_of_subject(body=BY_KEY), *_of_subject(body=BY_ID)],
    "listSubjectEntitlements": [*_of_subject(), *_of_subject(query=_DELETED)],
    "getEntitlement": _of_subject_by_id(),
    "deleteEntitlement": _of_subject_by_id(),
    "getEntitlementValue": _of_subject_by_any(),
    "getEntitlementHistory": _of_subject_by_id(query=HISTORY),
    "resetEntitlementUsage": _of_subject_by_id(body={}),
    "overrideEntitlement": [*_of_subject_by_any(body=BY_KEY), *_of_subject_by_any(body=BY_ID)],
    "listEntitlements": asking(*_FEATURES, {"subject": "{subject}"}),
    "getEntitlementById": each(_ENTITLEMENT),
    "createGrant": _of_subject_by_any(body=GRANT),
    "listEntitlementGrants": [*_of_subject_by_any(), *_of_subject_by_any(query=_DELETED)],
    "listGrants": asking(*_FEATURES, {"subject": "{subject}"}, _DELETED),
    "voidGrant": [Call(path={"grantId": "{grant_id}"})],
    "getCustomerAccess": _of_customer(),
    "getCustomerEntitlementValue": each(
        {"customerIdOrKey": CUSTOMERS, "featureKey": ("{feature_key}",)}
    ),
}
VERSION_2: Final = {
    "createCustomerEntitlementV2": [*_of_customer(body=BY_KEY), *_of_customer(body=BY_ID)],
    "listCustomerEntitlementsV2": [*_of_customer(), *_of_customer(query=_DELETED)],
    "getCustomerEntitlementV2": _of_customer_by_any(),
    "deleteCustomerEntitlementV2": _of_customer_by_any(),
    "getCustomerEntitlementValueV2": _of_customer_by_any(),
    "getCustomerEntitlementHistoryV2": _of_customer_by_any(query=HISTORY),
    "resetCustomerEntitlementUsageV2": _of_customer_by_any(body={}),
    "overrideCustomerEntitlementV2": [
        *_of_customer_by_any(body=BY_KEY),
        *_of_customer_by_any(body=BY_ID),
    ],
    "listEntitlementsV2": asking(
        *_FEATURES, {"customerKeys": "{customer_key}"}, {"customerIds": "{customer_id}"}
    ),
    "getEntitlementByIdV2": each(_ENTITLEMENT),
    "createCustomerEntitlementGrantV2": _of_customer_by_any(body=GRANT),
    "listCustomerEntitlementGrantsV2": [
        *_of_customer_by_any(),
        *_of_customer_by_any(query=_DELETED),
    ],
    "listGrantsV2": asking(
        *_FEATURES, {"customer": "{customer_key}"}, {"customer": "{customer_id}"}, _DELETED
    ),
}
CONSUMING: Final = {
    "consumeEntitlement": _of_subject_by_any(body=CONSUMPTION),
    "consumeCustomerEntitlement": _of_customer_by_any(body=CONSUMPTION),
}
RECIPES: Final[dict[str, list[Call]]] = {**FEATURES, **VERSION_1, **VERSION_2, **CONSUMING}
