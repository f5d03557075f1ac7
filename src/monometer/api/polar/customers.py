"""`/v1/customers`: customers by their UUID or by the id that their application gave them."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response

from monometer.api.deps import NamespaceOf, Services, ServicesOf
from monometer.api.polar.customer_shapes import (
    CustomerSortProperty,
    ExternalIdInPath,
    PolarCustomer,
    PolarCustomerCreate,
    PolarCustomerPage,
    PolarCustomerUpdate,
    address_from_wire,
    customer_to_wire,
    is_unnamed,
)
from monometer.api.polar.errors import documented
from monometer.api.polar.meters import ensure_ours, order_of
from monometer.api.polar.wire import (
    METADATA_PARAMETER,
    Id,
    Ids,
    Limit,
    PageNumber,
    capped,
    metadata_filter,
    offset_of,
    ours,
    page_to_wire,
)
from monometer.api.wire import Text, json_response
from monometer.core.customer import Customer as StoredCustomer
from monometer.core.errors import Conflict, FieldError, InvalidInput, NotFound
from monometer.services.customers import CustomerDetails, details_of
from monometer.store.customer_search import CustomerSearch

router = APIRouter(prefix="/v1/customers", tags=["Polar Customers"])


@router.get(
    "",
    operation_id="polarListCustomers",
    summary="List customers",
    response_model=PolarCustomerPage,
    responses=documented(),
    openapi_extra=METADATA_PARAMETER,
)
async def list_customers(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    organization_id: Ids = None,
    email: Annotated[Text | None, Query(description="The whole address.")] = None,
    query: Annotated[Text | None, Query(description="A part of name, address or id.")] = None,
    page: PageNumber = 1,
    limit: Limit = 10,
    sorting: Annotated[list[CustomerSortProperty] | None, Query()] = None,
) -> Response:
    if not ours(organization_id, namespace):
        return json_response(page_to_wire([], 0, limit))
    order = order_of(sorting or [CustomerSortProperty.CREATED_AT_DOWN])
    found = await services.owners.search(
        namespace,
        CustomerSearch(text=query, primary_email=email, metadata=metadata_filter(request)),
        order=[("primary_email" if name == "email" else name, down) for name, down in order],
        offset=offset_of(page, limit),
        limit=capped(limit),
    )
    items = [customer_to_wire(one) for one in found.items]
    return json_response(page_to_wire(items, found.total, limit))


@router.post(
    "",
    operation_id="polarCreateCustomer",
    summary="Create a customer",
    status_code=HTTPStatus.CREATED,
    response_model=PolarCustomer,
    responses=documented(),
)
async def create_customer(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[PolarCustomerCreate, Body()]
) -> Response:
    ensure_ours(body.organization_id, namespace)
    details = CustomerDetails(
        name=body.name or body.email,
        key=body.external_id,
        # Somebody's usage must be called something: what nobody else is called.
        subject_keys=() if body.external_id else (services.new_id(),),
        primary_email=body.email,
        billing_address=address_from_wire(body.billing_address),
        metadata=body.metadata,
    )
    try:
        customer = await services.customers.create(namespace, details)
    except Conflict as error:
        raise _taken(error) from None
    return json_response(customer_to_wire(customer), HTTPStatus.CREATED)


@router.get(
    "/external/{external_id:path}",
    operation_id="polarGetCustomerExternal",
    summary="Get a customer by its external id",
    response_model=PolarCustomer,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_external_customer(
    services: ServicesOf, namespace: NamespaceOf, external_id: ExternalIdInPath
) -> Response:
    return json_response(customer_to_wire(await by_external_id(services, namespace, external_id)))


@router.patch(
    "/external/{external_id:path}",
    operation_id="polarUpdateCustomerExternal",
    summary="Update a customer by its external id",
    response_model=PolarCustomer,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def update_external_customer(
    services: ServicesOf,
    namespace: NamespaceOf,
    external_id: ExternalIdInPath,
    body: Annotated[PolarCustomerUpdate, Body()],
) -> Response:
    customer = await by_external_id(services, namespace, external_id)
    return json_response(await _updated(services, customer, body))


@router.delete(
    "/external/{external_id:path}",
    operation_id="polarDeleteCustomerExternal",
    summary="Delete a customer by its external id",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_external_customer(
    services: ServicesOf, namespace: NamespaceOf, external_id: ExternalIdInPath
) -> Response:
    customer = await by_external_id(services, namespace, external_id)
    await services.customers.delete(namespace, customer.id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/{id}",
    operation_id="polarGetCustomer",
    summary="Get a customer",
    response_model=PolarCustomer,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_customer(services: ServicesOf, namespace: NamespaceOf, id: Id) -> Response:
    return json_response(customer_to_wire(await customer_of(services, namespace, id)))


@router.patch(
    "/{id}",
    operation_id="polarUpdateCustomer",
    summary="Update a customer",
    response_model=PolarCustomer,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def update_customer(
    services: ServicesOf,
    namespace: NamespaceOf,
    id: Id,
    body: Annotated[PolarCustomerUpdate, Body()],
) -> Response:
    customer = await customer_of(services, namespace, id)
    return json_response(await _updated(services, customer, body))


@router.delete(
    "/{id}",
    operation_id="polarDeleteCustomer",
    summary="Delete a customer",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_customer(services: ServicesOf, namespace: NamespaceOf, id: Id) -> Response:
    """Its external id becomes free; its events stay."""
    customer = await customer_of(services, namespace, id)
    await services.customers.delete(namespace, customer.id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def customer_of(services: Services, namespace: str, id: UUID) -> StoredCustomer:
    """Raises NotFound, also for a deleted customer."""
    found = await services.owners.of_uuids(namespace, [id])
    if id not in found:
        raise NotFound(f"customer not found: {id}")
    return found[id]


async def by_external_id(services: Services, namespace: str, external_id: str) -> StoredCustomer:
    """Raises NotFound."""
    found = await services.customers.customer(namespace, external_id)
    if found.key != external_id or found.deleted_at is not None:
        raise NotFound(f"customer not found: {external_id}")
    return found


async def _updated(
    services: Services, customer: StoredCustomer, body: PolarCustomerUpdate
) -> dict[str, Any]:
    given = body.model_fields_set
    address = address_from_wire(body.billing_address)
    details = replace(
        details_of(customer),
        name=body.name or (body.email or customer.name if is_unnamed(customer) else customer.name),
        key=body.external_id or customer.key,
        primary_email=body.email or customer.primary_email,
        billing_address=address if "billing_address" in given else customer.billing_address,
        metadata=customer.metadata if body.metadata is None else body.metadata,
    )
    try:
        changed = await services.customers.update(customer.namespace, customer.id, details)
    except Conflict as error:
        raise _taken(error) from None
    return customer_to_wire(changed)


def _taken(error: Conflict) -> InvalidInput:
    return InvalidInput(error.message, [FieldError(field="/external_id", message=error.message)])
