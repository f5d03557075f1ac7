"""`/togai/customers`: customers, who own accounts. They are those of every other API."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.togai.customer_shapes import (
    TogaiCustomer,
    TogaiCustomerCreate,
    TogaiCustomerCreated,
    TogaiCustomers,
    TogaiCustomerUpdate,
    account_from_wire,
    address_from_wire,
    created_to_wire,
    customer_to_wire,
)
from monometer.api.togai.errors import documented
from monometer.api.togai.wire import (
    PREFIX,
    NextToken,
    PageSize,
    TogaiSuccess,
    offset_of,
    page_to_wire,
    size_of,
)
from monometer.api.wire import Text, json_response
from monometer.services.customers import CustomerDetails, details_of
from monometer.store.customer_search import CustomerSearch

router = APIRouter(prefix=f"{PREFIX}/customers", tags=["Togai Customers"])

CustomerId = Annotated[Text, Path(min_length=1, description="Its id, or native id.")]


@router.post(
    "",
    operation_id="togaiCreateCustomer",
    summary="Create a customer",
    status_code=HTTPStatus.CREATED,
    response_model=TogaiCustomerCreated,
    responses=documented(),
)
async def create_customer(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[TogaiCustomerCreate, Body()]
) -> Response:
    """With an account, where one is given: both are made, or neither."""
    details = CustomerDetails(
        name=body.name,
        key=body.id,
        primary_email=body.primaryEmail,
        billing_address=address_from_wire(body.address),
    )
    account = None if body.account is None else account_from_wire(body.account)
    customer, owned = await services.accounts.create_customer(namespace, details, account)
    return json_response(created_to_wire(customer, owned), HTTPStatus.CREATED)


@router.get(
    "",
    operation_id="togaiListCustomers",
    summary="List customers",
    response_model=TogaiCustomers,
    responses=documented(),
)
async def list_customers(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    nextToken: NextToken = None,
    pageSize: PageSize = None,
) -> Response:
    """Last updated first."""
    offset, size = offset_of(nextToken), size_of(pageSize)
    page = await services.owners.search(
        namespace, CustomerSearch(), order=[("updated_at", True)], offset=offset, limit=size
    )
    items = [customer_to_wire(one) for one in page.items]
    return json_response(page_to_wire(items, page.total, offset, size))


@router.get(
    "/{id:any}",
    operation_id="togaiGetCustomer",
    summary="Get a customer",
    response_model=TogaiCustomer,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_customer(services: ServicesOf, namespace: NamespaceOf, id: CustomerId) -> Response:
    customer = await services.customers.live_customer(namespace, id)
    return json_response(customer_to_wire(customer))


@router.patch(
    "/{id:any}",
    operation_id="togaiUpdateCustomer",
    summary="Change a customer",
    response_model=TogaiCustomer,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def update_customer(
    services: ServicesOf,
    namespace: NamespaceOf,
    id: CustomerId,
    body: Annotated[TogaiCustomerUpdate, Body()],
) -> Response:
    one = await services.customers.live_customer(namespace, id)
    address = one.billing_address if body.address is None else address_from_wire(body.address)
    details = replace(
        details_of(one),
        name=body.name or one.name,
        primary_email=one.primary_email if body.primaryEmail is None else body.primaryEmail,
        billing_address=address,
    )
    changed = await services.customers.update(namespace, one.id, details)
    return json_response(customer_to_wire(changed))


@router.delete(
    "/{id:any}",
    operation_id="togaiDeleteCustomer",
    summary="Delete a customer",
    response_model=TogaiSuccess,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_customer(services: ServicesOf, namespace: NamespaceOf, id: CustomerId) -> Response:
    """With its accounts. Not while it has entitlements; its events stay."""
    await services.accounts.delete_customer(namespace, id)
    return json_response({"success": True})
