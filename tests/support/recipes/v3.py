"""Meters, events and customers in the form of `/api/v3`. Ids and keys are those of version 1."""

from typing import Any, Final

import httpx
from tests.support.recipes.call import Call, Facts, asking, each, made
from tests.support.recipes.metering import EVENT, TELLING

NAMES: Final = ("slug_v3", "customer_key_v3", "subject_v3", "feature_key_v3")
METER: Final = {
    "key": "{slug_v3}",
    "name": "A meter",
    "event_type": "{type}",
    "aggregation": "sum",
    "value_property": "$.v",
    "dimensions": {"g": "$.g"},
}
CUSTOMER: Final = {
    "key": "{customer_key_v3}",
    "name": "{customer_name}",
    "usage_attribution": {"subject_keys": ["{subject_v3}"]},
}
FEATURE: Final = {
    "key": "{feature_key_v3}",
    "name": "A feature",
    "meter": {"id": "{meter_id_v3}", "filters": {"g": {"neq": "none"}}},
    "unit_cost": {"type": "manual", "amount": "2"},
}
ENTITLEMENT: Final = {"type": "boolean", "featureKey": "{feature_key_v3}"}


def fill(client: httpx.Client, facts: Facts) -> None:
    facts["meter_id_v3"] = made(client, "/api/v3/openmeter/meters", METER, facts)["id"]
    facts["customer_id_v3"] = made(client, "/api/v3/openmeter/customers", CUSTOMER, facts)["id"]
    facts["feature_id_v3"] = made(client, "/api/v3/openmeter/features", FEATURE, facts)["id"]
    made(client, "/api/v2/customers/{customer_id_v3}/entitlements", ENTITLEMENT, facts)


def _dimension(name: str, value: str) -> dict[str, Any]:
    return {"group_by_dimensions": [name], "filters": {"dimensions": {name: {"eq": value}}}}


_METER: Final = {"meterId": ("{meter_id_v3}",)}
_CUSTOMER: Final = {"customerId": ("{customer_id_v3}",)}
_FEATURE: Final = {"featureId": ("{feature_id_v3}",)}
_FEATURES: Final = {"feature": {"keys": ["{feature_key_v3}"]}}

RECIPES: Final[dict[str, list[Call]]] = {
    "ingest-metering-events": [
        Call(body=EVENT, headers=TELLING),
        Call(body=[EVENT, EVENT], headers=TELLING),
    ],
    "list-metering-events": asking(
        {"filter[id]": "{event_id}"},
        {"filter[source][eq]": "{source}"},
        {"filter[subject][contains]": "{subject}"},
        {"filter[type][oeq]": "{type}"},
        {"filter[customer_id][eq]": "{customer_id}"},
    ),
    "create-meter": [Call(body=METER), Call(body=METER)],
    "list-meters": asking({"filter[key]": "{slug_v3}"}, {"filter[name][contains]": "{slug}"}),
    "get-meter": each(_METER),
    "update-meter": each(_METER, body={"name": "mine now", "dimensions": {"g": "$.other"}}),
    "delete-meter": each(_METER),
    "query-meter": [
        *each(_METER, body={}),
        *each(_METER, body=_dimension("subject", "{subject}")),
        *each(_METER, body=_dimension("customer_id", "{customer_id}")),
        *each(_METER, body=_dimension("g", "{group}")),
    ],
    "create-customer": [Call(body=CUSTOMER), Call(body=CUSTOMER)],
    "list-customers": asking(
        {"filter[key]": "{customer_key_v3}"},
        {"filter[name][contains]": "{customer_name}"},
        {"filter[primary_email][contains]": "{customer_email}"},
        {"filter[usage_attribution_subject_key]": "{subject_v3}"},
    ),
    "get-customer": each(_CUSTOMER),
    "upsert-customer": each(
        _CUSTOMER, body={name: CUSTOMER[name] for name in ("name", "usage_attribution")}
    ),
    "delete-customer": each(_CUSTOMER),
    "create-feature": [
        Call(body=FEATURE),
        Call(body={"key": "{feature_key_v3}", "name": "Without a meter"}),
    ],
    "list-features": asking(
        {"filter[key]": "{feature_key_v3}"}, {"filter[meter_id]": "{meter_id_v3}"}
    ),
    "get-feature": each(_FEATURE),
    "update-feature": [*each(_FEATURE, body={}), *each(_FEATURE, body={"unit_cost": None})],
    "delete-feature": each(_FEATURE),
    "query-feature-cost": [
        *each(_FEATURE, body={}),
        *each(_FEATURE, body=_dimension("subject", "{subject}")),
        *each(_FEATURE, body=_dimension("customer_id", "{customer_id}")),
    ],
    "list-customer-entitlement-access": each(_CUSTOMER),
    "query-entitlement-access": [
        Call(body={"customer": {"keys": [name]}, **features})
        for name in ("{customer_key_v3}", "{customer_id_v3}", "{subject_v3}")
        for features in ({}, _FEATURES)
    ],
}
