"""`.../entitlements/{entitlementIdOrFeatureKey}/grants` of customers, and `/api/v2/grants`."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.customers import CustomerIdOrKey
from monometer.api.openmeter.entitlement_parameters import OF_CUSTOMER, EntitlementId, Features
from monometer.api.openmeter.grant_shapes import (
    GRANT_COLUMNS,
    EntitlementGrantCreateInputV2,
    EntitlementGrantV2,
    GrantOrderBy,
    GrantV2PaginatedResponse,
    grant_to_wire_v2,
    new_grant_from_wire_v2,
)
from monometer.api.openmeter.meter_shapes import SortOrder
from monometer.api.paging import PageOrPartOf, PartOf, page_to_wire
from monometer.api.problems import documented
from monometer.api.wire import ExactRoute, Text, json_response
from monometer.services.finding import CustomersWhoExist, Owners
from monometer.store.owners import OfCustomer

router = APIRouter(tags=["Entitlements"], route_class=ExactRoute)

_OF_ONE = OF_CUSTOMER + "/{entitlementIdOrFeatureKey}/grants"
_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)


@router.post(
    _OF_ONE,
    operation_id="createCustomerEntitlementGrantV2",
    summary="Create a grant of a customer's entitlement",
    status_code=HTTPStatus.CREATED,
    response_model=EntitlementGrantV2,
    responses=documented(*_NOT_THERE, HTTPStatus.CONFLICT),
)
async def create(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    body: Annotated[EntitlementGrantCreateInputV2, Body()],
) -> Response:
    """Credit for a metered entitlement. It may begin in the current usage period or later."""
    new = new_grant_from_wire_v2(body)
    made = await services.grants.create(
        namespace, OfCustomer(customerIdOrKey), entitlementIdOrFeatureKey, new
    )
    return json_response(grant_to_wire_v2(made, services.now()), HTTPStatus.CREATED)


@router.get(
    _OF_ONE,
    operation_id="listCustomerEntitlementGrantsV2",
    summary="List the grants of a customer's entitlement",
    response_model=GrantV2PaginatedResponse,
    responses=documented(*_NOT_THERE),
)
async def list_of_entitlement(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    part: PageOrPartOf,
    *,
    includeDeleted: Annotated[bool, Query(description="Accepted and not used.")] = False,  # noqa: ARG001
    order: Annotated[SortOrder, Query()] = SortOrder.ASC,
    orderBy: Annotated[GrantOrderBy, Query()] = GrantOrderBy.CREATED_AT,
) -> Response:
    """Voided and expired ones too. In pages, unless `limit` or `offset` alone is given."""
    found = await services.grants.of_entitlement(
        namespace, OfCustomer(customerIdOrKey), entitlementIdOrFeatureKey,
        order_by=GRANT_COLUMNS[orderBy], descending=order is SortOrder.DESC,
        offset=part.offset, limit=part.limit,
    )  # fmt: skip
    now = services.now()
    return json_response(page_to_wire(part, found, lambda one: grant_to_wire_v2(one, now)))


@router.get(
    "/api/v2/grants",
    operation_id="listGrantsV2",
    summary="List the grants of customers",
    response_model=GrantV2PaginatedResponse,
    responses=documented(*_NOT_THERE),
)
async def list_all(
    services: ServicesOf,
    namespace: NamespaceOf,
    part: PartOf,
    *,
    feature: Features = None,
    customer: Annotated[list[Text] | None, Query(description="Ids or keys.")] = None,
    includeDeleted: Annotated[bool, Query(description="Of deleted entitlements too.")] = False,
    order: Annotated[SortOrder, Query()] = SortOrder.ASC,
    orderBy: Annotated[GrantOrderBy | None, Query(description="Left out, by effectiveAt.")] = None,
) -> Response:
    """In pages where `page` or `pageSize` is given. Voided and expired ones too."""
    found = await services.grants.list(
        namespace,
        features=feature or (),
        owners=Owners(only_customers=True) if customer is None else CustomersWhoExist(customer),
        include_deleted=includeDeleted,
        order_by="effective_at" if orderBy is None else GRANT_COLUMNS[orderBy],
        descending=order is SortOrder.DESC,
        offset=part.offset,
        limit=part.limit,
    )
    now = services.now()
    return json_response(page_to_wire(part, found, lambda one: grant_to_wire_v2(one, now)))
