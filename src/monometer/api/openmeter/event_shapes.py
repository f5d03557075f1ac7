"""The shapes of events on the wire, as the OpenAPI document shows them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from monometer.api.wire import Instant

EVENT_EXAMPLE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "5c10fade-1c9e-4d6c-8275-c52c36731d3c",
    "source": "api-gateway",
    "type": "request",
    "subject": "customer-1",
    "time": "2026-01-01T00:00:00.001Z",
    "data": {"method": "GET", "path": "/hello", "duration_ms": "12.5"},
}


class Event(BaseModel):
    """A CloudEvent. (source, id) is unique: a second one is a duplicate of the first."""

    model_config = ConfigDict(json_schema_extra={"examples": [EVENT_EXAMPLE]})

    id: str = Field(min_length=1, description="Unique among the events of its source.")
    source: str = Field(min_length=1, description="What sent it, best as a URI reference.")
    specversion: str = Field(min_length=1, description="Version of CloudEvents: 1.0.")
    type: str = Field(min_length=1, description="What happened; meters choose events by it.")
    datacontenttype: Literal["application/json"] | None = None
    dataschema: Annotated[str, Field(min_length=1, json_schema_extra={"format": "uri"})] | None = (
        None
    )
    subject: str = Field(min_length=1, description="Whose usage it is.")
    time: Instant | None = Field(None, description="When it happened; by default, now.")
    data: dict[str, Any] | None = Field(None, description="What meters read values from.")


class IngestedEvent(BaseModel):
    """A stored event, with what today's meters have to say about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event": EVENT_EXAMPLE,
                    "ingestedAt": "2026-01-01T00:00:00.25Z",
                    "storedAt": "2026-01-01T00:00:00.253Z",
                }
            ]
        }
    )

    event: Event
    customerId: str | None = Field(
        None, description="The customer that the subject belongs to, when there is one."
    )
    validationError: str | None = Field(
        None, description="Why meters cannot use it: one message a line. Absent when they can."
    )
    ingestedAt: Instant = Field(description="When it was received.")
    storedAt: Instant = Field(description="When it was committed.")


class IngestedEventCursorPaginatedResponse(BaseModel):
    """A page of events."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": []}]})

    items: list[IngestedEvent] = Field(max_length=100)
    nextCursor: str | None = Field(
        None, description="Where the next page begins; absent after the last one."
    )


class EventResult(BaseModel):
    """What became of one event of a request."""

    index: int
    id: str | None
    source: str | None
    status: Literal["accepted", "duplicate", "rejected"]
    reason: str | None = Field(None, description="Only when rejected.")
    field: str | None = Field(None, description="JSON pointer inside the event; when rejected.")


class IngestResult(BaseModel):
    accepted: int
    duplicate: int
    rejected: int
    results: list[EventResult]


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


# FastAPI sees no body model here, since the body goes past it; this is what the document says.
INGEST_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": _ref("Event"), "example": EVENT_EXAMPLE},
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": _ref("Event")},
                "example": [EVENT_EXAMPLE],
            },
            "application/json": {
                "schema": {"anyOf": [_ref("Event"), {"type": "array", "items": _ref("Event")}]},
                "example": EVENT_EXAMPLE,
            },
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "One event a line."}
            },
        },
    },
    "parameters": [
        {
            "name": "Prefer",
            "in": "header",
            "required": False,
            "description": "`handling=lenient` stores the good events of a request; "
            "`return=representation` tells what became of each.",
            "schema": {"type": "string"},
            "example": "handling=lenient, return=representation",
        }
    ],
}
