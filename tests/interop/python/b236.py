"""One story told through PyPI openmeter 1.0.0b236: every event, meter, debug and info method.

Reads {baseUrl, ...story.json} as its argument, prints {step: {value} or {error}} as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from corehttp.exceptions import HttpResponseError  # type: ignore[import-not-found]
from openmeter import Client  # type: ignore[import-not-found]
from openmeter.aio import Client as AsyncClient  # type: ignore[import-not-found]
from openmeter.models import (  # type: ignore[import-not-found]
    CustomerCreate,
    Event,
    MeterCreate,
    MeterQueryRequest,
    MeterUpdate,
    SubjectUpsert,
)

KEYWORDS = {
    "from": "from_parameter",
    "to": "to",
    "windowSize": "window_size",
    "windowTimeZone": "window_time_zone",
    "subject": "subject",
    "groupBy": "group_by",
    "filterGroupBy": "filter_group_by",
    "clientId": "client_id",
}

story = json.loads(sys.argv[1])
client = Client(endpoint=story["baseUrl"], token="ignored")  # noqa: S106  # no secret: unread
told: dict[str, Any] = {}


def plain(value: Any) -> Any:
    """The JSON a model came from: models read as mappings of wire names to wire values."""
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, list) else value


def step(name: str, call: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
    try:
        value = call(*args, **keywords)
    except HttpResponseError as error:
        # The client reads no model from a conflict; its problem is in the response all the same.
        problem = plain(error.model) if error.model else error.response.json()
        told[name] = {
            "error": {
                "name": type(error).__name__,
                "status": error.status_code,
                "detail": problem.get("detail"),
            }
        }
        return None
    told[name] = {"value": plain(value)}
    return value


def subjects(owners: dict[str, Any]) -> None:
    slashed, given = owners["slashed"]["key"], SubjectUpsert(owners["subject"])
    step("subject upsert", client.subjects.upsert, [given, owners["slashed"]])
    step("subject upsert again", client.subjects.upsert, [owners["cleared"]])
    step("subject upsert invalid", client.subjects.upsert, [{"key": ""}])
    found = step("subject get", client.subjects.get, given.key)
    told["subject typed"] = {"value": [found.key, found.created_at.utcoffset().seconds]}
    step("subject get slashed", client.subjects.get, slashed)
    step("subject list", client.subjects.list)
    step("subject delete", client.subjects.delete, slashed)
    step("subject get deleted", client.subjects.get, slashed)


def customers(slug: str, owners: dict[str, Any]) -> None:
    customer, replacement = CustomerCreate(owners["customer"]), owners["replacement"]
    created = step("customer create", client.customers.create, customer)
    told["customer typed"] = {"value": [created.currency, created.billing_address.country]}
    step("customer create again", client.customers.create, owners["customer"])
    invalid = {**owners["customer"], "currency": "XXX"}
    step("customer create invalid", client.customers.create, invalid)
    step("customer get", client.customers.get, customer.key)
    step("customer get by id", client.customers.get, created.id, expand=["subscriptions"])
    step("customer get missing", client.customers.get, story["stranger"])
    step(
        "customer list",
        client.customers.list,
        key=story["tag"],
        name="acme",
        primary_email="ACME.test",
        subject=story["acme"],
        expand=["subscriptions"],
        include_deleted=False,
        order_by="createdAt",
        order="DESC",
        page=1,
        page_size=2,
    )
    ids = [created.id]
    query, by_body = client.meters.query_json, client.meters.query
    step("query of a customer", query, slug, filter_customer_id=ids)
    body = MeterQueryRequest(filter_customer_id=ids, group_by=["customer_id"])
    step("query body of a customer", by_body, slug, body)
    step("csv of a customer", client.meters.query_csv, slug, filter_customer_id=ids)
    span = keywords(story["span"])
    step("events of a customer", client.events.list, **span, customer_id=ids)
    of_customer = {"customerId": {"$in": ids}}
    listed = client.events_v2.list
    step("events v2 of a customer", lambda: list(listed(filter=of_customer)))
    step("customer update", client.customers.update, customer.key, replacement)
    step("query of a changed customer", query, slug, filter_customer_id=ids)
    step("customer delete", client.customers.delete, replacement["key"])
    step("customer get deleted", client.customers.get, replacement["key"])
    step("customer get deleted by id", client.customers.get, created.id)
    step("customer delete again", client.customers.delete, created.id)


def keywords(query: dict[str, Any]) -> dict[str, Any]:
    return {
        KEYWORDS[name]: datetime.fromisoformat(value) if name in ("from", "to") else value
        for name, value in query.items()
    }


def meters(slug: str) -> None:
    given = story["meter"]
    meter = MeterCreate(
        slug=slug,
        description=given["description"],
        event_type=given["eventType"],
        aggregation=given["aggregation"],
        value_property=given["valueProperty"],
        group_by=given["groupBy"],
    )
    created = step("create", client.meters.create, meter)
    told["created typed"] = {
        "value": [created.slug, created.aggregation, created.created_at.utcoffset().seconds]
    }
    step("create again", client.meters.create, given)
    step("create invalid", client.meters.create, {**given, "slug": "No Slug"})
    step("get", client.meters.get, slug)
    step("get by id", client.meters.get, created.id)
    step("get missing", client.meters.get, f"{slug}_missing")
    step("list", client.meters.list)
    step("list sorted", client.meters.list, order="DESC", order_by="key", page=1, page_size=1000)
    step("list wrongly sorted", client.meters.list, order_by="colour")


def ingest() -> None:
    first, second, third, *others = story["events"]
    step("ingest one", client.events.ingest_event, first)
    step("ingest model", client.events.ingest_event, Event(second))
    # A model, for the client sends nothing at all when this method is given a dictionary.
    step("ingest json object", client.events.ingest_events_json, Event(third))
    step("ingest json array", client.events.ingest_events_json, others[:1])
    step("ingest many", client.events.ingest_events, [*others[1:], story["repeated"]])
    step("ingest invalid", client.events.ingest_event, story["least"])


def listings() -> None:
    span = keywords(story["span"])
    everything = client.events.list
    step("events", everything, **span, id=story["tag"], limit=100)
    step("events of a subject", everything, **span, subject=story["acme"])
    step("events limited", everything, **span, id=story["tag"], limit=2)
    step("events limit too high", everything, limit=101)
    step("events of a stranger", everything, customer_id=[story["stranger"]])
    # Dictionaries, for the client cannot send its own models in a query.
    source = {"$eq": story["events"][0]["source"]}
    paged = client.events_v2.list
    step("events v2", lambda: list(paged(filter={"source": source})))
    step("events v2 paged by two", lambda: list(paged(filter={"source": source}, limit=2)))
    narrow = {
        "source": source,
        "subject": {"$in": [story["acme"]]},
        "time": {"$gte": "2024-03-09T21:00:00Z"},
    }
    step("events v2 filtered", lambda: list(paged(filter=narrow)))
    broken = {"id": {"$eq": "a", "$ne": "b"}}
    step("events v2 bad filter", lambda: list(paged(filter=broken)))


def queries(slug: str) -> None:
    query = client.meters.query_json
    for name, parameters in {**story["queries"], **story["newerQueries"]}.items():
        step(f"query {name}", query, slug, **keywords(parameters))
    for name, parameters in story["badQueries"].items():
        step(f"query {name}", query, slug, **keywords(parameters))
        step(f"query body {name}", client.meters.query, slug, parameters)
    for name, filters in story["advancedFilters"].items():
        step(f"query advanced {name}", query, slug, advanced_meter_group_by_filters=filters)
        body = {"advancedMeterGroupByFilters": filters}
        step(f"query body advanced {name}", client.meters.query, slug, body)
    for name, body in story["bodyQueries"].items():
        step(f"query {name}", client.meters.query, slug, MeterQueryRequest(body))
    for name, parameters in story["filterQueries"].items():
        step(f"query broken {name}", query, slug, **keywords(parameters))
    step("query missing", query, f"{slug}_missing")
    step("query of a stranger", query, slug, filter_customer_id=[story["stranger"]])
    row = query(slug, window_size="DAY").data[0]
    told["row typed"] = {"value": [row.value, row.window_start.isoformat()]}
    step("csv", client.meters.query_csv, slug, subject=[story["acme"]])
    step("csv post", client.meters.query_csv_post, slug)


def aggregations(slug: str) -> None:
    for aggregation in [*story["aggregations"], "LATEST"]:
        other = f"{slug}_{aggregation.lower()}"
        meter = {**story["meter"], "slug": other, "aggregation": aggregation}
        if aggregation == "COUNT":
            del meter["valueProperty"]
        step(f"create {aggregation}", client.meters.create, meter)
        step(f"aggregate {aggregation}", client.meters.query_json, other)
        step(f"delete {aggregation}", client.meters.delete, other)


def values(slug: str) -> None:
    span = keywords(story["span"])
    step("subjects", client.meters.list_subjects, slug)
    to = {"to": datetime.fromisoformat("2024-03-10T12:00:00+00:00")}
    step("subjects before", client.meters.list_subjects, slug, **to)
    group_values = client.meters.list_group_by_values
    step("group by values", group_values, slug, "model", to=span["to"])
    step("group by values too old", group_values, slug, "model", **span)
    step("group by values unknown", group_values, slug, "nope")
    step("ingest unusable", client.events.ingest_event, story["unusable"])
    since = span["from_parameter"]
    subject = story["unusable"]["subject"]
    step("events unusable", client.events.list, from_parameter=since, subject=subject)
    step("metrics", client.debug.metrics)
    step("currencies", client.currencies.list_currencies)
    step("progress", client.progress.get_progress, story["tag"])


async def asynchronously(slug: str) -> None:
    async with AsyncClient(endpoint=story["baseUrl"]) as other:
        await other.events.ingest_event(story["repeated"])
        result = await other.meters.query_json(slug, subject=[story["acme"]])
        told["query async"] = {"value": plain(result)}


def change(slug: str) -> None:
    step(
        "update",
        client.meters.update,
        slug,
        MeterUpdate(name="Tokens", group_by={"kind": "$.kind"}),
    )
    step("delete", client.meters.delete, slug)
    step("get deleted", client.meters.get, slug)
    step("get deleted by id", client.meters.get, told["create"]["value"]["id"])
    deleted = client.meters.list(include_deleted=True)
    told["list deleted"] = {"value": [meter.slug for meter in deleted if meter.deleted_at]}


meters(story["slug"])
ingest()
listings()
queries(story["slug"])
aggregations(story["slug"])
asyncio.run(asynchronously(story["slug"]))
subjects(story["owners"])
customers(story["slug"], story["owners"])
values(story["slug"])
change(story["slug"])
sys.stdout.write(json.dumps(told))
