"""`/api/v2/customers/{customerIdOrKey}/entitlements` and `/api/v2/entitlements`."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.balance_shapes import (
    EntitlementValueV2,
    WindowedBalanceHistory,
    history_to_wire,
    value_to_wire_v2,
)
from monometer.api.openmeter.customers import CustomerIdOrKey
from monometer.api.openmeter.entitlement_inputs import (
    ResetEntitlementUsageInput,
    reset_from_wire,
)
from monometer.api.openmeter.entitlement_parameters import (
    OF_CUSTOMER,
    EntitlementId,
    Features,
    From,
    OnlyId,
    Time,
    To,
    Window,
    WindowZone,
)
from monometer.api.openmeter.entitlement_shapes import (
    ENTITLEMENT_COLUMNS,
    EntitlementOrderBy,
    EntitlementType,
)
from monometer.api.openmeter.entitlement_v2_shapes import (
    EntitlementV2,
    EntitlementV2CreateInputs,
    EntitlementV2PaginatedResponse,
    entitlement_to_wire_v2,
    new_entitlement_from_wire_v2,
)
from monometer.api.openmeter.meter_shapes import SortOrder
from monometer.api.paging import PAGE_SIZE_MAX, PageOf, page_to_wire
from monometer.api.problems import documented
from monometer.api.wire import ExactRoute, Text, json_response
from monometer.core import windows
from monometer.services.finding import CustomersWhoExist, Owners
from monometer.store.owners import OfCustomer

router = APIRouter(tags=["Entitlements"], route_class=ExactRoute)

_ONE = OF_CUSTOMER + "/{entitlementIdOrFeatureKey}"
_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)


@router.get(
    f"{_ONE}/value",
    operation_id="getCustomerEntitlementValueV2",
    summary="Get the value of a customer's entitlement",
    response_model=EntitlementValueV2,
    responses=documented(*_NOT_THERE),
)
async def get_value(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    time: Time = None,
) -> Response:
    """Whether there is access, and for a metered one the balance. Every accepted event counts."""
    value = await services.balances.value(
        namespace, OfCustomer(customerIdOrKey), entitlementIdOrFeatureKey, time
    )
    return json_response(value_to_wire_v2(value))


@router.get(
    f"{_ONE}/history",
    operation_id="getCustomerEntitlementHistoryV2",
    summary="Get the history of a customer's metered entitlement",
    response_model=WindowedBalanceHistory,
    responses=documented(*_NOT_THERE),
)
async def get_history(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    *,
    windowSize: Window,
    from_: From = None,
    to: To = None,
    windowTimeZone: WindowZone = "UTC",
) -> Response:
    """Usage and balances by windows, and what burnt which grant from phase to phase."""
    history = await services.balances.history(
        namespace, OfCustomer(customerIdOrKey), entitlementIdOrFeatureKey,
        since=from_, until=to, size=windows.WindowSize(windowSize), zone=windowTimeZone,
    )  # fmt: skip
    return json_response(history_to_wire(history, windows.zone(windowTimeZone)))


@router.post(
    f"{_ONE}/reset",
    operation_id="resetCustomerEntitlementUsageV2",
    summary="Reset the usage of a customer's metered entitlement",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(*_NOT_THERE),
)
async def reset_usage(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    body: Annotated[ResetEntitlementUsageInput, Body()],
) -> Response:
    """A usage period ends, what rolls over does, and another one begins."""
    await services.entitlements.reset(
        namespace, OfCustomer(customerIdOrKey), entitlementIdOrFeatureKey, reset_from_wire(body)
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.put(
    f"{_ONE}/override",
    operation_id="overrideCustomerEntitlementV2",
    summary="Put another entitlement in the place of this one",
    status_code=HTTPStatus.CREATED,
    response_model=EntitlementV2,
    responses=documented(*_NOT_THERE, HTTPStatus.CONFLICT),
)
async def override(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    body: Annotated[EntitlementV2CreateInputs, Body()],
) -> Response:
    """The old one ends now and stays readable by its id; nothing of it is carried over."""
    made = await services.entitlements.override(
        namespace,
        OfCustomer(customerIdOrKey),
        entitlementIdOrFeatureKey,
        new_entitlement_from_wire_v2(body),
    )
    return json_response(entitlement_to_wire_v2(made, services.now()), HTTPStatus.CREATED)


@router.post(
    OF_CUSTOMER,
    operation_id="createCustomerEntitlementV2",
    summary="Create an entitlement of a customer",
    status_code=HTTPStatus.CREATED,
    response_model=EntitlementV2,
    responses=documented(*_NOT_THERE, HTTPStatus.CONFLICT),
)
async def create(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    body: Annotated[EntitlementV2CreateInputs, Body()],
) -> Response:
    """One for each feature. Grants that come with it are given at once."""
    new = new_entitlement_from_wire_v2(body)
    made = await services.entitlements.create(namespace, OfCustomer(customerIdOrKey), new)
    return json_response(entitlement_to_wire_v2(made, services.now()), HTTPStatus.CREATED)


@router.get(
    OF_CUSTOMER,
    operation_id="listCustomerEntitlementsV2",
    summary="List the entitlements of a customer",
    response_model=EntitlementV2PaginatedResponse,
    responses=documented(*_NOT_THERE),
)
async def list_of_customer(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    part: PageOf,
    *,
    includeDeleted: Annotated[bool, Query(description="Accepted and not used.")] = False,  # noqa: ARG001
    order: Annotated[SortOrder, Query()] = SortOrder.ASC,
    orderBy: Annotated[EntitlementOrderBy, Query()] = EntitlementOrderBy.CREATED_AT,
) -> Response:
    """Those that are active now."""
    found = await services.entitlements.list(
        namespace,
        owners=CustomersWhoExist([customerIdOrKey]),
        only_active=True,
        order_by=ENTITLEMENT_COLUMNS[orderBy],
        descending=order is SortOrder.DESC,
        offset=part.offset,
        limit=part.limit,
    )
    now = services.now()
    return json_response(page_to_wire(part, found, lambda one: entitlement_to_wire_v2(one, now)))


@router.get(
    _ONE,
    operation_id="getCustomerEntitlementV2",
    summary="Get an entitlement of a customer",
    response_model=EntitlementV2,
    responses=documented(*_NOT_THERE),
)
async def get(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
) -> Response:
    """By id also one that another has replaced, whichever customer's it is."""
    found = await services.entitlements.entitlement(
        namespace, OfCustomer(customerIdOrKey), entitlementIdOrFeatureKey
    )
    return json_response(entitlement_to_wire_v2(found, services.now()))


