"""What one customer, and what several, have access to now."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.v3.access_shapes import (
    EntitlementAccessQueryRequest,
    EntitlementAccessQueryResponse,
    ListCustomerEntitlementAccessResponseData,
    errors_to_wire,
    held_to_wire,
    results_to_wire,
)
from monometer.api.openmeter.v3.customers import CustomerId
from monometer.api.openmeter.v3.errors import documented
from monometer.api.openmeter.v3.paging import BY_CURSOR, cursor_page_of
from monometer.api.openmeter.v3.parameters import wrong
from monometer.api.wire import json_response
from monometer.core.feature import is_id

router = APIRouter(prefix="/api/v3/openmeter", tags=["Entitlements v3"])


@router.get(
    "/customers/{customerId}/entitlement-access",
    operation_id="list-customer-entitlement-access",
    summary="Get all that a customer has access to (v3)",
    response_model=ListCustomerEntitlementAccessResponseData,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.GONE),
)
async def list_customer_entitlement_access(
    services: ServicesOf, namespace: NamespaceOf, customerId: CustomerId
) -> Response:
    """Every active entitlement. A deleted customer is gone."""
    held = await services.balances.held(namespace, customerId.upper())
    return json_response(held_to_wire(held))


@router.post(
    "/entitlement-access/query",
    operation_id="query-entitlement-access",
    summary="Query what several customers have access to (v3)",
    response_model=EntitlementAccessQueryResponse,
    responses=documented(),
    openapi_extra={"parameters": [BY_CURSOR]},
)
async def query_entitlement_access(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    body: Annotated[EntitlementAccessQueryRequest, Body()],
) -> Response:
    """Customers page by page, by id. A cursor is the id of the last one."""
    asked = cursor_page_of(request)
    if asked.after is not None and not is_id(asked.after):
        raise wrong("page[after]", "is not a cursor of this list", source="query")
    features = None if body.feature is None else body.feature.keys
    found = await services.accesses.page(
        namespace,
        body.customer.keys,
        features_=features,
        after=asked.after and asked.after.upper(),
        limit=asked.size,
    )
    ids = [one.customer.id for one in found.of]
    meta: dict[str, Any] = {
        "size": asked.size,
        "next": ids[-1] if ids and found.more else None,
        "previous": None,
    }
    if ids:
        meta |= {"first": ids[0], "last": ids[-1]}
    return json_response(
        {
            "data": results_to_wire(found, features or ()),
            "errors": errors_to_wire(found, first=asked.after is None),
            "meta": {"page": meta},
        }
    )
