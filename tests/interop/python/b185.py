"""One story told through PyPI openmeter 1.0.0b185: every event and meter method it has.

Reads {baseUrl, ...story.json} as its argument, prints {step: {value} or {error}} as JSON.
"""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from azure.core.exceptions import HttpResponseError  # type: ignore[import-not-found]
from cloudevents.conversion import to_dict  # type: ignore[import-not-found]
from cloudevents.http import CloudEvent  # type: ignore[import-not-found]
from openmeter import Client  # type: ignore[import-not-found]

KEYWORDS = {
    "from": "from_parameter",
    "to": "to",
    "windowSize": "window_size",
    "windowTimeZone": "window_time_zone",
    "subject": "subject",
    "groupBy": "group_by",
    "filterGroupBy": "filter_group_by",
}

story = json.loads(sys.argv[1])
client = Client(endpoint=story["baseUrl"], headers={"Authorization": "Bearer ignored"})
told: dict[str, Any] = {}


def step(name: str, call: Callable[..., Any], *args: Any, **keywords: Any) -> None:
    try:
        told[name] = {"value": call(*args, **keywords)}
    except HttpResponseError as error:
        detail = error.response.json().get("detail")
        told[name] = {
            "error": {"name": type(error).__name__, "status": error.status_code, "detail": detail}
        }


def keywords(query: dict[str, Any]) -> dict[str, Any]:
    return {
        KEYWORDS[name]: datetime.fromisoformat(value) if name in ("from", "to") else value
        for name, value in query.items()
    }


def meters(slug: str) -> None:
    step("create", client.create_meter, story["meter"])
    step("create again", client.create_meter, story["meter"])
    step("create invalid", client.create_meter, {**story["meter"], "slug": "No Slug"})
    step("get", client.get_meter, slug)
    step("get by id", client.get_meter, told["create"]["value"]["id"])
    step("get missing", client.get_meter, f"{slug}_missing")
    step("list", client.list_meters)


def events() -> None:
    first, second, *others = story["events"]
    attributes = {name: value for name, value in first.items() if name != "data"}
    step("ingest one", client.ingest_events, to_dict(CloudEvent(attributes, first["data"])))
    step("ingest plain dictionary", client.ingest_events, second)
    step("ingest many", client.ingest_events, [*others, story["repeated"]])
    step("ingest invalid", client.ingest_events, story["least"])
    span = keywords(story["span"])
    step("events", client.list_events, **span, id=story["tag"], limit=100)
    step("events of a subject", client.list_events, **span, subject=story["acme"])
    step("events limited", client.list_events, **span, id=story["tag"], limit=2)
    step("events limit too high", client.list_events, limit=101)
    step("events with errors", client.list_events, has_error=True, limit=5)


def queries(slug: str) -> None:
    for name, query in {**story["queries"], **story["filterQueries"]}.items():
        step(f"query {name}", client.query_meter, slug, **keywords(query))
    for name, query in story["badQueries"].items():
        step(f"query {name}", client.query_meter, slug, **keywords(query))
    step("query missing", client.query_meter, f"{slug}_missing")
    for aggregation in story["aggregations"]:
        other = f"{slug}_{aggregation.lower()}"
        meter = {**story["meter"], "slug": other, "aggregation": aggregation}
        if aggregation == "COUNT":
            del meter["valueProperty"]
        step(f"create {aggregation}", client.create_meter, meter)
        step(f"aggregate {aggregation}", client.query_meter, other)
        step(f"delete {aggregation}", client.delete_meter, other)
    step("subjects", client.list_meter_subjects, slug)


def subjects(owners: dict[str, Any]) -> None:
    slashed = owners["slashed"]["key"]
    step("subject upsert", client.upsert_subject, [owners["subject"], owners["slashed"]])
    step("subject upsert again", client.upsert_subject, [owners["cleared"]])
    step("subject upsert invalid", client.upsert_subject, [{"key": ""}])
    step("subject get", client.get_subject, owners["subject"]["key"])
    step("subject get slashed", client.get_subject, slashed)
    step("subject list", client.list_subjects)
    step("subject delete", client.delete_subject, slashed)
    step("subject get deleted", client.get_subject, slashed)


def afterwards(slug: str) -> None:
    step("ingest unusable", client.ingest_events, story["unusable"])
    since = datetime.fromisoformat(story["span"]["from"])
    subject = story["unusable"]["subject"]
    step("events unusable", client.list_events, from_parameter=since, subject=subject)
    step("delete", client.delete_meter, slug)
    step("get deleted", client.get_meter, slug)


meters(story["slug"])
events()
queries(story["slug"])
subjects(story["owners"])
afterwards(story["slug"])
sys.stdout.write(json.dumps(told))
