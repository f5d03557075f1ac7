"""`POST /togai/entitled`: an event that is ingested if its account is entitled."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from monometer.api.bodies import whole_body
from monometer.api.deps import namespace_of, services_of
from monometer.api.metrics import ACCEPTED, DUPLICATE
from monometer.api.togai.errors import documented
from monometer.api.togai.event_bodies import event_from_wire
from monometer.api.togai.ingest import EXAMPLE, body_of, limits_of
from monometer.api.togai.wire import PREFIX, TogaiSuccess
from monometer.api.wire import json_response

router = APIRouter(prefix=PREFIX, tags=["Togai Entitlements"])


@router.post(
    "/entitled",
    operation_id="togaiIngestEntitled",
    summary="Ingest an event if its account is entitled",
    response_model=TogaiSuccess,
    responses=documented(HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    openapi_extra=body_of("TogaiIngest", {"event": EXAMPLE}),
)
async def ingest_entitled(request: Request) -> Response:
    """Decided and stored in one step: a hard limit is never exceeded, however many ask at once.

    The event consumes of the one metered entitlement that counts it. 403 where there is none, or
    too little is left. Sent again, it is answered as at first and consumes nothing.
    """
    services, body = services_of(request), await whole_body(request)
    sent = event_from_wire(body, limits_of(services))
    decision = await services.entitled_events.ingest(namespace_of(request), sent, len(body))
    (DUPLICATE if decision.duplicate else ACCEPTED).inc()
    return json_response({"success": True})
