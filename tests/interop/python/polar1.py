"""One story told through PyPI polar-sdk 1.0: meters, events, customers and customer meters.

Reads {baseUrl, ...polar_story.json} as its argument, prints {step: {value} or {error}} as JSON.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import Any

from polar.base import PolarError  # type: ignore[import-not-found]
from polar.v2026_04.client import Polar  # type: ignore[import-not-found]

story = json.loads(sys.argv[1])
client = Polar(access_token="ignored", base_url=story["baseUrl"])  # noqa: S106 # no secret: unread
told: dict[str, Any] = {}


def step(name: str, call: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
    try:
        value = call(*args, **keywords)
    except PolarError as error:
        detail = getattr(getattr(error, "error", None), "detail", str(error))
        told[name] = {"error": {"name": type(error).__name__, "detail": plain(detail)}}
        return None
    told[name] = {"value": plain(value)}
    return value


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(one) for one in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def meters() -> str:
    meter = step("create", client.meters.create, **story["meter"])
    step("create invalid", client.meters.create, **{**story["meter"], "name": "x"})
    step("get", client.meters.get, meter.id)
    step("get missing", client.meters.get, story["missing"])
    step("get odd", client.meters.get, "not-an-id")
    step("list", client.meters.list, query=story["tag"].upper(), sorting=["-name", "created_at"])
    step("list of a team", client.meters.list, metadata={"team": story["tag"]})
    step("update", client.meters.update, meter.id, name=f"{story['tag']} renamed")
    return str(meter.id)


def events(meter_id: str, customer_id: str) -> None:
    sent = [{"name": f"{story['tag']}.prompt", **event} for event in story["events"]]
    acme, zoe = {"customer_id": customer_id}, {"external_customer_id": f"{story['tag']}-zoe"}
    sent = [{**event, **(zoe if i % 2 else acme)} for i, event in enumerate(sent)]
    step("ingest", client.events.ingest, events=sent)
    step("ingest again", client.events.ingest, events=sent[:2])
    stranger = {**sent[0], "customer_id": story["missing"], "external_id": "x"}
    step("ingest of a stranger", client.events.ingest, events=[stranger])
    step("events", client.events.list, name=f"{story['tag']}.prompt", limit=100)
    step("events of the meter", client.events.list, meter_id=meter_id, sorting=["timestamp"])
    step("event", client.events.get, told["events"]["value"]["items"][0]["id"])
    step("event missing", client.events.get, story["missing"])
    step("names", client.events.list_names, query=story["tag"])


def quantities(meter_id: str) -> None:
    for name, asked in {**story["quantities"], **story["newer quantities"]}.items():
        step(name, client.meters.quantities, meter_id, **asked)
    step("backwards", client.meters.quantities, meter_id, **story["backwards"])
    step("locked", client.meters.update, meter_id, aggregation={"func": "count"})
    step("archive", client.meters.update, meter_id, is_archived=True)
    step("list archived", client.meters.list, query=story["tag"], is_archived=True)
    step("unarchive", client.meters.update, meter_id, is_archived=False)


def customers(customer_id: str, meter_id: str) -> None:
    external = story["customer"]["external_id"]
    step("customer", client.customers.get, customer_id)
    step("customer missing", client.customers.get, story["missing"])
    step("customer by external id", client.customers.get_external, external)
    step("customers", client.customers.list, query=story["tag"])
    step("customer taken", client.customers.create, **story["customer"])
    step("customer update", client.customers.update, customer_id, name="Acme")
    step("customer meters", client.customer_meters.list, meter_id=meter_id)
    items = told["customer meters"]["value"]["items"]
    step("customer meter", client.customer_meters.get, items[0]["id"])
    step("state", client.customers.get_state, customer_id)
    step("state by external id", client.customers.get_state_external, external)
    step("customer delete", client.customers.delete, customer_id)
    step("customer deleted", client.customers.get, customer_id)


customer = step("customer create", client.customers.create, **story["customer"])
meter = meters()
events(meter, customer.id)
quantities(meter)
customers(customer.id, meter)
json.dump(told, sys.stdout)
