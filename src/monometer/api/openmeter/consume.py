"""`…/entitlements/{featureKey}/consume`: check and consume in one step. Our own extension."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from monometer.api.bodies import whole_body
from monometer.api.deps import namespace_of, services_of
from monometer.api.metrics import ACCEPTED, DUPLICATE
from monometer.api.openmeter.consumption_shapes import (
    CONSUME_REQUEST,
    ConsumptionResult,
    decision_to_wire,
    new_consumption_from_wire,
)
from monometer.api.openmeter.customers import CustomerIdOrKey
from monometer.api.openmeter.entitlement_parameters import (
    OF_CUSTOMER_V1,
    OF_SUBJECT,
    EntitlementId,
    SubjectIdOrKey,
)
from monometer.api.openmeter.ingest import reception_of
from monometer.api.problems import MalformedRequest, documented
from monometer.api.wire import headers_of, json_response
from monometer.services.consuming import Address
from monometer.store.owners import OfCustomer, OfSubject, OwnerRef

router = APIRouter(tags=["Entitlements"])

MEDIA_TYPES = frozenset({"", "application/json", "application/cloudevents+json"})
_ONE = "/{entitlementIdOrFeatureKey}/consume"
_REFUSALS = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


@router.post(
    OF_SUBJECT + _ONE,
    operation_id="consumeEntitlement",
    summary="Check an entitlement of a subject and consume of it",
    response_model=ConsumptionResult,
    openapi_extra=CONSUME_REQUEST,
    responses=documented(*_REFUSALS),
)
async def consume_of_subject(
    request: Request, subjectIdOrKey: SubjectIdOrKey, entitlementIdOrFeatureKey: EntitlementId
) -> Response:
    """Decide whether the amount may be used, and store the event if so, in one transaction.

    A hard limit is never exceeded, however many ask at once. Asked again with the same source and
    id, the first answer to an event that was allowed is told again; one that was not is decided
    anew.
    """
    return await _consume(request, OfSubject(subjectIdOrKey), entitlementIdOrFeatureKey)


@router.post(
    OF_CUSTOMER_V1 + _ONE,
    operation_id="consumeCustomerEntitlement",
    summary="Check an entitlement of a customer and consume of it",
    response_model=ConsumptionResult,
    openapi_extra=CONSUME_REQUEST,
    responses=documented(*_REFUSALS, HTTPStatus.PRECONDITION_FAILED),
)
async def consume_of_customer(
    request: Request, customerIdOrKey: CustomerIdOrKey, entitlementIdOrFeatureKey: EntitlementId
) -> Response:
    """As for a subject."""
    return await _consume(request, OfCustomer(customerIdOrKey), entitlementIdOrFeatureKey)


async def _consume(request: Request, ref: OwnerRef, id_or_key: str) -> Response:
    services, namespace = services_of(request), namespace_of(request)
    content_type = headers_of(request.scope).get("content-type", "")
    if content_type.partition(";")[0].strip().lower() not in MEDIA_TYPES:
        raise MalformedRequest(f"invalid content type: {content_type}")
    body = await whole_body(request)
    if not body.strip():
        raise MalformedRequest("request body has an error: value is required but missing")
    new = new_consumption_from_wire(body, reception_of(services, namespace))
    decision = await services.consuming.consume(Address(namespace, ref, id_or_key), new, len(body))
    if decision.allowed and not new.dry_run:
        (DUPLICATE if decision.duplicate else ACCEPTED).inc()
    return json_response(decision_to_wire(decision))
