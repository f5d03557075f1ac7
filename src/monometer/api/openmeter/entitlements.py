"""`/api/v1/subjects/{subjectIdOrKey}/entitlements` and `/api/v1/entitlements`."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.balance_shapes import (
    EntitlementValue,
    WindowedBalanceHistory,
    history_to_wire,
    value_to_wire,
)
from monometer.api.openmeter.entitlement_inputs import (
    EntitlementCreateInputs,
    ResetEntitlementUsageInput,
    new_entitlement_from_wire,
    reset_from_wire,
)
from monometer.api.openmeter.entitlement_parameters import (
    OF_SUBJECT,
    EntitlementId,
    Features,
    From,
    OnlyId,
    SubjectIdOrKey,
    Time,
    To,
    Window,
    WindowZone,
)
from monometer.api.openmeter.entitlement_shapes import (
    ENTITLEMENT_COLUMNS,
    Entitlement,
    EntitlementOrderBy,
    EntitlementType,
    ListEntitlementsResult,
    entitlement_to_wire,
)
from monometer.api.openmeter.meter_shapes import SortOrder
from monometer.api.paging import PartOf, part_to_wire
from monometer.api.problems import documented
from monometer.api.wire import ExactRoute, Text, json_response
from monometer.core import windows
from monometer.services.finding import Owners
from monometer.store.owners import OfSubject

router = APIRouter(tags=["Entitlements"], route_class=ExactRoute)

_ONE = OF_SUBJECT + "/{entitlementId}"
_NAMED = OF_SUBJECT + "/{entitlementIdOrFeatureKey}"


@router.get(
    f"{_NAMED}/value",
    operation_id="getEntitlementValue",
    summary="Get the value of an entitlement",
    response_model=EntitlementValue,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_entitlement_value(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    time: Time = None,
) -> Response:
    """Whether there is access, and for a metered one the balance. Every accepted event counts."""
    value = await services.balances.value(
        namespace, OfSubject(subjectIdOrKey), entitlementIdOrFeatureKey, time
    )
    return json_response(value_to_wire(value))


@router.get(
    f"{_ONE}/history",
    operation_id="getEntitlementHistory",
    summary="Get the history of a metered entitlement",
    response_model=WindowedBalanceHistory,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_entitlement_history(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    entitlementId: EntitlementId,
    *,
    windowSize: Window,
    from_: From = None,
    to: To = None,
    windowTimeZone: WindowZone = "UTC",
) -> Response:
    """Usage and balances by windows, and what burnt which grant from phase to phase."""
    history = await services.balances.history(
        namespace, OfSubject(subjectIdOrKey), entitlementId,
        since=from_, until=to, size=windows.WindowSize(windowSize), zone=windowTimeZone,
    )  # fmt: skip
    return json_response(history_to_wire(history, windows.zone(windowTimeZone)))


@router.post(
    f"{_ONE}/reset",
    operation_id="resetEntitlementUsage",
    summary="Reset the usage of a metered entitlement",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def reset_entitlement_usage(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    entitlementId: EntitlementId,
    body: Annotated[ResetEntitlementUsageInput, Body()],
) -> Response:
    """A usage period ends, what rolls over does, and another one begins."""
    reset = reset_from_wire(body)
    await services.entitlements.reset(namespace, OfSubject(subjectIdOrKey), entitlementId, reset)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.put(
    f"{_NAMED}/override",
    operation_id="overrideEntitlement",
    summary="Put another entitlement in the place of this one",
    status_code=HTTPStatus.CREATED,
    response_model=Entitlement,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def override_entitlement(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    body: Annotated[EntitlementCreateInputs, Body()],
) -> Response:
    """The old one ends now and stays readable by its id; nothing of it is carried over."""
    made = await services.entitlements.override(
        namespace,
        OfSubject(subjectIdOrKey),
        entitlementIdOrFeatureKey,
        new_entitlement_from_wire(body),
    )
    return json_response(entitlement_to_wire(made, services.now()), HTTPStatus.CREATED)


@router.post(
    OF_SUBJECT,
    operation_id="createEntitlement",
    summary="Create an entitlement",
    status_code=HTTPStatus.CREATED,
    response_model=Entitlement,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def create_entitlement(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    body: Annotated[EntitlementCreateInputs, Body()],
) -> Response:
    """Of the customer that has the subject, else of the subject itself. One for each feature."""
    new = new_entitlement_from_wire(body)
    made = await services.entitlements.create(namespace, OfSubject(subjectIdOrKey), new)
    return json_response(entitlement_to_wire(made, services.now()), HTTPStatus.CREATED)


@router.get(
    OF_SUBJECT,
    operation_id="listSubjectEntitlements",
    summary="List the entitlements of a subject",
    response_model=list[Entitlement],
    responses=documented(),
)
async def list_subject_entitlements(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    *,
    includeDeleted: Annotated[bool, Query(description="Accepted and not used.")] = False,  # noqa: ARG001
) -> Response:
    """Those that are active now."""
    found = await services.entitlements.active(namespace, OfSubject(subjectIdOrKey))
    now = services.now()
    return json_response([entitlement_to_wire(one, now) for one in found])


@router.get(
    _ONE,
    operation_id="getEntitlement",
    summary="Get an entitlement",
    response_model=Entitlement,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_entitlement(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    entitlementId: EntitlementId,
) -> Response:
    """By id also one that another has replaced, whoever's it is."""
    found = await services.entitlements.entitlement(
        namespace, OfSubject(subjectIdOrKey), entitlementId
    )
    return json_response(entitlement_to_wire(found, services.now()))


@router.delete(
    _ONE,
    operation_id="deleteEntitlement",
    summary="Delete an entitlement",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_entitlement(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    entitlementId: EntitlementId,
) -> Response:
    """It is not found any more, and another one may be made."""
    await services.entitlements.delete(namespace, OfSubject(subjectIdOrKey), entitlementId)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/api/v1/entitlements",
    operation_id="listEntitlements",
    summary="List entitlements",
    response_model=ListEntitlementsResult,
    responses=documented(),
)
async def list_entitlements(
    services: ServicesOf,
    namespace: NamespaceOf,
    part: PartOf,
    *,
    feature: Features = None,
    subject: Annotated[list[Text] | None, Query(description="Keys of subjects.")] = None,
    entitlementType: Annotated[list[EntitlementType] | None, Query()] = None,
    excludeInactive: Annotated[bool, Query(description="Leave out those replaced.")] = False,
    order: Annotated[SortOrder, Query()] = SortOrder.ASC,
    orderBy: Annotated[EntitlementOrderBy, Query()] = EntitlementOrderBy.CREATED_AT,
) -> Response:
    """An array; a page object when `page` or `pageSize` is given. Never deleted ones."""
    found = await services.entitlements.list(
        namespace,
        features=feature or (),
        types=entitlementType or (),
        owners=Owners(subjects=subject),
        only_active=excludeInactive,
        order_by=ENTITLEMENT_COLUMNS[orderBy],
        descending=order is SortOrder.DESC,
        offset=part.offset,
        limit=part.limit,
    )
    now = services.now()
    return json_response(part_to_wire(part, found, lambda one: entitlement_to_wire(one, now)))


@router.get(
    "/api/v1/entitlements/{entitlementId}",
    operation_id="getEntitlementById",
    summary="Get an entitlement by id",
    response_model=Entitlement,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_entitlement_by_id(
    services: ServicesOf, namespace: NamespaceOf, entitlementId: OnlyId
) -> Response:
    """Also one that another has replaced."""
    found = await services.entitlements.entitlement(namespace, None, entitlementId)
    return json_response(entitlement_to_wire(found, services.now()))
