"""Polar's dialect: its meters, events and customers, with UUIDs of their own."""

from typing import Any, Final

import httpx
from tests.support.polar import clause, every
from tests.support.recipes.call import NOON, Call, Facts, asking, each, made

NAMES: Final = ("polar_event", "polar_external_event", "polar_customer", "polar_meter")
METER: Final = {
    "name": "{polar_meter}",
    "filter": every(clause("name", "eq", "{polar_event}")),
    "aggregation": {"func": "sum", "property": "v"},
    "metadata": {"of": "{polar_meter}"},
}
CUSTOMER: Final = {
    "external_id": "{polar_customer}",
    "email": "{polar_customer}@example.com",
    "name": "{polar_customer}",
    "metadata": {"of": "{polar_customer}"},
}
EVENT: Final = {
    "name": "{polar_event}",
    "external_id": "{polar_external_event}",
    "external_customer_id": "{polar_customer}",
    "timestamp": NOON,
    "metadata": {"v": 7, "of": "{polar_customer}"},
}


def fill(client: httpx.Client, facts: Facts) -> None:
    meter = made(client, "/v1/meters", METER, facts)
    facts |= {"polar_meter_id": meter["id"], "organization_id": meter["organization_id"]}
    facts["polar_customer_id"] = made(client, "/v1/customers", CUSTOMER, facts)["id"]
    made(client, "/v1/events/ingest", {"events": [EVENT]}, facts)
    facts["polar_event_id"] = _only(client, "/v1/events", name=facts["polar_event"])
    facts["customer_meter_id"] = _only(
        client, "/v1/customer-meters", meter_id=facts["polar_meter_id"]
    )


def _only(client: httpx.Client, path: str, **query: str) -> str:
    (one,) = client.get(path, params=query).raise_for_status().json()["items"]
    return str(one["id"])


_ORGANIZATION: Final = {"organization_id": "{organization_id}"}
_CUSTOMERS: Final = (
    {"customer_id": "{polar_customer_id}"},
    {"external_customer_id": "{polar_customer}"},
)
_METER: Final = {"id": ("{polar_meter_id}",)}
_CUSTOMER: Final = {"id": ("{polar_customer_id}",)}
_EXTERNAL: Final = {"external_id": ("{polar_customer}",)}
_IN_JUNE: Final = {
    "start_timestamp": "2024-06-01T00:00:00Z",
    "end_timestamp": "2024-06-30T00:00:00Z",
    "interval": "month",
}
_RENAMED: Final = {"name": "mine now"}


def _sent(**members: Any) -> Call:
    event = {name: one for name, one in {**EVENT, **members}.items() if one is not None}
    return Call(body={"events": [event]})


def _with_organization(body: dict[str, Any]) -> list[Call]:
    """With the owner's organization, then twice without one."""
    return [Call(body={**body, **_ORGANIZATION}), Call(body=body), Call(body=body)]


RECIPES: Final[dict[str, list[Call]]] = {
    "polarIngestEvents": [
        _sent(**_ORGANIZATION),
        _sent(customer_id="{polar_customer_id}", external_customer_id=None),
        _sent(),
        _sent(),
    ],
    "polarListEvents": asking(
        _ORGANIZATION,
        *_CUSTOMERS,
        {"meter_id": "{polar_meter_id}"},
        {"name": "{polar_event}"},
        {"query": "{polar_event}", **_ORGANIZATION},
        {"metadata[of]": "{polar_customer}"},
        {
            "filter": '{"conjunction": "and", "clauses": '
            '[{"property": "name", "operator": "eq", "value": "{polar_event}"}]}'
        },
    ),
    "polarListEventNames": asking(_ORGANIZATION, *_CUSTOMERS, {"query": "{polar_event}"}),
    "polarGetEvent": [Call(path={"id": "{polar_event_id}"})],
    "polarListMeters": asking(
        _ORGANIZATION, {"query": "{polar_meter}"}, {"metadata[of]": "{polar_meter}"}
    ),
    "polarCreateMeter": _with_organization(METER),
    "polarGetMeter": each(_METER),
    "polarUpdateMeter": [*each(_METER, body=_RENAMED), *each(_METER, body={"is_archived": True})],
    "polarGetMeterQuantities": [
        *each(_METER, query=_IN_JUNE),
        *(call for one in _CUSTOMERS for call in each(_METER, query={**_IN_JUNE, **one})),
    ],
    "polarListMeterEvents": each(_METER),
    "polarListCustomerMeters": asking(_ORGANIZATION, *_CUSTOMERS, {"meter_id": "{polar_meter_id}"}),
    "polarGetCustomerMeter": [Call(path={"id": "{customer_meter_id}"})],
    "polarListCustomers": asking(
        _ORGANIZATION,
        {"email": "{polar_customer}@example.com"},
        {"query": "{polar_customer}"},
        {"metadata[of]": "{polar_customer}"},
    ),
    "polarCreateCustomer": _with_organization(CUSTOMER),
    "polarGetCustomer": each(_CUSTOMER),
    "polarGetCustomerExternal": each(_EXTERNAL),
    "polarGetCustomerState": each(_CUSTOMER),
    "polarGetCustomerStateExternal": each(_EXTERNAL),
    "polarUpdateCustomer": each(_CUSTOMER, body=_RENAMED),
    "polarUpdateCustomerExternal": each(_EXTERNAL, body=_RENAMED),
    "polarDeleteCustomer": each(_CUSTOMER),
    "polarDeleteCustomerExternal": each(_EXTERNAL),
}
