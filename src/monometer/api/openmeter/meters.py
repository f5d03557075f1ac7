"""`/api/v1/meters`: create, read, change and delete meters; their subjects and group values."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.openmeter.filters import ULID_PATTERN
from monometer.api.openmeter.meter_shapes import (
    Meter,
    MeterCreate,
    MeterOrderBy,
    MeterUpdate,
    SortOrder,
    meter_change_from_wire,
    meter_to_wire,
    new_meter_from_wire,
)
from monometer.api.problems import documented, example
from monometer.api.wire import Instant, json_response
from monometer.core.meter import KEY_CHARS_MAX, KEY_PATTERN

router = APIRouter(prefix="/api/v1/meters", tags=["Meters"])

MeterIdOrSlug = Annotated[
    str,
    Path(
        min_length=1,
        max_length=KEY_CHARS_MAX,
        pattern=f"{KEY_PATTERN}|{ULID_PATTERN}",
        description="Slug of a live meter, or id of any meter, a deleted one too.",
        examples=["tokens_total"],
    ),
]
From = Annotated[Instant | None, Query(alias="from", description="Included.")]
To = Annotated[Instant | None, Query(description="Excluded.")]

_COLUMNS = {
    MeterOrderBy.KEY: "key",
    MeterOrderBy.NAME: "name",
    MeterOrderBy.AGGREGATION: "aggregation",
    MeterOrderBy.CREATED_AT: "created_at",
    MeterOrderBy.UPDATED_AT: "updated_at",
}


@router.get(
    "",
    operation_id="listMeters",
    summary="List meters",
    response_model=list[Meter],
    responses=documented(),
)
async def list_meters(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    page: Annotated[int, Query(ge=1, description="Accepted and not used.")] = 1,  # noqa: ARG001
    pageSize: Annotated[  # noqa: ARG001
        int, Query(ge=1, le=1000, description="Accepted and not used.")
    ] = 100,
    order: Annotated[SortOrder, Query()] = SortOrder.ASC,
    orderBy: Annotated[MeterOrderBy, Query()] = MeterOrderBy.KEY,
    includeDeleted: Annotated[bool, Query()] = False,
) -> Response:
    """The first 1000 meters, not in pages."""
    meters = await services.catalog.meters(
        namespace,
        order_by=_COLUMNS[orderBy],
        descending=order is SortOrder.DESC,
        include_deleted=includeDeleted,
    )
    return json_response([meter_to_wire(meter) for meter in meters])


@router.post(
    "",
    operation_id="createMeter",
    summary="Create a meter",
    status_code=HTTPStatus.CREATED,
    response_model=Meter,
    responses=documented(HTTPStatus.CONFLICT),
)
async def create_meter(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[MeterCreate, Body()]
) -> Response:
    """It counts events that are stored already as well as those to come."""
    meter = await services.catalog.create_meter(namespace, new_meter_from_wire(body))
    return json_response(meter_to_wire(meter), HTTPStatus.CREATED)


@router.get(
    "/{meterIdOrSlug}",
    operation_id="getMeter",
    summary="Get a meter",
    response_model=Meter,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_meter(
    services: ServicesOf, namespace: NamespaceOf, meterIdOrSlug: MeterIdOrSlug
) -> Response:
    return json_response(meter_to_wire(await services.catalog.meter(namespace, meterIdOrSlug)))


@router.put(
    "/{meterIdOrSlug}",
    operation_id="updateMeter",
    summary="Replace a meter's name, description, groups and metadata",
    response_model=Meter,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def update_meter(
    services: ServicesOf,
    namespace: NamespaceOf,
    meterIdOrSlug: MeterIdOrSlug,
    body: Annotated[MeterUpdate, Body()],
) -> Response:
    """A new group key applies to events that are stored already, too."""
    change = meter_change_from_wire(body)
    meter = await services.catalog.update_meter(namespace, meterIdOrSlug, change)
    return json_response(meter_to_wire(meter))


@router.delete(
    "/{meterIdOrSlug}",
    operation_id="deleteMeter",
    summary="Delete a meter",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def delete_meter(
    services: ServicesOf, namespace: NamespaceOf, meterIdOrSlug: MeterIdOrSlug
) -> Response:
    """Its events stay, its slug becomes free; by id it can still be read and queried."""
    await services.catalog.delete_meter(namespace, meterIdOrSlug)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/{meterIdOrSlug}/subjects",
    operation_id="listMeterSubjects",
    summary="List the subjects of a meter",
    response_model=list[str],
    responses={**example(["customer-1", "customer-2"]), **documented(HTTPStatus.NOT_FOUND)},
)
async def list_meter_subjects(
    services: ServicesOf,
    namespace: NamespaceOf,
    meterIdOrSlug: MeterIdOrSlug,
    from_: From = None,
    to: To = None,
) -> Response:
    """Every subject with an event of the meter's type, in order."""
    meter = await services.catalog.meter(namespace, meterIdOrSlug)
    return json_response(await services.usage.subjects(meter, from_, to))


@router.get(
    "/{meterIdOrSlug}/group-by/{groupByKey}/values",
    operation_id="listMeterGroupByValues",
    summary="List the values of a group key",
    response_model=list[str],
    responses={**example(["", "gpt-4"]), **documented(HTTPStatus.NOT_FOUND)},
)
async def list_meter_group_by_values(
    services: ServicesOf,
    namespace: NamespaceOf,
    meterIdOrSlug: MeterIdOrSlug,
    groupByKey: Annotated[str, Path()],
    from_: From = None,
    to: To = None,
) -> Response:
    """Distinct values, in order; of the last 24 hours when no bound is given."""
    meter = await services.catalog.meter(namespace, meterIdOrSlug)
    return json_response(await services.usage.group_values(meter, groupByKey, from_, to))
