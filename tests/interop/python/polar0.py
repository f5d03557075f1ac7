"""The story of polar1.py told through PyPI polar-sdk 0.16 or 0.30, which are spoken to alike.

Reads {baseUrl, ...polar_story.json} as its argument, prints {step: {value} or {error}} as JSON.
"""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import Any

from polar_sdk import Polar, models  # type: ignore[import-not-found]

story = json.loads(sys.argv[1])
client = Polar(access_token="ignored", server_url=story["baseUrl"])  # noqa: S106 # no secret: unread
old = version("polar-sdk").startswith("0.16.")
told: dict[str, Any] = {}


def step(name: str, call: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
    try:
        value = call(*args, **keywords)
    except (models.SDKError, models.HTTPValidationError, models.ResourceNotFound) as error:
        detail = getattr(getattr(error, "data", None), "detail", None)
        told[name] = {"error": {"name": type(error).__name__, "detail": plain(detail)}}
        return None
    told[name] = {"value": plain(getattr(value, "result", value))}
    return value


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(one) for one in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return value


def timed(query: dict[str, Any]) -> dict[str, Any]:
    """The client wants instants."""
    return {
        name: datetime.fromisoformat(value) if name.endswith("timestamp") else value
        for name, value in query.items()
    }


def meters() -> str:
    meter = step("create", client.meters.create, request=story["meter"])
    step("create invalid", client.meters.create, request={**story["meter"], "name": "x"})
    step("get", client.meters.get, id=meter.id)
    step("get missing", client.meters.get, id=story["missing"])
    step("get odd", client.meters.get, id="not-an-id")
    step("list", client.meters.list, query=story["tag"].upper(), sorting=["-name", "created_at"])
    step("list of a team", client.meters.list, metadata={"team": story["tag"]})
    changed = {"name": f"{story['tag']} renamed"}
    step("update", client.meters.update, id=meter.id, meter_update=changed)
    return str(meter.id)


def events(meter_id: str, customer_id: str) -> None:
    sent = [{"name": f"{story['tag']}.prompt", **timed(event)} for event in story["events"]]
    acme, zoe = {"customer_id": customer_id}, {"external_customer_id": f"{story['tag']}-zoe"}
    sent = [{**event, **(zoe if i % 2 else acme)} for i, event in enumerate(sent)]
    if old:  # it knows no external ids of events, so nothing that it sends is a duplicate
        step("ingest", client.events.ingest, request={"events": sent[:-1]})
    else:
        step("ingest", client.events.ingest, request={"events": sent})
        step("ingest again", client.events.ingest, request={"events": sent[:2]})
    stranger = {**sent[0], "customer_id": story["missing"], "external_id": "x"}
    step("ingest of a stranger", client.events.ingest, request={"events": [stranger]})
    step("events", client.events.list, name=f"{story['tag']}.prompt", limit=100)
    step("events of the meter", client.events.list, meter_id=meter_id, sorting=["timestamp"])
    step("event", client.events.get, id=told["events"]["value"]["items"][0]["id"])
    step("event missing", client.events.get, id=story["missing"])
    step("names", client.events.list_names, query=story["tag"])


def quantities(meter_id: str) -> None:
    asked = story["quantities"] if old else {**story["quantities"], **story["newer quantities"]}
    for name, query in asked.items():
        step(name, client.meters.quantities, id=meter_id, **timed(query))
    step("backwards", client.meters.quantities, id=meter_id, **timed(story["backwards"]))
    count = {"aggregation": {"func": "count"}}
    step("locked", client.meters.update, id=meter_id, meter_update=count)
    if old:
        return
    step("archive", client.meters.update, id=meter_id, meter_update={"is_archived": True})
    step("list archived", client.meters.list, query=story["tag"], is_archived=True)
    step("unarchive", client.meters.update, id=meter_id, meter_update={"is_archived": False})


def customers(customer_id: str, meter_id: str) -> None:
    external = story["customer"]["external_id"]
    step("customer", client.customers.get, id=customer_id)
    step("customer missing", client.customers.get, id=story["missing"])
    step("customer by external id", client.customers.get_external, external_id=external)
    step("customers", client.customers.list, query=story["tag"])
    step("customer taken", client.customers.create, request=story["customer"])
    acme = {"name": "Acme"}
    step("customer update", client.customers.update, id=customer_id, customer_update=acme)
    step("customer meters", client.customer_meters.list, meter_id=meter_id)
    items = told["customer meters"]["value"]["items"]
    step("customer meter", client.customer_meters.get, id=items[0]["id"])
    step("state", client.customers.get_state, id=customer_id)
    step("state by external id", client.customers.get_state_external, external_id=external)
    step("customer delete", client.customers.delete, id=customer_id)
    step("customer deleted", client.customers.get, id=customer_id)


customer = step("customer create", client.customers.create, request=story["customer"])
meter = meters()
events(meter, customer.id)
quantities(meter)
customers(customer.id, meter)
json.dump(told, sys.stdout)
