"""`/togai/usage_meters`: meters with states, and computations in JSON-logic."""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.togai.errors import documented
from monometer.api.togai.event_schemas import TogaiEventSchema, schema_to_wire
from monometer.api.togai.wire import (
    PREFIX,
    Long,
    Name,
    NextToken,
    PageSize,
    TogaiPage,
    TogaiSuccess,
    offset_of,
    one_of,
    page_to_wire,
    size_of,
    time_to_wire,
)
from monometer.api.wire import STORABLE, Text, json_response
from monometer.core import jsonpath
from monometer.core.aggregation import Aggregation
from monometer.core.definition import TOGAI
from monometer.core.errors import NotFound
from monometer.core.event_schema import Status
from monometer.core.meter import Meter
from monometer.core.short_ids import short_id
from monometer.services.usage_meters import UsageMeterPart

router = APIRouter(prefix=f"{PREFIX}/usage_meters", tags=["Togai Usage Meters"])

FILTERS_MAX = 50
COMPUTATION_CHARS_MAX = 500

Counted = Literal["COUNT", "SUM"]


def _logic(given: object) -> object:
    """Logic is a text; an object in its place is taken for what it would be spelled as."""
    return json.dumps(given, separators=(",", ":")) if isinstance(given, dict) else given


Logic = Annotated[StrictStr, BeforeValidator(_logic), STORABLE]


class TogaiComputation(BaseModel):
    """At most one: whom it is for, and what it comes to."""

    id: Annotated[StrictStr, Field(max_length=50), STORABLE] | None = None
    matcher: Annotated[Logic, Field(max_length=1500)] | None = None
    computation: Annotated[Logic, Field(min_length=1, max_length=COMPUTATION_CHARS_MAX)]
    order: StrictInt = 1


class TogaiFilter(BaseModel):
    field: Name
    value: Long


class TogaiUsageMeterUpdate(BaseModel):
    """What is left out stays as it is."""

    name: Name | None = None
    billableName: Long | None = None
    description: Long | None = None
    filters: Annotated[list[TogaiFilter], Field(max_length=FILTERS_MAX)] | None = None
    type: Literal["COUNTER"] | None = None
    aggregation: Counted | None = None
    computations: Annotated[list[TogaiComputation], Field(max_length=1)] | None = None
    eventSchemaName: Name | None = None


class TogaiUsageMeterCreate(TogaiUsageMeterUpdate):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "bytes_out",
                    "type": "COUNTER",
                    "aggregation": "SUM",
                    "eventSchemaName": "api_call",
                    "computations": [{"computation": '{"var":"attributes.bytes"}', "order": 1}],
                }
            ]
        }
    )

    name: Name
    type: Literal["COUNTER"]
    aggregation: Counted
    eventSchemaName: Name


class TogaiUsageMeter(BaseModel):
    id: str
    name: str
    billableName: str | None = None
    displayName: str
    description: str | None = None
    filters: list[TogaiFilter]
    type: Literal["COUNTER"]
    status: Status
    aggregation: Counted
    computations: list[TogaiComputation]
    eventSchema: TogaiEventSchema | None = None
    createdAt: str
    lastActivatedAt: str | None = None
    updatedAt: str


class TogaiUsageMeters(BaseModel):
    data: list[TogaiUsageMeter]
    nextToken: str | None = None
    context: TogaiPage


Id = Annotated[Text, Path(alias="id", max_length=50)]


