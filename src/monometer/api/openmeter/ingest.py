"""`POST /api/v1/events`: events in. 204 says: committed."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import Counter

from monometer.api.bodies import whole_body
from monometer.api.deps import Services, namespace_of, services_of
from monometer.api.event_data import DataLimits
from monometer.api.metrics import ACCEPTED, DUPLICATE, REJECTED
from monometer.api.openmeter.cloudevents import Decoded, Reception, Rejected
from monometer.api.openmeter.event_bodies import Received, events_of
from monometer.api.openmeter.event_shapes import INGEST_REQUEST, IngestResult
from monometer.api.problems import MalformedRequest, documented
from monometer.api.wire import headers_of, json_response
from monometer.core.errors import FieldError
from monometer.core.event import Event

router = APIRouter(tags=["Events"])

PATH = "/api/v1/events"
LARGE_BODY_BYTES = 256 * 1024
# Nearly every answer.
STORED = {
    status: Response(status_code=status) for status in (HTTPStatus.NO_CONTENT, HTTPStatus.ACCEPTED)
}
REASONS_MAX = 10  # of the first rejected events in `detail`; the extensions list more


@router.post(
    PATH,
    operation_id="ingestEvents",
    summary="Ingest events",
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra=INGEST_REQUEST,
    responses={
        HTTPStatus.OK.value: {
            "model": IngestResult,
            "description": "What became of each event, when the request prefers to be told",
        },
        **documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    },
)
async def ingest_events(request: Request) -> Response:
    """Store events, each once: (source, id) is deduplicated for ever.

    The answer comes after the commit. One bad event refuses the whole request, unless the request
    says `Prefer: handling=lenient`: then the good ones are stored. `Prefer: return=representation`
    answers 200 with what became of each event.
    """
    return await take(request, HTTPStatus.NO_CONTENT)


async def take(request: Request, success: HTTPStatus) -> Response:
    """Ingest what the request brings; `success` answers one that does not prefer to be told more.

    Raises MalformedRequest, TooLarge, Overloaded.
    """
    services = services_of(request)
    body = await whole_body(request)
    reception = reception_of(services, namespace_of(request))
    headers = headers_of(request.scope)
    read = (headers, body, reception, services.settings.batch_events_max)
    # A large hostile body takes seconds to look through; others are served meanwhile.
    large = len(body) > LARGE_BODY_BYTES
    received = await asyncio.to_thread(events_of, *read) if large else events_of(*read)
    decoded = received.events
    preferred = _preferences(headers["prefer"]) if "prefer" in headers else frozenset()
    events = [one for one in decoded if isinstance(one, Event)]
    rejected = len(decoded) - len(events)
    lenient = "handling=lenient" in preferred
    _count(REJECTED, rejected)
    if rejected and not lenient:
        raise _refusal(received)
    new = await services.ingestor.ingest(events, len(body))
    accepted = sum(new)
    _count(ACCEPTED, accepted)
    _count(DUPLICATE, len(new) - accepted)
    if not rejected and not preferred:
        return STORED[success]
    if rejected or "return=representation" in preferred:
        response = json_response(_result(decoded, new))
    else:
        response = Response(status_code=success)
    if preferred:
        response.headers["preference-applied"] = ", ".join(sorted(preferred))
    return response


def _count(of: Counter, events: int) -> None:
    if events:  # counting nothing costs as much as counting something
        of.inc(events)


def reception_of(services: Services, namespace: str) -> Reception:
    """For a request that has just come in."""
    settings = services.settings
    return Reception(
        namespace=namespace,
        now=services.now(),
        text_bytes_max=settings.text_bytes_max,
        data=DataLimits(settings.data_bytes_max, settings.json_depth_max),
    )


_PREFERENCES = frozenset(
    {"handling=lenient", "handling=strict", "return=representation", "return=minimal"}
)


def _preferences(header: str) -> frozenset[str]:
    """The preferences understood here; others are none of our business.

    Of two with one name the first one counts. Source: RFC 7240, section 2.
    """
    given: dict[str, str] = {}
    for one in header.split(","):
        preference = one.partition(";")[0].replace(" ", "").replace('"', "").lower()
        given.setdefault(preference.partition("=")[0], preference)
    return _PREFERENCES.intersection(given.values())


def _refusal(received: Received) -> MalformedRequest:
    """Names every bad event by index and field."""
    alone = received.alone
    fields = [
        FieldError(field=one.field if alone else f"/{index}{one.field}", message=one.reason)
        for index, one in enumerate(received.events)
        if isinstance(one, Rejected)
    ]
    reasons = [f'Error at "{one.field}": {one.message}' for one in fields[:REASONS_MAX]]
    if len(fields) > REASONS_MAX:
        reasons.append(f"and {len(fields) - REASONS_MAX} more")
    return MalformedRequest("request body has an error: " + "; ".join(reasons), fields)


def _result(decoded: list[Decoded], new: Sequence[bool]) -> dict[str, Any]:
    stored = iter(new)
    results: list[dict[str, Any]] = []
    for index, one in enumerate(decoded):
        result: dict[str, Any] = {"index": index, "id": one.id, "source": one.source}
        if isinstance(one, Rejected):
            result |= {"status": "rejected", "reason": one.reason, "field": one.field}
        else:
            result["status"] = "accepted" if next(stored) else "duplicate"
        results.append(result)
    counts = {
        status: sum(result["status"] == status for result in results)
        for status in ("accepted", "duplicate", "rejected")
    }
    return {**counts, "results": results}
