"""`/api/v1/features`: create, read, list and archive features."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.feature_shapes import (
    Feature,
    FeatureCreateInputs,
    FeatureOrderBy,
    ListFeaturesResult,
    feature_to_wire,
    new_feature_from_wire,
)
from monometer.api.openmeter.meter_shapes import SortOrder
from monometer.api.paging import PartOf, part_to_wire
from monometer.api.problems import documented
from monometer.api.wire import STORABLE, json_response

router = APIRouter(prefix="/api/v1/features", tags=["Product Catalog"])

FeatureId = Annotated[
    str, STORABLE, Path(description="Id or key of a feature.", examples=["gpt4_tokens"])
]

_COLUMNS = {
    FeatureOrderBy.ID: "id",
    FeatureOrderBy.KEY: "key",
    FeatureOrderBy.NAME: "name",
    FeatureOrderBy.CREATED_AT: "created_at",
    FeatureOrderBy.UPDATED_AT: "updated_at",
}


@router.get(
    "",
    operation_id="listFeatures",
    summary="List features",
    response_model=ListFeaturesResult,
    responses=documented(),
)
async def list_features(
    services: ServicesOf,
    namespace: NamespaceOf,
    part: PartOf,
    *,
    meterSlug: Annotated[list[Annotated[str, STORABLE]] | None, Query()] = None,
    includeArchived: Annotated[bool, Query()] = False,
    order: Annotated[SortOrder, Query()] = SortOrder.ASC,
    orderBy: Annotated[FeatureOrderBy, Query()] = FeatureOrderBy.KEY,
) -> Response:
    """An array; a page object when `page` or `pageSize` is given."""
    found = await services.features.list(
        namespace,
        meter_keys=meterSlug or (),
        include_archived=includeArchived,
        order_by=_COLUMNS[orderBy],
        descending=order is SortOrder.DESC,
        offset=part.offset,
        limit=part.limit,
    )
    return json_response(part_to_wire(part, found, feature_to_wire))


@router.post(
    "",
    operation_id="createFeature",
    summary="Create a feature",
    status_code=HTTPStatus.CREATED,
    response_model=Feature,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def create_feature(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[FeatureCreateInputs, Body()]
) -> Response:
    """Its key may be that of an archived feature, but no id."""
    feature = await services.features.create(namespace, new_feature_from_wire(body))
    return json_response(feature_to_wire(feature), HTTPStatus.CREATED)


@router.get(
    "/{featureId}",
    operation_id="getFeature",
    summary="Get a feature",
    response_model=Feature,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_feature(
    services: ServicesOf, namespace: NamespaceOf, featureId: FeatureId
) -> Response:
    """Archived features are not found."""
    return json_response(feature_to_wire(await services.features.feature(namespace, featureId)))


@router.delete(
    "/{featureId}",
    operation_id="deleteFeature",
    summary="Archive a feature",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_feature(
    services: ServicesOf, namespace: NamespaceOf, featureId: FeatureId
) -> Response:
    """Its key becomes free. Entitlements that it has go on; it gets no new ones."""
    await services.features.archive(namespace, featureId)
    return Response(status_code=HTTPStatus.NO_CONTENT)
