"""`/api/v3/openmeter/meters`: create, read, change and delete meters."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.filters import ULID_PATTERN
from monometer.api.openmeter.v3.deep_objects import deep_object, deep_object_document
from monometer.api.openmeter.v3.errors import documented
from monometer.api.openmeter.v3.filters import predicate_of
from monometer.api.openmeter.v3.meter_shapes import (
    CreateMeterRequest,
    ListMetersParamsFilter,
    MeterPagePaginatedResponse,
    MeterV3,
    UpdateMeterRequest,
    meter_change_from_wire,
    meter_to_wire,
    new_meter_from_wire,
)
from monometer.api.openmeter.v3.paging import BY_NUMBER, numbered_page_of, page_to_wire
from monometer.api.openmeter.v3.parameters import about_topics
from monometer.api.openmeter.v3.sorting import order_from_wire, sort_pattern
from monometer.api.wire import json_response
from monometer.core.expression import Member

router = APIRouter(prefix="/api/v3/openmeter/meters", tags=["Meters v3"])

MeterId = Annotated[
    str,
    Path(
        pattern=ULID_PATTERN,
        description="Of any meter, a deleted one too.",
        examples=["01KDV7B0000000000000000000"],
    ),
]

_SORTS = ("key", "name", "aggregation", "created_at", "updated_at")

# What the first line of a refused definition is about, and what it is called here.
_TOPICS = {
    "invalid meter slug": "key",
    "invalid meter aggregation": "value_property",
    "invalid meter group by": "dimensions",
    "invalid meter event type": "event_type",
    "invalid event type": "event_type",
    "invalid meter event from": "events_from",
}


@router.post(
    "",
    operation_id="create-meter",
    summary="Create a meter (v3)",
    status_code=HTTPStatus.CREATED,
    response_model=MeterV3,
    responses=documented(HTTPStatus.CONFLICT),
)
async def create_meter(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[CreateMeterRequest, Body()]
) -> Response:
    """It counts events that are stored already as well as those to come."""
    with about_topics(_TOPICS):
        meter = await services.catalog.create_meter(namespace, new_meter_from_wire(body))
    return json_response(meter_to_wire(meter), HTTPStatus.CREATED)


@router.get(
    "",
    operation_id="list-meters",
    summary="List meters, page by page (v3)",
    response_model=MeterPagePaginatedResponse,
    responses=documented(),
    openapi_extra={
        "parameters": [
            BY_NUMBER,
            deep_object_document(
                "filter",
                ListMetersParamsFilter,
                "`filter[key]=x` or `filter[key][contains]=x`.",
                {"key": "tokens_total"},
            ),
        ]
    },
)
async def list_meters(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    sort: Annotated[
        str, Query(pattern=sort_pattern(_SORTS), description="A member, and `asc` or `desc`.")
    ] = "created_at",
) -> Response:
    """Live meters."""
    asked = numbered_page_of(request)
    wanted = deep_object(request, "filter", ListMetersParamsFilter)
    order = order_from_wire(sort)
    found = await services.catalog.page_of_meters(
        namespace,
        where=predicate_of({Member("key"): wanted.key, Member("name"): wanted.name}),
        order_by=order.by,
        descending=order.descending,
        offset=asked.offset,
        limit=asked.size,
    )
    return json_response(page_to_wire(asked, found, meter_to_wire))


@router.get(
    "/{meterId}",
    operation_id="get-meter",
    summary="Get a meter (v3)",
    response_model=MeterV3,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_meter(services: ServicesOf, namespace: NamespaceOf, meterId: MeterId) -> Response:
    meter = await services.catalog.meter(namespace, meterId.upper())
    return json_response(meter_to_wire(meter))


@router.put(
    "/{meterId}",
    operation_id="update-meter",
    summary="Replace a meter's name, description, dimensions and labels (v3)",
    response_model=MeterV3,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def update_meter(
    services: ServicesOf,
    namespace: NamespaceOf,
    meterId: MeterId,
    body: Annotated[UpdateMeterRequest, Body()],
) -> Response:
    """A new dimension applies to events that are stored already, too."""
    change = meter_change_from_wire(body)
    with about_topics(_TOPICS):
        meter = await services.catalog.update_meter(namespace, meterId.upper(), change)
    return json_response(meter_to_wire(meter))


@router.delete(
    "/{meterId}",
    operation_id="delete-meter",
    summary="Delete a meter (v3)",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def delete_meter(services: ServicesOf, namespace: NamespaceOf, meterId: MeterId) -> Response:
    """Its events stay, its key becomes free; by id it can still be read and queried."""
    await services.catalog.delete_meter(namespace, meterId.upper())
    return Response(status_code=HTTPStatus.NO_CONTENT)
