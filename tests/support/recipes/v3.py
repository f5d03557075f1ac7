"""Meters, events and customers in the form of `/api/v3`. They are those of version 1."""

from typing import Any, Final

import httpx
from tests.support.recipes.call import Call, Facts, asking, each
from tests.support.recipes.metering import EVENT, TELLING

NAMES: Final = ()
METER: Final = {
    "key": "{slug}",
    "name": "A meter",
    "event_type": "{type}",
    "aggregation": "sum",
    "value_property": "$.v",
    "dimensions": {"g": "$.g"},
}
CUSTOMER: Final = {
    "key": "{customer_key}",
    "name": "{customer_name}",
    "usage_attribution": {"subject_keys": ["{subject}"]},
}


def fill(client: httpx.Client, facts: Facts) -> None:
    """Nothing of its own."""


def _dimension(name: str, value: str) -> dict[str, Any]:
    return {"group_by_dimensions": [name], "filters": {"dimensions": {name: {"eq": value}}}}


_METER: Final = {"meterId": ("{meter_id}",)}
_CUSTOMER: Final = {"customerId": ("{customer_id}",)}

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
    "list-meters": asking({"filter[key]": "{slug}"}, {"filter[name][contains]": "{slug}"}),
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
        {"filter[key]": "{customer_key}"},
        {"filter[name][contains]": "{customer_name}"},
        {"filter[primary_email][contains]": "{customer_email}"},
        {"filter[usage_attribution_subject_key]": "{subject}"},
    ),
    "get-customer": each(_CUSTOMER),
    "upsert-customer": each(
        _CUSTOMER, body={name: CUSTOMER[name] for name in ("name", "usage_attribution")}
    ),
    "delete-customer": each(_CUSTOMER),
}
