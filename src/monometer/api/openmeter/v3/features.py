"""`/api/v3/openmeter/features`: create, read, list and delete features, and what they cost."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.filters import ULID_PATTERN
from monometer.api.openmeter.v3.deep_objects import deep_object, deep_object_document
from monometer.api.openmeter.v3.errors import documented
from monometer.api.openmeter.v3.feature_shapes import (
    CreateFeatureRequest,
    FeaturePagePaginatedResponse,
    FeatureV3,
    ListFeatureParamsFilter,
    UpdateFeatureRequest,
    feature_to_wire,
    new_feature_from_wire,
    unit_cost_from_wire,
)
from monometer.api.openmeter.v3.filters import predicate_of
from monometer.api.openmeter.v3.paging import BY_NUMBER, numbered_page_of, page_to_wire
from monometer.api.openmeter.v3.parameters import about_topics, wrong
from monometer.api.openmeter.v3.sorting import order_from_wire, sort_pattern
from monometer.api.wire import json_response
from monometer.core.errors import NotFound
from monometer.core.expression import Member

router = APIRouter(prefix="/api/v3/openmeter/features", tags=["Features v3"])

FeatureId = Annotated[
    str,
    Path(
        pattern=ULID_PATTERN,
        description="Of a feature.",
        examples=["01KDV7B0000000000000000000"],
    ),
]

_SORTS = ("key", "name", "created_at", "updated_at")
_TOPICS = {
    "invalid feature key": "key",
    "Feature key cannot be a valid ULID": "key",
    "invalid filters for feature": "meter.filters",
    "filter is invalid": "meter.filters",
    "filter complexity exceeds maximum allowed depth": "meter.filters",
    "invalid unit cost": "unit_cost",
}


@router.get(
    "",
    operation_id="list-features",
    summary="List features, page by page (v3)",
    response_model=FeaturePagePaginatedResponse,
    responses=documented(),
    openapi_extra={
        "parameters": [
            BY_NUMBER,
            deep_object_document(
                "filter",
                ListFeatureParamsFilter,
                "`filter[meter_id]=x` or `filter[name][contains]=x`.",
                {"key": "gpt4_tokens"},
            ),
        ]
    },
)
async def list_features(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    sort: Annotated[
        str, Query(pattern=sort_pattern(_SORTS), description="A member, and `asc` or `desc`.")
    ] = "created_at",
) -> Response:
    """Live features."""
    asked = numbered_page_of(request)
    wanted = deep_object(request, "filter", ListFeatureParamsFilter)
    order = order_from_wire(sort)
    found = await services.features.page_of_features(
        namespace,
        where=predicate_of(
            {
                Member("meter_id"): wanted.meter_id,
                Member("key"): wanted.key,
                Member("name"): wanted.name,
            }
        ),
        order_by=order.by,
        descending=order.descending,
        offset=asked.offset,
        limit=asked.size,
    )
    return json_response(page_to_wire(asked, found, feature_to_wire))


@router.post(
    "",
    operation_id="create-feature",
    summary="Create a feature (v3)",
    status_code=HTTPStatus.CREATED,
    response_model=FeatureV3,
    responses=documented(HTTPStatus.CONFLICT),
)
async def create_feature(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[CreateFeatureRequest, Body()]
) -> Response:
    """Its key may be that of a deleted feature, but no id."""
    new = new_feature_from_wire(body)
    try:
        with about_topics(_TOPICS):
            feature = await services.features.create(namespace, new)
    except NotFound as error:
        raise wrong("meter.id", "no live meter has this id") from error
    return json_response(feature_to_wire(feature), HTTPStatus.CREATED)


@router.get(
    "/{featureId}",
    operation_id="get-feature",
    summary="Get a feature (v3)",
    response_model=FeatureV3,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.GONE),
)
async def get_feature(
    services: ServicesOf, namespace: NamespaceOf, featureId: FeatureId
) -> Response:
    """One that was deleted is gone."""
    return json_response(
        feature_to_wire(await services.features.known(namespace, featureId.upper()))
    )


@router.patch(
    "/{featureId}",
    operation_id="update-feature",
    summary="Change a feature's unit cost (v3)",
    response_model=FeatureV3,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def update_feature(
    services: ServicesOf,
    namespace: NamespaceOf,
    featureId: FeatureId,
    body: Annotated[UpdateFeatureRequest, Body()],
) -> Response:
    """Nothing else of it ever changes. Costs of the past are by the new one, too."""
    if "unit_cost" not in body.model_fields_set:
        feature = await services.features.feature(namespace, featureId.upper())
    else:
        with about_topics(_TOPICS):
            feature = await services.features.set_unit_cost(
                namespace, featureId.upper(), unit_cost_from_wire(body.unit_cost)
            )
    return json_response(feature_to_wire(feature))


@router.delete(
    "/{featureId}",
    operation_id="delete-feature",
    summary="Delete a feature (v3)",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_feature(
    services: ServicesOf, namespace: NamespaceOf, featureId: FeatureId
) -> Response:
    """The first version archives it: its key becomes free, entitlements that it has go on."""
    await services.features.archive(namespace, featureId.upper())
    return Response(status_code=HTTPStatus.NO_CONTENT)
