"""`GET /api/v1/events` and `/api/v2/events`: what was stored, newest first."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, TypeAdapter

from monometer.api.deps import NamespaceOf, Services, ServicesOf
from monometer.api.openmeter.event_shapes import IngestedEvent, IngestedEventCursorPaginatedResponse
from monometer.api.openmeter.filters import (
    FilterIDExact,
    FilterString,
    FilterTime,
    Ulid,
    check_size,
    of_json_parameter,
    predicate_of,
)
from monometer.api.problems import documented
from monometer.api.wire import Instant, Text, instant_from_wire, instant_to_wire, json_response
from monometer.core.errors import InvalidInput
from monometer.core.evaluation import facts_of
from monometer.core.event import Event, StoredEvent, event_key
from monometer.core.expression import (
    EVERYTHING,
    AllOf,
    Attribute,
    Compare,
    Like,
    Literal,
    OneOf,
    Predicate,
)
from monometer.core.meter import Meter
from monometer.core.validation import problems
from monometer.services.customers import UnknownCustomers
from monometer.services.usage import bounds
from monometer.store.event_store import EventPage, Position

router = APIRouter(tags=["Events"])

LIST_PERIOD_DEFAULT = timedelta(days=32)
PAGE_MAX = 100
FILTER_DEPTH_MAX = 1

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
ClientId = Annotated[
    str | None, Query(min_length=1, max_length=36, description="Accepted and not used.")
]


@router.get(
    "/api/v1/events",
    operation_id="listEvents",
    summary="List events",
    response_model=list[IngestedEvent],
    responses=documented(),
)
async def list_events(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    clientId: ClientId = None,  # noqa: ARG001 - the wire's name
    ingestedAtFrom: Annotated[Instant | None, Query()] = None,
    ingestedAtTo: Annotated[Instant | None, Query()] = None,
    id: Annotated[Text | None, Query(description="Part of the id; `%` and `_` as in LIKE.")] = None,
    subject: Annotated[Text | None, Query(description="The whole subject.")] = None,
    customerId: Annotated[list[Ulid] | None, Query()] = None,
    from_: Annotated[
        Instant | None, Query(alias="from", description="Included; by default 32 days ago.")
    ] = None,
    to: Annotated[Instant | None, Query(description="Excluded.")] = None,
    limit: Limit = PAGE_MAX,
) -> Response:
    """Stored events, newest first, with what today's meters have to say about each."""
    start = from_ or services.now() - LIST_PERIOD_DEFAULT
    of_customers, unknown = await _of_customers(services, namespace, customerId or None)
    problems = [
        *_order_problem("to date", to, "from date", start),
        *_order_problem("ingestedAtTo date", ingestedAtTo, "ingestedAtFrom date", ingestedAtFrom),
        *unknown,
    ]
    if problems:
        raise InvalidInput("validate input: " + "\n".join(problems))
    conditions: list[Predicate] = [
        *bounds(Attribute("time"), start, to),
        *bounds(Attribute("ingested_at"), ingestedAtFrom, ingestedAtTo),
        of_customers,
    ]
    if id is not None:
        part = id.replace("\\", "\\\\")
        conditions.append(Like(Attribute("id"), f"%{part}%"))
    if subject is not None:
        conditions.append(Compare("=", Attribute("subject"), Literal(subject)))
    page = EventPage(namespace=namespace, where=AllOf(tuple(conditions)), limit=limit)
    return json_response(await _rendered(services, await services.events.list_events(page)))


def _order_problem(
    late_name: str, late: datetime | None, early_name: str, early: datetime | None
) -> Sequence[str]:
    if late is None or early is None or early <= late:
        return ()
    times = f"{instant_to_wire(late)} < {instant_to_wire(early)}"
    return (f"{late_name} is before {early_name}: {times}",)


async def _of_customers(
    services: Services, namespace: str, ids: Sequence[str] | None
) -> tuple[Predicate, Sequence[str]]:
    """What takes the events of these customers, of all for None; and what is wrong with the ids."""
    if ids is None:
        return EVERYTHING, ()
    try:
        subjects = await services.customers.attribution(namespace, ids)
    except UnknownCustomers as error:
        problem = f"customers not found in namespace {namespace}: {', '.join(error.ids)}"
        return EVERYTHING, (problem,)
    return OneOf(Attribute("subject"), tuple(subjects)), ()


class EventFilter(BaseModel):
    id: FilterString | None = None
    source: FilterString | None = None
    subject: FilterString | None = None
    customerId: FilterIDExact | None = None
    type: FilterString | None = None
    time: FilterTime | None = None
    ingestedAt: FilterTime | None = None


