"""`/api/v3/openmeter/events`: events in, and the list of what was stored."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from monometer.api.deps import NamespaceOf, Services, ServicesOf
from monometer.api.openmeter.event_shapes import (
    EVENT_EXAMPLE,
    INGEST_REQUEST,
    Event,
    IngestResult,
)
from monometer.api.openmeter.events import event_to_wire
from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.ingest import take
from monometer.api.openmeter.v3.deep_objects import deep_object, deep_object_document
from monometer.api.openmeter.v3.errors import documented
from monometer.api.openmeter.v3.filters import (
    InstantFilter,
    StringFilter,
    ULIDFieldFilter,
    UlidFilter,
    listed,
    predicate_of,
)
from monometer.api.openmeter.v3.paging import (
    BY_CURSOR,
    CursorMeta,
    cursor_from_wire,
    cursor_page_of,
    cursor_to_wire,
)
from monometer.api.openmeter.v3.parameters import wrong
from monometer.api.openmeter.v3.sorting import order_from_wire, sort_pattern
from monometer.api.wire import Instant, instant_to_wire, json_response
from monometer.core.evaluation import facts_of
from monometer.core.event import StoredEvent, event_key
from monometer.core.expression import AllOf, Attribute, AttributeName, Not, OneOf, Predicate
from monometer.core.meter import Meter
from monometer.core.validation import problems
from monometer.services.customers import UnknownCustomers
from monometer.store.event_store import EventOrder, EventPage, Position

router = APIRouter(prefix="/api/v3/openmeter/events", tags=["Events v3"])

_SORTS = ("time", "ingested_at", "stored_at")
_ATTRIBUTES: tuple[AttributeName, ...] = (
    "id", "source", "subject", "type", "time", "ingested_at", "stored_at",
)  # fmt: skip


class CustomerReference(BaseModel):
    id: Ulid


class MeteringIngestedEventValidationError(BaseModel):
    code: str
    message: str
    attributes: dict[str, Any] | None = None


class MeteringIngestedEvent(BaseModel):
    """A stored event, with what today's meters have to say about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event": EVENT_EXAMPLE,
                    "ingested_at": "2026-01-01T00:00:00.25Z",
                    "stored_at": "2026-01-01T00:00:00.253Z",
                }
            ]
        }
    )

    event: Event
    customer: CustomerReference | SkipJsonSchema[None] = Field(
        None, description="The customer that the subject belongs to, when there is one."
    )
    ingested_at: Instant = Field(description="When it was received.")
    stored_at: Instant = Field(description="When it was committed.")
    validation_errors: list[MeteringIngestedEventValidationError] | None = Field(
        None, description="Why meters cannot use it. Absent when they can."
    )


class IngestedEventPaginatedResponse(BaseModel):
    data: list[MeteringIngestedEvent]
    meta: CursorMeta


class ListEventsParamsFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: StringFilter | None = None
    source: StringFilter | None = None
    subject: StringFilter | None = None
    type: StringFilter | None = None
    customer_id: UlidFilter | None = None
    time: InstantFilter | None = None
    ingested_at: InstantFilter | None = None
    stored_at: InstantFilter | None = None


@router.post(
    "",
    operation_id="ingest-metering-events",
    summary="Ingest events (v3)",
    status_code=HTTPStatus.ACCEPTED,
    response_class=Response,
    openapi_extra=INGEST_REQUEST,
    responses={
        HTTPStatus.OK.value: {
            "model": IngestResult,
            "description": "What became of each event, when the request prefers to be told",
        },
        **documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    },
)
async def ingest_metering_events(request: Request) -> Response:
    """The same as in the first version, answered with 202. They are stored by then all the same."""
    return await take(request, HTTPStatus.ACCEPTED)


@router.get(
    "",
    operation_id="list-metering-events",
    summary="List events, page by page (v3)",
    response_model=IngestedEventPaginatedResponse,
    responses=documented(),
    openapi_extra={
        "parameters": [
            BY_CURSOR,
            deep_object_document(
                "filter",
                ListEventsParamsFilter,
                "`filter[subject]=x` or `filter[time][gte]=…`.",
                {"subject": "customer-1"},
            ),
        ]
    },
)
async def list_metering_events(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    sort: Annotated[
        str,
        Query(
            pattern=sort_pattern(_SORTS), description="An instant, and `desc` (default) or `asc`."
        ),
    ] = "time",
) -> Response:
    """Stored events, newest first; pages stay put while events keep coming."""
    asked = cursor_page_of(request)
    wanted = deep_object(request, "filter", ListEventsParamsFilter)
    order = order_from_wire(sort, descending=True)
    conditions = predicate_of({Attribute(name): getattr(wanted, name) for name in _ATTRIBUTES})
    page = EventPage(
        namespace=namespace,
        where=AllOf((conditions, await _of_customers(services, namespace, wanted.customer_id))),
        limit=asked.size + 1,  # one more tells whether there is another page
        order_by=cast("EventOrder", order.by),
        descending=order.descending,
        after=None if asked.after is None else cursor_from_wire(asked.after, order),
    )
    found = await services.events.list_events(page)
    shown = found[: asked.size]
    cursors = [cursor_to_wire(_position(one, order.by), order) for one in (*shown[:1], *shown[-1:])]
    meta: dict[str, Any] = {
        "size": asked.size,
        "next": cursors[-1] if len(found) > len(shown) else None,
        "previous": None,
    }
    if cursors:
        meta |= {"first": cursors[0], "last": cursors[-1]}
    data = await _rendered(services, shown)
    return json_response({"data": data, "meta": {"page": meta}})


async def _of_customers(
    services: Services, namespace: str, filter_: ULIDFieldFilter | None
) -> Predicate:
    """That the subject is one of the customers'. Raises InvalidParameters for unknown ones."""
    conditions: list[Predicate] = []
    for operator, operand in (filter_.model_dump(exclude_none=True) if filter_ else {}).items():
        ids = listed(operand) if operator == "oeq" else [operand]
        try:
            attribution = await services.customers.attribution(namespace, ids)
        except UnknownCustomers as error:
            reason = f"no such customer: {', '.join(error.ids)}"
            raise wrong(f"filter[customer_id][{operator}]", reason, source="query") from error
        theirs = OneOf(Attribute("subject"), tuple(attribution))
        conditions.append(Not(theirs) if operator == "neq" else theirs)
    return AllOf(tuple(conditions))


def _position(stored: StoredEvent, order: str) -> Position:
    at = stored.stored_at if order == "stored_at" else getattr(stored.event, order)
    return Position(at, event_key(stored.event.source, stored.event.id))


async def _rendered(services: Services, items: Sequence[StoredEvent]) -> list[dict[str, Any]]:
    if not items:
        return []
    namespace = items[0].event.namespace
    meters = await services.catalog.meters_of_types(namespace, {one.event.type for one in items})
    owners = await services.customers.owners(namespace, {one.event.subject for one in items})
    return [_ingested_event_to_wire(one, meters, owners.get(one.event.subject)) for one in items]


def _ingested_event_to_wire(
    stored: StoredEvent, meters: Sequence[Meter], customer_id: str | None
) -> dict[str, Any]:
    item: dict[str, Any] = {
        "event": event_to_wire(stored.event),
        "ingested_at": instant_to_wire(stored.event.ingested_at),
        "stored_at": instant_to_wire(stored.stored_at),
    }
    if customer_id is not None:
        item["customer"] = {"id": customer_id}
    messages = problems(facts_of(stored), meters)
    if messages:
        item["validation_errors"] = [
            {"code": "validation_error", "message": message} for message in messages
        ]
    return item
