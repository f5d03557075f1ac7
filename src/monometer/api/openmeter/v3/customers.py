"""`/api/v3/openmeter/customers`: create, read, replace and delete customers."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.filters import ULID_PATTERN
from monometer.api.openmeter.v3.customer_shapes import (
    BillingCustomer,
    CreateCustomerRequest,
    CustomerPagePaginatedResponse,
    ListCustomersParamsFilter,
    UpsertCustomerRequest,
    customer_details_from_wire,
    customer_to_wire,
)
from monometer.api.openmeter.v3.deep_objects import deep_object, deep_object_document
from monometer.api.openmeter.v3.errors import documented
from monometer.api.openmeter.v3.filters import predicate_of
from monometer.api.openmeter.v3.paging import BY_NUMBER, numbered_page_of, page_to_wire
from monometer.api.openmeter.v3.parameters import about_topics
from monometer.api.openmeter.v3.sorting import order_from_wire, sort_pattern
from monometer.api.wire import json_response
from monometer.core.expression import Member
from monometer.store.customers import SUBJECT_KEY

router = APIRouter(prefix="/api/v3/openmeter/customers", tags=["Customers v3"])

CustomerId = Annotated[
    str,
    Path(
        pattern=ULID_PATTERN,
        description="Of any customer, a deleted one too.",
        examples=["01KDV7B0000000000000000000"],
    ),
]

_SORTS = ("id", "name", "created_at", "updated_at")
_TOPICS = {
    "invalid currency": "currency",
    "subject keys are ids of subjects": "usage_attribution.subject_keys",
}


@router.post(
    "",
    operation_id="create-customer",
    summary="Create a customer (v3)",
    status_code=HTTPStatus.CREATED,
    response_model=BillingCustomer,
    responses=documented(HTTPStatus.CONFLICT),
)
async def create_customer(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[CreateCustomerRequest, Body()]
) -> Response:
    """Usage of its subjects that is stored already is the customer's, too."""
    with about_topics(_TOPICS):
        customer = await services.customers.create(namespace, customer_details_from_wire(body))
    return json_response(customer_to_wire(customer), HTTPStatus.CREATED)


@router.get(
    "",
    operation_id="list-customers",
    summary="List customers, page by page (v3)",
    response_model=CustomerPagePaginatedResponse,
    responses=documented(),
    openapi_extra={
        "parameters": [
            BY_NUMBER,
            deep_object_document(
                "filter",
                ListCustomersParamsFilter,
                "`filter[key]=x` or `filter[name][contains]=x`.",
                {"key": "acme"},
            ),
        ]
    },
)
async def list_customers(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    sort: Annotated[
        str, Query(pattern=sort_pattern(_SORTS), description="A member, and `asc` or `desc`.")
    ] = "name",
) -> Response:
    """Live customers."""
    asked = numbered_page_of(request)
    wanted = deep_object(request, "filter", ListCustomersParamsFilter)
    order = order_from_wire(sort)
    found = await services.customers.page_of_customers(
        namespace,
        where=predicate_of(
            {
                Member("key"): wanted.key,
                Member("name"): wanted.name,
                Member("primary_email"): wanted.primary_email,
                SUBJECT_KEY: wanted.usage_attribution_subject_key,
                Member("plan_key"): wanted.plan_key,
                Member("billing_profile_id"): wanted.billing_profile_id,
            }
        ),
        order_by=order.by,
        descending=order.descending,
        offset=asked.offset,
        limit=asked.size,
    )
    return json_response(page_to_wire(asked, found, customer_to_wire))


@router.get(
    "/{customerId}",
    operation_id="get-customer",
    summary="Get a customer (v3)",
    response_model=BillingCustomer,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_customer(
    services: ServicesOf, namespace: NamespaceOf, customerId: CustomerId
) -> Response:
    customer = await services.customers.customer(namespace, customerId.upper())
    return json_response(customer_to_wire(customer))


@router.put(
    "/{customerId}",
    operation_id="upsert-customer",
    summary="Replace a customer (v3)",
    response_model=BillingCustomer,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE),
)
async def upsert_customer(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerId: CustomerId,
    body: Annotated[UpsertCustomerRequest, Body()],
) -> Response:
    """Its key stays. Usage moves along with the subjects, also that of the past."""
    details = customer_details_from_wire(body)
    with about_topics(_TOPICS):
        customer = await services.customers.update(
            namespace, customerId.upper(), details, keep_key=True
        )
    return json_response(customer_to_wire(customer))


@router.delete(
    "/{customerId}",
    operation_id="delete-customer",
    summary="Delete a customer (v3)",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.GONE),
)
async def delete_customer(
    services: ServicesOf, namespace: NamespaceOf, customerId: CustomerId
) -> Response:
    """Its key and subjects become free, events stay; by id it can still be read."""
    await services.customers.delete(namespace, customerId.upper())
    return Response(status_code=HTTPStatus.NO_CONTENT)