@router.delete(
    _ONE,
    operation_id="deleteCustomerEntitlementV2",
    summary="Delete an entitlement of a customer",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(*_NOT_THERE),
)
async def delete(
    services: ServicesOf,
    namespace: NamespaceOf,
    customerIdOrKey: CustomerIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
) -> Response:
    """It is not found any more, and another one may be made."""
    await services.entitlements.delete(
        namespace, OfCustomer(customerIdOrKey), entitlementIdOrFeatureKey
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/api/v2/entitlements",
    operation_id="listEntitlementsV2",
    summary="List the entitlements of customers",
    response_model=EntitlementV2PaginatedResponse,
    responses=documented(),
)
async def list_all(
    services: ServicesOf,
    namespace: NamespaceOf,
    part: PageOf,
    *,
    feature: Features = None,
    customerKeys: Annotated[list[Text] | None, Query()] = None,
    customerIds: Annotated[list[Text] | None, Query()] = None,
    entitlementType: Annotated[list[EntitlementType] | None, Query()] = None,
    excludeInactive: Annotated[bool, Query(description="Leave out those replaced.")] = False,
    limit: Annotated[  # noqa: ARG001
        int, Query(ge=1, le=PAGE_SIZE_MAX, description="Accepted and not used.")
    ] = 100,
    offset: Annotated[int, Query(ge=0, description="Accepted and not used.")] = 0,  # noqa: ARG001
    order: Annotated[SortOrder, Query()] = SortOrder.ASC,
    orderBy: Annotated[EntitlementOrderBy, Query()] = EntitlementOrderBy.CREATED_AT,
) -> Response:
    """Always in pages. Never deleted ones, nor those of subjects without a customer."""
    owners = Owners(customer_ids=customerIds, customer_keys=customerKeys, only_customers=True)
    found = await services.entitlements.list(
        namespace,
        features=feature or (),
        types=entitlementType or (),
        owners=owners,
        only_active=excludeInactive,
        order_by=ENTITLEMENT_COLUMNS[orderBy],
        descending=order is SortOrder.DESC,
        offset=part.offset,
        limit=part.limit,
    )
    now = services.now()
    return json_response(page_to_wire(part, found, lambda one: entitlement_to_wire_v2(one, now)))


@router.get(
    "/api/v2/entitlements/{entitlementId}",
    operation_id="getEntitlementByIdV2",
    summary="Get an entitlement of a customer by id",
    response_model=EntitlementV2,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_by_id(
    services: ServicesOf, namespace: NamespaceOf, entitlementId: OnlyId
) -> Response:
    """Also one that another has replaced."""
    found = await services.entitlements.of_any_customer(namespace, entitlementId)
    return json_response(entitlement_to_wire_v2(found, services.now()))
