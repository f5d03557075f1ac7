"""`/api/v1/customers`: create, read, replace and delete customers."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.customer_shapes import (
    Customer,
    CustomerCreate,
    CustomerExpand,
    CustomerOrderBy,
    CustomerPaginatedResponse,
    CustomerReplaceUpdate,
    customer_details_from_wire,
    customer_to_wire,
)
from monometer.api.openmeter.meter_shapes import SortOrder
from monometer.api.problems import documented
from monometer.api.wire import STORABLE, Text, json_response
from monometer.core.customer import KEY_CHARS_MAX
from monometer.core.customer import Customer as StoredCustomer
from monometer.store.customers import CustomerFilter

router = APIRouter(prefix="/api/v1/customers", tags=["Customers"])

PAGE_MAX = 1_000_000
PAGE_SIZE_MAX = 1_000

CustomerIdOrKey = Annotated[
    str,
    Path(
        min_length=1,
        max_length=KEY_CHARS_MAX,
        description="Key of a live customer, or id of any customer, a deleted one too.",
        examples=["acme"],
    ),
    STORABLE,
]
_Expand = Annotated[
    list[CustomerExpand] | None, Query(description="Accepted: there are no subscriptions.")
]
_Part = Annotated[Text | None, Query(description="Part of it, in any case of ASCII letters.")]
# A key may hold slashes: `%2F` is decoded before a route is found.
_ONE = "/{customerIdOrKey:any}"

_COLUMNS = {
    CustomerOrderBy.ID: "id",
    CustomerOrderBy.NAME: "name",
    CustomerOrderBy.CREATED_AT: "created_at",
}


@router.get(
    "",
    operation_id="listCustomers",
    summary="List customers",
    response_model=CustomerPaginatedResponse,
    responses=documented(),
)
async def list_customers(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    page: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 1,
    pageSize: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 100,
    order: Annotated[SortOrder, Query()] = SortOrder.ASC,
    orderBy: Annotated[CustomerOrderBy, Query()] = CustomerOrderBy.NAME,
    includeDeleted: Annotated[bool, Query()] = False,
    key: _Part = None,
    name: _Part = None,
    primaryEmail: _Part = None,
    subject: _Part = None,
    planKey: Annotated[Text | None, Query(description="Takes nobody: there are no plans.")] = None,
    expand: _Expand = None,  # noqa: ARG001 - the wire's name
) -> Response:
    """A page of those that fulfil every condition."""
    found: tuple[int, list[StoredCustomer]] = (0, [])
    if planKey is None:
        found = await services.customers.customers(
            namespace,
            CustomerFilter(
                key=key,
                name=name,
                primary_email=primaryEmail,
                subject=subject,
                include_deleted=includeDeleted,
            ),
            order_by=_COLUMNS[orderBy],
            descending=order is SortOrder.DESC,
            offset=(page - 1) * pageSize,
            limit=pageSize,
        )
    total, customers = found
    items = [customer_to_wire(one) for one in customers]
    return json_response({"totalCount": total, "page": page, "pageSize": pageSize, "items": items})


@router.post(
    "",
    operation_id="createCustomer",
    summary="Create a customer",
    status_code=HTTPStatus.CREATED,
    response_model=Customer,
    responses=documented(HTTPStatus.CONFLICT),
)
async def create_customer(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[CustomerCreate, Body()]
) -> Response:
    """Usage of its subjects that is stored already is the customer's, too."""
    customer = await services.customers.create(namespace, customer_details_from_wire(body))
    return json_response(customer_to_wire(customer), HTTPStatus.CREATED)


@router.get(
    _ONE,
    operation_id="getCustomer",
    summary="Get a customer",
    response_model=Customer,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_customer(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    expand: _Expand = None,  # noqa: ARG001 - the wire's name
) -> Response:
    customer = await services.customers.customer(namespace, customerIdOrKey)
    return json_response(customer_to_wire(customer))


@router.put(
    _ONE,
    operation_id="updateCustomer",
    summary="Replace a customer",
    response_model=Customer,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED),
)
async def update_customer(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    body: Annotated[CustomerReplaceUpdate, Body()],
) -> Response:
    """Usage moves along with the subjects, also that of the past."""
    details = customer_details_from_wire(body)
    customer = await services.customers.update(namespace, customerIdOrKey, details)
    return json_response(customer_to_wire(customer))


@router.delete(
    _ONE,
    operation_id="deleteCustomer",
    summary="Delete a customer",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED),
)
async def delete_customer(
    services: ServicesOf, namespace: NamespaceOf, customerIdOrKey: CustomerIdOrKey
) -> Response:
    """Its key and subjects become free, events stay; by id it can still be read."""
    await services.customers.delete(namespace, customerIdOrKey)
    return Response(status_code=HTTPStatus.NO_CONTENT)
