"""`/v1/events`: what was stored, by page, by id and by name."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from operator import itemgetter
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import UUID4, TypeAdapter, ValidationError

from monometer.api.deps import NamespaceOf, Services, ServicesOf
from monometer.api.polar.errors import documented
from monometer.api.polar.event_shapes import (
    EventNamesSortProperty,
    EventSortProperty,
    EventSource,
    PolarEvent,
    PolarEventNamePage,
    PolarEventPage,
    event_to_wire,
    name_to_wire,
)
from monometer.api.polar.filters import PolarFilter, ensure_small
from monometer.api.polar.meters import meter_of, order_of
from monometer.api.polar.wire import (
    METADATA_PARAMETER,
    Id,
    Ids,
    Instant,
    Limit,
    PageNumber,
    capped,
    metadata_filter,
    offset_of,
    ours,
    page_to_wire,
)
from monometer.api.wire import Text, json_response
from monometer.core.clauses import predicate_of, text_values
from monometer.core.errors import FieldError, InvalidInput, NotFound
from monometer.core.event import StoredEvent
from monometer.core.expression import (
    AllOf,
    AnyOf,
    Attribute,
    Compare,
    Literal,
    OneOf,
    Predicate,
    containing,
)
from monometer.core.uuids import keys_of
from monometer.services.usage import of_type
from monometer.store.event_store import EventPage

router = APIRouter(prefix="/v1", tags=["Polar Events"])

QUERY_CHARS_MIN = 3
NOTHING = AnyOf(())

Query_ = Annotated[
    Text | None, Query(min_length=QUERY_CHARS_MIN, description="A part of the event's name.")
]


_filter: TypeAdapter[PolarFilter] = TypeAdapter(PolarFilter)


@router.get(
    "/events",
    operation_id="polarListEvents",
    summary="List events",
    response_model=PolarEventPage,
    responses=documented(),
    openapi_extra=METADATA_PARAMETER,
)
async def list_events(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    filter: Annotated[str | None, Query(description="JSON text of a filter.")] = None,
    start_timestamp: Annotated[Instant | None, Query(description="Excluded.")] = None,
    end_timestamp: Annotated[Instant | None, Query(description="Excluded.")] = None,
    organization_id: Ids = None,
    customer_id: Ids = None,
    external_customer_id: Annotated[list[Text] | None, Query()] = None,
    meter_id: Annotated[UUID4 | None, Query(description="Only what this meter counts.")] = None,
    name: Annotated[list[Text] | None, Query()] = None,
    source: Annotated[list[EventSource] | None, Query()] = None,
    query: Query_ = None,
    parent_id: Annotated[UUID4 | None, Query(description="No event has a parent here.")] = None,
    depth: Annotated[int | None, Query(ge=0, le=5)] = None,  # noqa: ARG001 - all are roots
    page: PageNumber = 1,
    limit: Limit = 10,
    sorting: Annotated[list[EventSortProperty] | None, Query()] = None,
) -> Response:
    _ensure_searchable(query, organization_id)
    conditions = [
        text_values(metadata_filter(request)),
        *_times(start_timestamp, end_timestamp),
        *await _whose(services, namespace, customer_id, external_customer_id),
        *_named(name, query),
        *([] if filter is None else [_predicate_from_wire(filter)]),
        *([] if meter_id is None else await _of_meter(services, namespace, meter_id)),
    ]
    if parent_id or EventSource.USER not in (source or [EventSource.USER]):
        conditions = [NOTHING]
    if not ours(organization_id, namespace):
        conditions = [NOTHING]
    order = sorting or [EventSortProperty.TIMESTAMP_DOWN]
    descending = order[0] is EventSortProperty.TIMESTAMP_DOWN
    return await events_response(
        services, namespace, AllOf(tuple(conditions)), page, limit, descending=descending
    )


@router.get(
    "/events/names",
    operation_id="polarListEventNames",
    summary="List the names of events",
    response_model=PolarEventNamePage,
    responses=documented(),
)
async def list_event_names(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    organization_id: Ids = None,
    customer_id: Ids = None,
    external_customer_id: Annotated[list[Text] | None, Query()] = None,
    source: Annotated[list[EventSource] | None, Query()] = None,
    query: Annotated[Text | None, Query(description="A part of the name.")] = None,
    page: PageNumber = 1,
    limit: Limit = 10,
    sorting: Annotated[list[EventNamesSortProperty] | None, Query()] = None,
) -> Response:
    """Each with how many events have it, and the first and the last time of any."""
    if EventSource.USER not in (source or [EventSource.USER]) or not ours(
        organization_id, namespace
    ):
        return json_response(page_to_wire([], 0, limit))
    whose = await _whose(services, namespace, customer_id, external_customer_id)
    types_max = services.settings.query_rows_max
    found = await services.events.types(
        namespace, AllOf((*whose, *_named(None, query))), types_max=types_max
    )
    items = [name_to_wire(one) for one in found]
    for member, down in reversed(order_of(sorting or [EventNamesSortProperty.LAST_SEEN_DOWN])):
        items.sort(key=itemgetter(member), reverse=down)
    start = offset_of(page, limit)
    return json_response(page_to_wire(items[start : start + capped(limit)], len(items), limit))


@router.get(
    "/events/{id}",
    operation_id="polarGetEvent",
    summary="Get an event",
    response_model=PolarEvent,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_event(services: ServicesOf, namespace: NamespaceOf, id: Id) -> Response:
    found = await services.events.find_events(namespace, keys_of(id))
    if not found:
        raise NotFound(f"event not found: {id}")
    [item] = await _rendered(services, namespace, found[:1])
    return json_response(item)


@router.get(
    "/meters/{id}/events",
    operation_id="polarListMeterEvents",
    summary="List the events that a meter counts",
    response_model=PolarEventPage,
    responses=documented(HTTPStatus.NOT_FOUND),
    deprecated=True,
)
async def list_meter_events(
    services: ServicesOf,
    namespace: NamespaceOf,
    id: Id,
    *,
    page: PageNumber = 1,
    limit: Limit = 10,
) -> Response:
    """Newest first, for early clients; others list events with `meter_id`."""
    meter = await meter_of(services, namespace, id)
    where = AllOf(tuple(of_type(meter)))
    return await events_response(services, namespace, where, page, limit, descending=True)


async def events_response(
    services: Services,
    namespace: str,
    where: Predicate,
    page: int,
    limit: int,
    *,
    descending: bool,
) -> Response:
    total = await services.events.count_events(namespace, where)
    asked = EventPage(
        namespace=namespace,
        where=where,
        limit=capped(limit),
        offset=offset_of(page, limit),
        descending=descending,
    )
    found = await services.events.list_events(asked)
    return json_response(page_to_wire(await _rendered(services, namespace, found), total, limit))


def _ensure_searchable(query: str | None, organization_id: Sequence[UUID] | None) -> None:
    if query is not None and not organization_id:
        message = "organization_id is required to search by query."
        raise InvalidInput(message, [FieldError(field="query", message=message)])


def _predicate_from_wire(text: str) -> Predicate:
    try:
        wire = _filter.validate_json(text)
    except ValidationError as error:
        message = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise InvalidInput(message, [FieldError(field="filter", message=message)]) from None
    ensure_small(wire, "filter")
    return predicate_of(wire.model_dump())


def _times(start: datetime | None, end: datetime | None) -> list[Predicate]:
    time = Attribute("time")
    after: list[Predicate] = [] if start is None else [Compare(">", time, Literal(start))]
    return after if end is None else [*after, Compare("<", time, Literal(end))]


async def _whose(
    services: Services,
    namespace: str,
    customer_id: Sequence[UUID] | None,
    external_customer_id: Sequence[str] | None,
) -> list[Predicate]:
    if not customer_id and not external_customer_id:
        return []
    subjects = await services.owners.subjects_of(
        namespace, customer_id or (), external_customer_id or ()
    )
    return [OneOf(Attribute("subject"), subjects)]


def _named(names: Sequence[str] | None, part: str | None) -> list[Predicate]:
    conditions: list[Predicate] = [] if not names else [OneOf(Attribute("type"), tuple(names))]
    if part is not None:
        conditions.append(containing(Attribute("type"), part, ignore_case=True))
    return conditions


async def _of_meter(services: Services, namespace: str, id: UUID) -> Sequence[Predicate]:
    try:
        return of_type(await meter_of(services, namespace, id))
    except NotFound:
        message = "Meter does not exist."
        field = FieldError(field="meter_id", message=message)
        raise InvalidInput(message, [field]) from None


async def _rendered(
    services: Services, namespace: str, found: Sequence[StoredEvent]
) -> list[dict[str, Any]]:
    owners = await services.owners.of_subjects(namespace, {one.event.subject for one in found})
    return [event_to_wire(one, owners.get(one.event.subject)) for one in found]
