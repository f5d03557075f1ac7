"""`/api/v1/customers/{customerIdOrKey}/access`: all that a customer has access to, at once."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.balance_shapes import (
    CustomerAccess,
    EntitlementValue,
    access_to_wire,
    value_to_wire,
)
from monometer.api.openmeter.customers import CustomerIdOrKey
from monometer.api.openmeter.entitlement_parameters import Time
from monometer.api.problems import documented
from monometer.api.wire import STORABLE, json_response

router = APIRouter(prefix="/api/v1/customers/{customerIdOrKey:any}", tags=["Entitlements"])

_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)


@router.get(
    "/access",
    operation_id="getCustomerAccess",
    summary="Get all that a customer has access to",
    response_model=CustomerAccess,
    responses=documented(*_NOT_THERE),
)
async def get_customer_access(
    services: ServicesOf, namespace: NamespaceOf, customerIdOrKey: CustomerIdOrKey
) -> Response:
    """The value of every active entitlement."""
    return json_response(access_to_wire(await services.balances.access(namespace, customerIdOrKey)))


@router.get(
    "/entitlements/{featureKey}/value",
    operation_id="getCustomerEntitlementValue",
    summary="Get the value of a customer's entitlement by feature",
    response_model=EntitlementValue,
    responses=documented(*_NOT_THERE),
)
async def get_customer_entitlement_value(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    featureKey: Annotated[str, STORABLE, Path(examples=["gpt4_tokens"])],
    time: Time = None,
) -> Response:
    """Without such an entitlement there is no access, and that is all."""
    value = await services.balances.customer_value(namespace, customerIdOrKey, featureKey, time)
    return json_response(value_to_wire(value))
