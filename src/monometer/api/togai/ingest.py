"""`POST /togai/ingest` and `/togai/ingestBatch`: events in, each once by its id."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from monometer.api.bodies import whole_body
from monometer.api.deps import Services, namespace_of, services_of
from monometer.api.event_data import DataLimits
from monometer.api.metrics import ACCEPTED, DUPLICATE, REJECTED
from monometer.api.togai.errors import documented
from monometer.api.togai.event_bodies import (
    ATTRIBUTES_MAX,
    EVENTS_MAX,
    Limits,
    event_from_wire,
    events_from_wire,
)
from monometer.api.togai.wire import PREFIX, TogaiSuccess
from monometer.api.wire import json_response
from monometer.core.ingestion import IngestionStatus
from monometer.core.sent_event import ID_CHARS_MAX, SentEvent
from monometer.services.ingestions import Sent

router = APIRouter(prefix=PREFIX, tags=["Togai Events"])

LARGE_BODY_BYTES = 256 * 1024

EXAMPLE: Mapping[str, Any] = {
    "schemaName": "api_call",
    "id": "c0b1306d",
    "timestamp": "2026-01-01T00:00:00Z",
    "accountId": "acme-eu",
    "attributes": [{"name": "bytes", "value": "12.5", "unit": "B"}],
    "dimensions": {"region": "eu"},
}


class TogaiEventAttribute(BaseModel):
    name: str = Field(min_length=1, max_length=50)
    value: str = Field(pattern=r"^-?\d{1,512}(\.\d+)?$", description="A decimal number.")
    unit: str | None = Field(None, max_length=50)


class TogaiEvent(BaseModel):
    """That something happened to an account. `attributes` are numbers, `dimensions` texts."""

    schemaName: str = Field(min_length=1, max_length=50)
    timestamp: AwareDatetime = Field(description="UTC where no offset is given.")
    accountId: str = Field(min_length=1, max_length=ID_CHARS_MAX, description="Or an alias of it.")
    attributes: list[TogaiEventAttribute] = Field(max_length=ATTRIBUTES_MAX)
    dimensions: dict[str, Annotated[str, Field(min_length=1, max_length=200)]]
    id: str | None = Field(
        None, max_length=ID_CHARS_MAX, description="Needed, unless the schema makes one."
    )


class TogaiIngest(BaseModel):
    event: TogaiEvent


class TogaiIngestBatch(BaseModel):
    events: list[TogaiEvent] = Field(min_length=1, max_length=EVENTS_MAX)


def body_of(shape: str, example: Mapping[str, Any]) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{shape}"}, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


@router.post(
    "/ingest",
    operation_id="togaiIngest",
    summary="Ingest an event",
    status_code=HTTPStatus.ACCEPTED,
    response_model=TogaiSuccess,
    responses=documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    openapi_extra=body_of("TogaiIngest", {"event": EXAMPLE}),
)
async def ingest(request: Request) -> Response:
    """What became of it is told by `/events`, and committed before the answer comes."""
    services, body = services_of(request), await whole_body(request)
    return await _ingest(request, [event_from_wire(body, limits_of(services))], len(body))


@router.post(
    "/ingest/batch",
    include_in_schema=False,  # the other name of what follows
    response_model=TogaiSuccess,
)
@router.post(
    "/ingestBatch",
    operation_id="togaiIngestBatch",
    summary="Ingest events",
    status_code=HTTPStatus.ACCEPTED,
    response_model=TogaiSuccess,
    responses=documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    openapi_extra=body_of("TogaiIngestBatch", {"events": [EXAMPLE]}),
)
async def ingest_batch(request: Request) -> Response:
    """What became of each is told by `/events`, and committed before the answer comes."""
    services, body = services_of(request), await whole_body(request)
    # A large hostile body takes seconds to look through; others are served meanwhile.
    if len(body) > LARGE_BODY_BYTES:
        sent = await asyncio.to_thread(events_from_wire, body, limits_of(services))
    else:
        sent = events_from_wire(body, limits_of(services))
    return await _ingest(request, sent, len(body))


async def _ingest(request: Request, sent: list[SentEvent], size_bytes: int) -> Response:
    namespace = namespace_of(request)
    events = [Sent(namespace, one) for one in sent]
    statuses = await services_of(request).sent_ingestor.ingest(events, size_bytes)
    duplicates = sum(one is IngestionStatus.DUPLICATE_EVENT for one in statuses)
    accepted = sum(one.is_completed for one in statuses)
    ACCEPTED.inc(accepted)
    DUPLICATE.inc(duplicates)
    REJECTED.inc(len(statuses) - accepted - duplicates)
    return json_response({"success": True}, HTTPStatus.ACCEPTED)


def limits_of(services: Services) -> Limits:
    settings = services.settings
    return Limits(
        settings.text_bytes_max, DataLimits(settings.data_bytes_max, settings.json_depth_max)
    )
