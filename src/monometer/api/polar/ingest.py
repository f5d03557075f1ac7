"""`POST /v1/events/ingest`: events in, each once by its external id."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import UUID4, AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from monometer.api.bodies import whole_body
from monometer.api.deps import Services, namespace_of, services_of
from monometer.api.event_data import DataLimits, data_problem, text_problem
from monometer.api.metrics import ACCEPTED, DUPLICATE, REJECTED
from monometer.api.polar.errors import documented
from monometer.api.polar.event_metadata import problem as metadata_problem
from monometer.api.polar.wire import Instant, organization_of
from monometer.api.wire import json_response
from monometer.core.errors import FieldError, InvalidInput
from monometer.core.event import Event
from monometer.services.owners import subject_of

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


class _Read(NamedTuple):
    """An event that was understood; its customer is known by one of two ids."""

    name: str
    external_id: str | None
    customer: UUID | str
    time: datetime
    data: str


class PolarEventCreate(BaseModel):
    """An event, of the customer of one of two ids."""

    name: str = Field(max_length=NAME_CHARS_MAX, description="What happened.")
    timestamp: AwareDatetime | None = Field(None, description="By default now; never later.")
    organization_id: UUID4 | None = None
    external_id: str | None = Field(None, description="A second event of one id is a duplicate.")
    customer_id: UUID4 | None = None
    external_customer_id: str | None = None
    metadata: dict[str, Any] | None = None


class PolarEventsIngest(BaseModel):
    events: list[PolarEventCreate]


class EventsIngestResponse(BaseModel):
    inserted: int
    duplicates: int = 0


_INGEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/PolarEventsIngest"},
                "example": {
                    "events": [
                        {
                            "name": "prompt",
                            "external_id": "5c10fade",
                            "external_customer_id": "ann",
                            "timestamp": "2026-01-01T00:00:00Z",
                            "metadata": {"model": "gpt-4", "tokens": 12.5},
                        }
                    ]
                },
            }
        },
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
    read = (body, services, namespace)
    # A large hostile body takes seconds to look through; others are served meanwhile.
    large = len(body) > LARGE_BODY_BYTES
    received = await asyncio.to_thread(_events_of, *read) if large else _events_of(*read)
    subjects = await _subjects(services, namespace, received)
    now = services.now()
    events = [
        Event(
            namespace, one.external_id or services.new_id(), SOURCE, one.name,
            subjects[one.customer], one.time, one.data, now,
        )
        for one in received
    ]  # fmt: skip
    new = await services.ingestor.ingest(events, len(body))
    inserted = sum(new)
    ACCEPTED.inc(inserted)
    DUPLICATE.inc(len(new) - inserted)
    return json_response({"inserted": inserted, "duplicates": len(new) - inserted})


def _events_of(body: bytes, services: Services, namespace: str) -> list[_Read]:
    """Raises InvalidInput naming everything that is wrong, by index and member."""
    try:
        texts = _body.decode(body).events
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(
            [FieldError(field="/", message=_reason(error), code="json_invalid")]
        ) from None
    events_max = services.settings.batch_events_max
    if len(texts) > events_max:
        message = f"must not have more than {events_max} events"
        raise _refusal([FieldError(field="/events", message=message, code="too_long")])
    reading = _Reading(services, namespace)
    found = [reading.event(bytes(text)) for text in texts]
    wrong = [
        replace(one, field=f"/events/{index}{one.field}")
        for index, one in enumerate(found)
        if isinstance(one, FieldError)
    ]
    if wrong:
        REJECTED.inc(len(wrong))
        raise _refusal(wrong)
    return [one for one in found if isinstance(one, _Read)]


def _refusal(fields: Sequence[FieldError]) -> InvalidInput:
    return InvalidInput("the events cannot be taken", fields)


class _Reading:
    """What the server holds every event of a request to."""

    def __init__(self, services: Services, namespace: str) -> None:
        settings = services.settings
        self._now = services.now()
        self._organization = organization_of(namespace)
        self._text_bytes_max = settings.text_bytes_max
        self._limits = DataLimits(settings.data_bytes_max, settings.json_depth_max)

    def event(self, text: bytes) -> _Read | FieldError:
        """The event, or the first rule that it breaks."""
        try:
            wire = _event.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _malformed(error)
        wrong = self._wrong_text(wire) or self._wrong_organization(wire)
        if wrong is not None:
            return wrong
        if (wire.customer_id is None) == (wire.external_customer_id is None):
            return FieldError(
                field="", message="either customer_id or external_customer_id is needed"
            )
        time, data = self._time(wire.timestamp), self._data(bytes(wire.metadata))
        if isinstance(time, FieldError):
            return time
        if isinstance(data, FieldError):
            return data
        try:
            id_ = None if wire.customer_id is None else _uuid.validate_python(wire.customer_id)
        except ValidationError:
            return FieldError(
                field="/customer_id", message="must be a UUID of version 4", code="uuid"
            )
        customer = id_ or wire.external_customer_id or ""
        return _Read(wire.name, wire.external_id, customer, time, data)

    def _wrong_text(self, wire: WireEvent) -> FieldError | None:
        if len(wire.name) > NAME_CHARS_MAX:
            message = f"must not have more than {NAME_CHARS_MAX} characters"
            return FieldError(field="/name", message=message, code="string_too_long")
        for name in ("name", "external_id", "external_customer_id"):
            text: str | None = getattr(wire, name)
            if text is None:
                continue
            rule = text_problem(text)
            if not text:
                rule = "must not be empty"
            if rule is None and len(text.encode()) > self._text_bytes_max:
                rule = f"must not be longer than {self._text_bytes_max} bytes"
            if rule is not None:
                return FieldError(field=f"/{name}", message=rule)
        return None

    def _wrong_organization(self, wire: WireEvent) -> FieldError | None:
        given = wire.organization_id
        if given is None or given.lower() == str(self._organization):
            return None
        return FieldError(field="/organization_id", message="Organization not found.")

    def _time(self, text: str | None) -> datetime | FieldError:
        if text is None:
            return self._now
        try:
            time = _instant.validate_python(text)
        except ValidationError as error:
            return FieldError(field="/timestamp", message=error.errors()[0]["msg"])
        if time > self._now:
            return FieldError(field="/timestamp", message="Timestamp must be in the past.")
        return time

    def _data(self, raw: bytes) -> str | FieldError:
        if raw in {b"", b"null"}:
            return "{}"
        reason = data_problem(raw, self._limits)
        wrong = ("", reason) if reason is not None else metadata_problem(raw)
        if wrong is not None:
            return FieldError(field=f"/metadata{wrong[0]}", message=wrong[1])
        return raw.decode()


def _malformed(error: Exception) -> FieldError:
    message, _, path = str(error).partition(" - at `$")
    if message.startswith("Object missing required field "):
        return FieldError(
            field="/" + message.split("`")[1], message="Field required", code="missing"
        )
    return FieldError(field=path.rstrip("`").replace(".", "/"), message=_reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "is not valid UTF-8"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return str(error).partition(" - at `$")[0]


async def _subjects(
    services: Services, namespace: str, received: Sequence[_Read]
) -> Mapping[UUID | str, str]:
    """Raises InvalidInput for a customer id that nobody has."""
    ids = {one.customer for one in received if isinstance(one.customer, UUID)}
    known = await services.owners.of_uuids(namespace, ids)
    wrong = [
        FieldError(
            field=f"/events/{index}/customer_id", message="Customer does not exist.",
            code="customer_id",
        )
        for index, one in enumerate(received)
        if isinstance(one.customer, UUID) and one.customer not in known
    ]  # fmt: skip
    if wrong:
        REJECTED.inc(len(wrong))
        raise _refusal(wrong)
    subjects: dict[UUID | str, str] = {one.customer: str(one.customer) for one in received}
    return subjects | {uuid: subject_of(customer) for uuid, customer in known.items()}
