"""`/v1/customer-meters`, and the state of a customer: what meters have counted for whom."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import UUID4, BaseModel

from monometer.api.deps import NamespaceOf, Services, ServicesOf
from monometer.api.polar.customer_shapes import (
    ExternalIdInPath,
    PolarCustomer,
    customer_to_wire,
)
from monometer.api.polar.customers import by_external_id, customer_of
from monometer.api.polar.errors import documented
from monometer.api.polar.filters import SAYABLE
from monometer.api.polar.meters import PolarMeter, meter_to_wire, order_of
from monometer.api.polar.wire import (
    Id,
    Ids,
    Limit,
    PageNumber,
    Pagination,
    capped,
    offset_of,
    ours,
    page_to_wire,
    time_to_wire,
)
from monometer.api.wire import Text, json_response, number_to_wire
from monometer.core.customer import Customer
from monometer.core.errors import NotFound
from monometer.core.meter import Meter
from monometer.core.uuids import paired, uuid_of_id
from monometer.services.people import CustomerUsage
from monometer.store.meters import LIST_MAX, MeterFilter

router = APIRouter(tags=["Polar Customers"])


class CustomerMeterSortProperty(StrEnum):
    CREATED_AT = "created_at"
    CREATED_AT_DOWN = "-created_at"
    MODIFIED_AT = "modified_at"
    MODIFIED_AT_DOWN = "-modified_at"
    CUSTOMER_ID = "customer_id"
    CUSTOMER_ID_DOWN = "-customer_id"
    CUSTOMER_NAME = "customer_name"
    CUSTOMER_NAME_DOWN = "-customer_name"
    METER_ID = "meter_id"
    METER_ID_DOWN = "-meter_id"
    METER_NAME = "meter_name"
    METER_NAME_DOWN = "-meter_name"
    CONSUMED_UNITS = "consumed_units"
    CONSUMED_UNITS_DOWN = "-consumed_units"
    CREDITED_UNITS = "credited_units"
    CREDITED_UNITS_DOWN = "-credited_units"
    BALANCE = "balance"
    BALANCE_DOWN = "-balance"


_SORTS: Mapping[str, Callable[[CustomerUsage], Any]] = {
    "created_at": lambda one: one.row.period.start,
    "modified_at": lambda one: one.row.period.end,
    "customer_id": lambda one: str(uuid_of_id(one.customer.id)),
    "customer_name": lambda one: one.customer.name,
    "meter_id": lambda one: str(uuid_of_id(one.meter.id)),
    "meter_name": lambda one: one.meter.name,
    "consumed_units": lambda one: one.row.value,
    "credited_units": lambda _: 0,
    "balance": lambda one: -one.row.value,
}


class CustomerStateMeter(BaseModel):
    id: str
    created_at: str
    modified_at: str | None
    meter_id: str
    consumed_units: float
    credited_units: int
    balance: float


class PolarCustomerMeter(CustomerStateMeter):
    customer_id: str
    customer: PolarCustomer
    meter: PolarMeter


class PolarCustomerMeterPage(BaseModel):
    items: list[PolarCustomerMeter]
    pagination: Pagination


class PolarCustomerState(PolarCustomer):
    active_subscriptions: list[dict[str, Any]]
    granted_benefits: list[dict[str, Any]]
    active_meters: list[CustomerStateMeter]


@router.get(
    "/v1/customer-meters",
    operation_id="polarListCustomerMeters",
    summary="List what meters have counted for customers",
    response_model=PolarCustomerMeterPage,
    responses=documented(),
)
async def list_customer_meters(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    organization_id: Ids = None,
    customer_id: Ids = None,
    external_customer_id: Annotated[list[Text] | None, Query()] = None,
    meter_id: Ids = None,
    page: PageNumber = 1,
    limit: Limit = 10,
    sorting: Annotated[list[CustomerMeterSortProperty] | None, Query()] = None,
) -> Response:
    """One item for each meter and each customer who has an event of it. There are no credits."""
    if not ours(organization_id, namespace):
        return json_response(page_to_wire([], 0, limit))
    subjects = None
    if customer_id or external_customer_id:
        subjects = await services.owners.subjects_of(
            namespace, customer_id or (), external_customer_id or ()
        )
    meters = await _meters(services, namespace, meter_id)
    found = await services.people.of_customers(meters, subjects)
    for name, down in reversed(order_of(sorting or [CustomerMeterSortProperty.MODIFIED_AT_DOWN])):
        found.sort(key=_SORTS[name], reverse=down)
    start = offset_of(page, limit)
    items = [customer_meter_to_wire(one) for one in found[start : start + capped(limit)]]
    return json_response(page_to_wire(items, len(found), limit))


@router.get(
    "/v1/customer-meters/{id}",
    operation_id="polarGetCustomerMeter",
    summary="Get what a meter has counted for a customer",
    response_model=PolarCustomerMeter,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_customer_meter(services: ServicesOf, namespace: NamespaceOf, id: Id) -> Response:
    meters = await _all_meters(services, namespace, archived=None)
    by_customer = {paired(id, uuid_of_id(meter.id)): meter for meter in meters}
    for uuid in await services.owners.of_uuids(namespace, by_customer.keys()):
        subjects = await services.owners.subjects_of(namespace, [uuid], ())
        for one in await services.people.of_customers([by_customer[uuid]], subjects):
            return json_response(customer_meter_to_wire(one))
    raise NotFound(f"customer meter not found: {id}")


@router.get(
    "/v1/customers/{id}/state",
    operation_id="polarGetCustomerState",
    summary="Get a customer with its meters",
    response_model=PolarCustomerState,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_state(services: ServicesOf, namespace: NamespaceOf, id: Id) -> Response:
    return json_response(await _state(services, await customer_of(services, namespace, id)))


@router.get(
    "/v1/customers/external/{external_id:path}/state",
    operation_id="polarGetCustomerStateExternal",
    summary="Get a customer with its meters by its external id",
    response_model=PolarCustomerState,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_external_state(
    services: ServicesOf, namespace: NamespaceOf, external_id: ExternalIdInPath
) -> Response:
    customer = await by_external_id(services, namespace, external_id)
    return json_response(await _state(services, customer))


async def _state(services: Services, customer: Customer) -> dict[str, Any]:
    uuid = uuid_of_id(customer.id)
    subjects = await services.owners.subjects_of(customer.namespace, [uuid], ())
    meters = await _all_meters(services, customer.namespace, archived=False)
    counted = await services.people.of_customers(meters, subjects)
    return {
        **customer_to_wire(customer),
        "active_subscriptions": [],
        "granted_benefits": [],
        "active_meters": [state_meter_to_wire(one) for one in counted],
    }


async def _meters(
    services: Services, namespace: str, ids: Sequence[UUID4] | None
) -> Sequence[Meter]:
    """Archived ones when they are asked for by id."""
    meters = await _all_meters(services, namespace, archived=None if ids else False)
    return [one for one in meters if not ids or uuid_of_id(one.id) in ids]


async def _all_meters(
    services: Services, namespace: str, *, archived: bool | None
) -> Sequence[Meter]:
    wanted = MeterFilter(archived=archived, aggregations=SAYABLE)
    found = await services.catalog.search_meters(
        namespace, wanted, order=[("name", False)], offset=0, limit=LIST_MAX
    )
    return found.items


def state_meter_to_wire(one: CustomerUsage) -> dict[str, Any]:
    """It exists from its first event on, to the minute, and changes with each further one."""
    meter_id, customer_id = uuid_of_id(one.meter.id), uuid_of_id(one.customer.id)
    first, last = one.row.period
    return {
        "id": str(paired(customer_id, meter_id)),
        "created_at": time_to_wire(first),
        "modified_at": time_to_wire(last),
        "meter_id": str(meter_id),
        "consumed_units": number_to_wire(one.row.value),
        "credited_units": 0,
        "balance": number_to_wire(-one.row.value),
    }


def customer_meter_to_wire(one: CustomerUsage) -> dict[str, Any]:
    return {
        **state_meter_to_wire(one),
        "customer_id": str(uuid_of_id(one.customer.id)),
        "customer": customer_to_wire(one.customer),
        "meter": meter_to_wire(one.meter),
    }
