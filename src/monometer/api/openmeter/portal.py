"""`/api/v1/portal`: tokens for customers, and the one route that these tokens open."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Body, Depends, HTTPException, Query, Request, Response
from fastapi.security import HTTPBearer

from monometer.api.deps import NamespaceOf, Services, ServicesOf, services_of
from monometer.api.openmeter.events import ClientId
from monometer.api.openmeter.filters import of_json_parameter
from monometer.api.openmeter.meter_query import (
    CSV_TOO,
    FILTER_GROUP_BY,
    answer_query,
    group_filters,
    group_values,
)
from monometer.api.openmeter.meters import From, MeterIdOrSlug, To
from monometer.api.openmeter.portal_shapes import (
    TOKEN_EXAMPLE,
    PortalToken,
    PortalTokenCreate,
    PortalTokenInvalidation,
    token_to_wire,
)
from monometer.api.openmeter.query_shapes import (
    ITEMS_MAX,
    MeterQueryRequest,
    MeterQueryResult,
    WindowSize,
)
from monometer.api.problems import documented, example
from monometer.api.wire import Text, json_response
from monometer.core.errors import NotFound
from monometer.core.portal import TokenRefused
from monometer.services.portal import Portal

LIST_DEFAULT, LIST_MAX = 25, 100

router = APIRouter(prefix="/api/v1/portal", tags=["Portal"])


def _portal_of(services: Services) -> Portal:
    if services.portal is None:
        raise HTTPException(
            HTTPStatus.NOT_IMPLEMENTED, "not implemented error: portal is not enabled"
        )
    return services.portal


@router.post(
    "/tokens",
    operation_id="createPortalToken",
    summary="Create a portal token",
    response_model=PortalToken,
    responses={
        **example({**TOKEN_EXAMPLE, "token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"}),
        **documented(HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED),
    },
)
async def create_portal_token(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[PortalTokenCreate, Body()]
) -> Response:
    """For a backend, which knows who its customer is. `token` is told this once."""
    token, text = await _portal_of(services).issue(
        namespace,
        subject=body.subject,
        slugs=body.allowedMeterSlugs or (),
        expires_at=body.expiresAt,
    )
    return json_response(token_to_wire(token, services.now(), text))


@router.get(
    "/tokens",
    operation_id="listPortalTokens",
    summary="List portal tokens",
    response_model=list[PortalToken],
    responses={**example([TOKEN_EXAMPLE]), **documented(HTTPStatus.NOT_IMPLEMENTED)},
)
async def list_portal_tokens(
    services: ServicesOf,
    namespace: NamespaceOf,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = LIST_DEFAULT,
) -> Response:
    """Newest first, without `token`. Expired ones stay for a day."""
    tokens = await _portal_of(services).tokens(namespace, limit)
    now = services.now()
    return json_response([token_to_wire(token, now) for token in tokens])


@router.post(
    "/tokens/invalidate",
    operation_id="invalidatePortalTokens",
    summary="Invalidate portal tokens",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_IMPLEMENTED),
)
async def invalidate_portal_tokens(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[PortalTokenInvalidation, Body()]
) -> Response:
    """Refused from the next request on, by every server. Those issued later are not concerned."""
    await _portal_of(services).invalidate(namespace, body.id or None, body.subject or None)
    return Response(status_code=HTTPStatus.NO_CONTENT)


class PortalCaller(NamedTuple):
    """Who holds the token of this request. No `slugs` means every meter."""

    namespace: str
    subject: str
    slugs: Sequence[str]


async def _caller_of(request: Request) -> PortalCaller:
    """Asked before any parameter is looked at. Raises TokenRefused."""
    token = _token_of(request)
    portal = services_of(request).portal
    if portal is None:
        raise TokenRefused("invalid token: portal is not enabled")
    namespace, claims = await portal.admit(token, request.path_params["meterSlug"])
    return PortalCaller(namespace, claims.subject, claims.slugs)


def _token_of(request: Request) -> str:
    headers = request.headers.getlist("authorization")
    if not headers:
        raise TokenRefused("missing authorization header")
    parts = headers[0].strip(" \t").split(" ")
    if len(headers) > 1 or len(parts) != 2 or parts[0] != "Bearer":  # noqa: PLR2004 - scheme, token
        raise TokenRefused("invalid authorization header")
    return parts[1]


@router.get(
    "/meters/{meterSlug}/query",
    operation_id="queryPortalMeter",
    summary="Query a meter with a portal token",
    response_model=MeterQueryResult,
    responses={
        HTTPStatus.OK.value: CSV_TOO,
        **documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
    },
    openapi_extra=FILTER_GROUP_BY,
    # Says in the document what `_caller_of` does, and refuses nobody.
    dependencies=[Depends(HTTPBearer(scheme_name="PortalTokenAuth", auto_error=False))],
)
async def query_portal_meter(
    request: Request,
    services: ServicesOf,
    caller: Annotated[PortalCaller, Depends(_caller_of)],
    meterSlug: MeterIdOrSlug,
    *,
    clientId: ClientId = None,
    from_: From = None,
    to: To = None,
    windowSize: Annotated[WindowSize | None, Query()] = None,
    windowTimeZone: Annotated[Text, Query(examples=["America/New_York"])] = "UTC",
    filterCustomerId: Annotated[  # noqa: ARG001
        list[Text] | None,
        Query(max_length=ITEMS_MAX, description="Accepted and not used."),
    ] = None,
    advancedMeterGroupByFilters: Annotated[
        str | None, Query(description="JSON text: a filter object by group key.")
    ] = None,
    groupBy: Annotated[list[Text] | None, Query()] = None,
) -> Response:
    """The usage of the token's subject, and of nobody else, whatever is asked."""
    advanced = advancedMeterGroupByFilters
    asked = MeterQueryRequest.model_construct(
        clientId=clientId,
        from_=from_,
        to=to,
        windowSize=windowSize,
        windowTimeZone=windowTimeZone,
        subject=[caller.subject],
        filterCustomerId=None,
        filterGroupBy=group_values(request),
        advancedMeterGroupByFilters=of_json_parameter(
            "advancedMeterGroupByFilters", advanced, group_filters
        )
        if advanced
        else None,
        groupBy=groupBy,
    )
    meter = await services.catalog.meter(caller.namespace, meterSlug)
    # A slug may read like the id of another meter; who is held to slugs shall not reach that one.
    if caller.slugs and meter.key not in caller.slugs:
        raise NotFound(f"meter not found: {meterSlug}")
    return await answer_query(services, meter, asked, request)