_event_filter = TypeAdapter(EventFilter)
_FILTER_EXAMPLE = '{"subject": {"$eq": "customer-1"}, "time": {"$gte": "2026-01-01T00:00:00Z"}}'


@router.get(
    "/api/v2/events",
    operation_id="listEventsV2",
    summary="List events, page by page",
    response_model=IngestedEventCursorPaginatedResponse,
    responses=documented(),
)
async def list_events_v2(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    cursor: Annotated[Text | None, Query(description="The last page's nextCursor.")] = None,
    limit: Limit = PAGE_MAX,
    clientId: ClientId = None,  # noqa: ARG001 - the wire's name
    filter: Annotated[
        str | None,
        Query(
            description="JSON text: a filter object by member, all of which must hold.",
            openapi_examples={"subject since": {"value": _FILTER_EXAMPLE}},
        ),
    ] = None,
) -> Response:
    """Stored events, newest first; pages stay put while events keep coming."""
    wanted = of_json_parameter("filter", filter, _event_filter) if filter else EventFilter()
    if wanted.customerId is not None and wanted.customerId.in_ is None:
        raise InvalidInput("customer id filter supports only in")
    ids = None if wanted.customerId is None else wanted.customerId.in_
    of_customers, unknown = await _of_customers(services, namespace, ids)
    if unknown:
        raise InvalidInput(f"validate input: {unknown[0]}")
    page = EventPage(
        namespace=namespace,
        where=AllOf((_where(wanted), of_customers)),
        limit=limit,
        after=None if cursor is None else _position_from_wire(cursor),
    )
    items = await services.events.list_events(page)
    body: dict[str, Any] = {"items": await _rendered(services, items)}
    if len(items) == limit:
        body["nextCursor"] = _position_to_wire(items[-1])
    return json_response(body)


def _where(wanted: EventFilter) -> Predicate:
    by_attribute = {
        Attribute("id"): wanted.id,
        Attribute("source"): wanted.source,
        Attribute("subject"): wanted.subject,
        Attribute("type"): wanted.type,
        Attribute("time"): wanted.time,
        Attribute("ingested_at"): wanted.ingestedAt,
    }
    check_size(filter_ for filter_ in by_attribute.values() if filter_ is not None)
    return AllOf(
        tuple(
            predicate_of(filter_, attribute, depth_max=FILTER_DEPTH_MAX)
            for attribute, filter_ in by_attribute.items()
            if filter_ is not None
        )
    )


def _position_from_wire(cursor: str) -> Position:
    try:
        time, key = base64.b64decode(cursor, validate=True).decode("ascii").split(",")
        return Position(instant_from_wire(time).astimezone(UTC), UUID(key).bytes)
    except (ValueError, binascii.Error):
        raise InvalidInput("cursor is invalid") from None


def _position_to_wire(last: StoredEvent) -> str:
    key = UUID(bytes=event_key(last.event.source, last.event.id))
    return base64.b64encode(f"{instant_to_wire(last.event.time)},{key}".encode()).decode()


async def _rendered(services: Services, items: Sequence[StoredEvent]) -> list[dict[str, Any]]:
    if not items:
        return []
    namespace = items[0].event.namespace
    meters = await services.catalog.meters_of_types(namespace, {one.event.type for one in items})
    owners = await services.customers.owners(namespace, {one.event.subject for one in items})
    return [_ingested_event_to_wire(one, meters, owners.get(one.event.subject)) for one in items]


def event_to_wire(event: Event) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "id": event.id,
        "source": event.source,
        "specversion": "1.0",
        "type": event.type,
        "subject": event.subject,
        "time": instant_to_wire(event.time),
    }
    if event.data is not None:
        if event.data != "null":
            wire["datacontenttype"] = "application/json"
        wire["data"] = msgspec.Raw(event.data.encode())
    return wire


def _ingested_event_to_wire(
    stored: StoredEvent, meters: Sequence[Meter], customer_id: str | None
) -> dict[str, Any]:
    item: dict[str, Any] = {
        "event": event_to_wire(stored.event),
        "ingestedAt": instant_to_wire(stored.event.ingested_at),
        "storedAt": instant_to_wire(stored.stored_at),
    }
    if customer_id is not None:
        item["customerId"] = customer_id
    messages = problems(facts_of(stored), meters)
    if messages:
        item["validationError"] = "\n".join(messages)
    return item