@router.post(
    "",
    operation_id="togaiCreateUsageMeter",
    summary="Create a usage meter",
    status_code=HTTPStatus.CREATED,
    response_model=TogaiUsageMeter,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def create_usage_meter(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[TogaiUsageMeterCreate, Body()]
) -> Response:
    """A draft, which counts nothing yet."""
    made = await services.usage_meters.create(namespace, body.name, _part(body))
    return json_response(meter_to_wire(made), HTTPStatus.CREATED)


@router.get(
    "",
    operation_id="togaiListUsageMeters",
    summary="List usage meters",
    response_model=TogaiUsageMeters,
    responses=documented(),
)
async def list_usage_meters(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    status: Annotated[list[Text] | None, Query()] = None,
    aggregations: Annotated[list[Text] | None, Query()] = None,
    nextToken: NextToken = None,
    pageSize: PageSize = None,
) -> Response:
    """Last updated first; deleted ones where ARCHIVED is asked for."""
    offset, size = offset_of(nextToken), size_of(pageSize)
    live = [one for one in Status if one is not Status.ARCHIVED]
    page = await services.usage_meters.page(
        namespace,
        one_of("status", status, list(Status)) if status else live,
        one_of("aggregations", aggregations, ["COUNT", "SUM"]),
        offset=offset,
        limit=size,
    )
    items = [meter_to_wire(one) for one in page.items]
    return json_response(page_to_wire(items, page.total, offset, size))


@router.get(
    "/{id}",
    operation_id="togaiGetUsageMeter",
    summary="Get a usage meter",
    response_model=TogaiUsageMeter,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_usage_meter(
    services: ServicesOf,
    namespace: NamespaceOf,
    id: Id,
    *,
    includeSchema: Annotated[bool, Query()] = False,
) -> Response:
    meter = await services.usage_meters.get(namespace, id)
    told = meter_to_wire(meter)
    if includeSchema and meter.event_type is not None:
        try:
            schema = await services.event_schemas.get(namespace, meter.event_type)
            told["eventSchema"] = schema_to_wire(schema)
        except NotFound:
            pass  # a meter of another API has none
    return json_response(told)


@router.patch(
    "/{id}",
    operation_id="togaiUpdateUsageMeter",
    summary="Change a usage meter",
    response_model=TogaiUsageMeter,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def update_usage_meter(
    services: ServicesOf,
    namespace: NamespaceOf,
    id: Id,
    body: Annotated[TogaiUsageMeterUpdate, Body()],
) -> Response:
    """Everything of a draft; of others the names and the description."""
    return json_response(
        meter_to_wire(await services.usage_meters.update(namespace, id, _part(body)))
    )


@router.post(
    "/{id}/activate",
    operation_id="togaiActivateUsageMeter",
    summary="Activate a usage meter",
    response_model=TogaiUsageMeter,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def activate(services: ServicesOf, namespace: NamespaceOf, id: Id) -> Response:
    """It counts the events that come in from now on, whatever their time."""
    return json_response(meter_to_wire(await services.usage_meters.activate(namespace, id)))


@router.post(
    "/{id}/deactivate",
    operation_id="togaiDeactivateUsageMeter",
    summary="Deactivate a usage meter",
    response_model=TogaiUsageMeter,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def deactivate(services: ServicesOf, namespace: NamespaceOf, id: Id) -> Response:
    """What it has counted stays."""
    return json_response(meter_to_wire(await services.usage_meters.deactivate(namespace, id)))


@router.delete(
    "/{id}",
    operation_id="togaiDeleteUsageMeter",
    summary="Delete a usage meter",
    response_model=TogaiSuccess,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_usage_meter(services: ServicesOf, namespace: NamespaceOf, id: Id) -> Response:
    """Its name may be given again."""
    await services.usage_meters.delete(namespace, id)
    return json_response({"success": True})


_DEFINED = {
    "filters": "filters",
    "aggregation": "aggregation",
    "computations": "computations",
    "eventSchemaName": "schema",
    "billableName": "billable_name",
}


def _part(body: TogaiUsageMeterUpdate) -> UsageMeterPart:
    said = body.model_dump(exclude_none=True)
    defined = {ours: said[theirs] for theirs, ours in _DEFINED.items() if theirs in said}
    return UsageMeterPart(
        name=said.get("name"), description=said.get("description"), defined=defined
    )


def meter_to_wire(meter: Meter) -> dict[str, Any]:
    """A meter of another dialect is active while it lives."""
    definition: Mapping[str, Any] = meter.written_in(TOGAI) or _native(meter)
    deleted = meter.deleted_at is not None
    told = {
        "id": short_id(meter.id),
        "name": meter.name[:50],
        "billableName": definition.get("billable_name"),
        "displayName": (definition.get("billable_name") or meter.name)[:255],
        "description": None if meter.description is None else meter.description[:255],
        "filters": definition["filters"],
        "type": "COUNTER",
        "status": Status.ARCHIVED if deleted else definition["status"],
        "aggregation": meter.aggregation,
        "computations": definition["computations"],
        "createdAt": time_to_wire(meter.created_at),
        "lastActivatedAt": _time(definition.get("last_activated_at")),
        "updatedAt": time_to_wire(meter.updated_at),
    }
    return {name: value for name, value in told.items() if value is not None}


def _time(text: str | None) -> str | None:
    return None if text is None else time_to_wire(datetime.fromisoformat(text))


def _native(meter: Meter) -> Mapping[str, Any]:
    """What a meter of another dialect comes to in JSON-logic."""
    computation = "1"
    if meter.aggregation is Aggregation.SUM and meter.value_property is not None:
        path = jsonpath.spelled(jsonpath.parse(meter.value_property))
        computation = json.dumps({"var": f"data{path.removeprefix('$')}"}, separators=(",", ":"))
    return {
        "filters": [],
        "status": Status.ACTIVE,
        # One that is too long for the clients is not told: a part of it would mean something else.
        "computations": [{"computation": computation, "order": 1}]
        if len(computation) <= COMPUTATION_CHARS_MAX
        else [],
    }
