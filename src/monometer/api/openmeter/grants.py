"""`.../entitlements/{entitlementIdOrFeatureKey}/grants` of subjects, and `/api/v1/grants`."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.entitlement_parameters import (
    OF_SUBJECT,
    EntitlementId,
    Features,
    SubjectIdOrKey,
)
from monometer.api.openmeter.grant_shapes import (
    GRANT_COLUMNS,
    EntitlementGrant,
    EntitlementGrantCreateInput,
    GrantOrderBy,
    GrantPaginatedResponse,
    grant_to_wire,
    new_grant_from_wire,
)
from monometer.api.openmeter.meter_shapes import SortOrder
from monometer.api.paging import PAGE_SIZE_MAX, PartOf, part_to_wire
from monometer.api.problems import documented
from monometer.api.wire import STORABLE, ExactRoute, Instant, Text, json_response
from monometer.services.finding import Owners
from monometer.store.owners import OfSubject

router = APIRouter(tags=["Entitlements"], route_class=ExactRoute)

_OF_ONE = OF_SUBJECT + "/{entitlementIdOrFeatureKey}/grants"


@router.post(
    _OF_ONE,
    operation_id="createGrant",
    summary="Create a grant",
    status_code=HTTPStatus.CREATED,
    response_model=EntitlementGrant,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def create_grant(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    body: Annotated[EntitlementGrantCreateInput, Body()],
) -> Response:
    """Credit for a metered entitlement. It may begin in the current usage period or later."""
    made = await services.grants.create(
        namespace, OfSubject(subjectIdOrKey), entitlementIdOrFeatureKey, new_grant_from_wire(body)
    )
    return json_response(grant_to_wire(made, services.now()), HTTPStatus.CREATED)


@router.get(
    _OF_ONE,
    operation_id="listEntitlementGrants",
    summary="List the grants of an entitlement",
    response_model=list[EntitlementGrant],
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def list_entitlement_grants(
    services: ServicesOf,
    namespace: NamespaceOf,
    subjectIdOrKey: SubjectIdOrKey,
    entitlementIdOrFeatureKey: EntitlementId,
    *,
    includeDeleted: Annotated[bool, Query(description="Accepted and not used.")] = False,  # noqa: ARG001
    orderBy: Annotated[GrantOrderBy, Query()] = GrantOrderBy.CREATED_AT,
) -> Response:
    """The first 1000, voided and expired ones too."""
    found = await services.grants.of_entitlement(
        namespace, OfSubject(subjectIdOrKey), entitlementIdOrFeatureKey,
        order_by=GRANT_COLUMNS[orderBy], limit=PAGE_SIZE_MAX,
    )  # fmt: skip
    now = services.now()
    return json_response([grant_to_wire(one, now) for one in found.items])


@router.get(
    "/api/v1/grants",
    operation_id="listGrants",
    summary="List grants",
    response_model=list[EntitlementGrant] | GrantPaginatedResponse,
    responses=documented(),
)
async def list_grants(
    services: ServicesOf,
    namespace: NamespaceOf,
    part: PartOf,
    *,
    feature: Features = None,
    subject: Annotated[list[Text] | None, Query(description="Keys of subjects.")] = None,
    includeDeleted: Annotated[bool, Query(description="Of deleted entitlements too.")] = False,
    order: Annotated[SortOrder, Query()] = SortOrder.ASC,
    orderBy: Annotated[GrantOrderBy | None, Query(description="Left out, by effectiveAt.")] = None,
) -> Response:
    """An array; a page object when `page` or `pageSize` is given. Voided and expired ones too."""
    found = await services.grants.list(
        namespace,
        features=feature or (),
        owners=Owners(subjects=subject),
        include_deleted=includeDeleted,
        order_by="effective_at" if orderBy is None else GRANT_COLUMNS[orderBy],
        descending=order is SortOrder.DESC,
        offset=part.offset,
        limit=part.limit,
    )
    now = services.now()
    return json_response(part_to_wire(part, found, lambda one: grant_to_wire(one, now)))


@router.delete(
    "/api/v1/grants/{grantId}",
    operation_id="voidGrant",
    summary="Void a grant",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def void_grant(
    services: ServicesOf,
    namespace: NamespaceOf,
    grantId: Annotated[str, STORABLE, Path(examples=["01KDV7B0000000000000000000"])],
    at: Annotated[
        Instant | None, Query(description="In the current usage period; left out, now.")
    ] = None,
) -> Response:
    """It is inactive from then on, and what is left of it is lost."""
    await services.grants.void(namespace, grantId, at)
    return Response(status_code=HTTPStatus.NO_CONTENT)
