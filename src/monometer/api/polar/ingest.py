"""`POST /v1/events/ingest`: events in, each once by its external id."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import UUID4, AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from monometer.api.bodies import whole_body
from monometer.api.deps import Services, namespace_of, services_of
from monometer.api.event_data import DataLimits, data_problem, text_problem
from monometer.api.metrics import ACCEPTED, DUPLICATE, REJECTED
from monometer.api.polar.errors import documented
from monometer.api.polar.event_metadata import metadata_problem
from monometer.api.polar.wire import Instant, organization_of
from monometer.api.wire import json_response
from monometer.core.errors import FieldError, InvalidInput
from monometer.core.event import Event

router = APIRouter(prefix="/v1/events", tags=["Polar Events"])

SOURCE = "polar"  # of every event that comes by this dialect: external ids are unique in it
NAME_CHARS_MAX = 128
LARGE_BODY_BYTES = 256 * 1024

_ABSENT = msgspec.Raw()
_instant: TypeAdapter[datetime] = TypeAdapter(Instant)
_uuid: TypeAdapter[UUID] = TypeAdapter(UUID4)


class WireEvent(msgspec.Struct):
    """An event as it arrives; unknown members are passed over, null is the same as absent."""

    name: str
    timestamp: str | None = None
    organization_id: str | None = None
    external_id: str | None = None
    customer_id: str | None = None
    external_customer_id: str | None = None
    metadata: msgspec.Raw = _ABSENT


class _Body(msgspec.Struct):
    events: list[msgspec.Raw]


class EventCreate(BaseModel):
    """An event, of the customer of one of two ids."""

    name: str = Field(max_length=NAME_CHARS_MAX, description="What happened.")
    timestamp: AwareDatetime | None = Field(None, description="By default now; never later.")
    organization_id: UUID4 | None = None
    external_id: str | None = Field(None, description="A second event of one id is a duplicate.")
    customer_id: UUID4 | None = None
    external_customer_id: str | None = None
    metadata: dict[str, Any] | None = None


class EventsIngest(BaseModel):
    events: list[EventCreate]


class EventsIngestResponse(BaseModel):
    inserted: int
    duplicates: int = 0


_INGEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": EventsIngest.model_json_schema()}},
    }
}
_body = msgspec.json.Decoder(_Body)
_event = msgspec.json.Decoder(WireEvent)


@router.post(
    "/ingest",
    operation_id="polarIngestEvents",
    summary="Ingest events",
    response_model=EventsIngestResponse,
    responses=documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    openapi_extra=_INGEST_BODY,
)
async def ingest_events(request: Request) -> Response:
    """All are stored or none. The answer comes after the commit; the next query sees them."""
    services, namespace = services_of(request), namespace_of(request)
    body = await whole_body(request)
    read = _Reader(services, namespace).read
    large = len(body) > LARGE_BODY_BYTES
    received = await asyncio.to_thread(read, body) if large else read(body)
    subjects = await _subjects(services, namespace, received)
    events = [
        Event(
            namespace,
            one.external_id or services.new_id(),
            SOURCE,
            one.name,
            subjects[one.customer],
            one.time,
            one.data,
            services.now(),
        )
        for one in received
    ]
    new = await services.ingestor.ingest(events, len(body))
    inserted = sum(new)
    ACCEPTED.inc(inserted)
    DUPLICATE.inc(len(new) - inserted)
    return json_response({"inserted": inserted, "duplicates": len(new) - inserted})
