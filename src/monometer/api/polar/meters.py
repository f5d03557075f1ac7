"""`/v1/meters`: list, create, get and update meters."""

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from monometer.api.deps import NamespaceOf, Services, ServicesOf
from monometer.api.polar.errors import documented
from monometer.api.polar.filters import (
    SAYABLE,
    Aggregation,
    PolarFilter,
    aggregation_to_wire,
    definition_from_wire,
    filter_to_wire,
)
from monometer.api.polar.wire import (
    METADATA_PARAMETER,
    Id,
    Ids,
    Limit,
    Metadata,
    PageNumber,
    Pagination,
    capped,
    metadata_filter,
    offset_of,
    organization_of,
    ours,
    page_to_wire,
    time_to_wire,
)
from monometer.api.wire import STORABLE, Text, json_response
from monometer.core.definition import POLAR
from monometer.core.errors import FieldError, InvalidInput, NotFound
from monometer.core.event import Json
from monometer.core.meter import NAME_CHARS_MAX
from monometer.core.meter import Meter as StoredMeter
from monometer.core.uuids import uuid_of_id
from monometer.services.catalog import MeterEdit, NewDefinedMeter
from monometer.store.meters import MeterFilter

router = APIRouter(prefix="/v1/meters", tags=["Polar Meters"])

Name = Annotated[str, Field(min_length=3, max_length=NAME_CHARS_MAX), STORABLE]
Unit = Literal["scalar", "token", "custom"]
Label = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX), STORABLE]
Multiplier = Annotated[int, Field(gt=0, lt=2**31)]


METER_EXAMPLE: dict[str, Any] = {
    "name": "Tokens of GPT",
    "filter": {
        "conjunction": "and",
        "clauses": [
            {"property": "name", "operator": "eq", "value": "prompt"},
            {"property": "model", "operator": "like", "value": "gpt"},
        ],
    },
    "aggregation": {"func": "sum", "property": "tokens"},
    "metadata": {"team": "search"},
}


class MeterSortProperty(StrEnum):
    NAME = "name"
    NAME_DOWN = "-name"
    CREATED_AT = "created_at"
    CREATED_AT_DOWN = "-created_at"


class PolarMeterUpdate(BaseModel):
    """What is left out stays as it is."""

    metadata: Metadata | None = None
    name: Name | None = None
    unit: Unit | None = None
    custom_label: Label | None = None
    custom_multiplier: Multiplier | None = None
    filter: PolarFilter | None = None
    aggregation: Aggregation | None = None
    is_archived: bool | None = None


class PolarMeterCreate(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [METER_EXAMPLE]})

    metadata: Metadata = Field(default_factory=dict)
    name: Name
    unit: Unit = "scalar"
    custom_label: Label | None = None
    custom_multiplier: Multiplier | None = None
    filter: PolarFilter
    aggregation: Aggregation
    organization_id: UUID | None = None


class PolarMeter(BaseModel):
    """A meter as it is kept."""

    metadata: dict[str, str | int | float | bool]
    created_at: str
    modified_at: str | None
    id: str
    name: str
    unit: Unit
    custom_label: str | None
    custom_multiplier: int | None
    filter: PolarFilter
    aggregation: Aggregation
    organization_id: str
    archived_at: str | None


class PolarMeterPage(BaseModel):
    items: list[PolarMeter]
    pagination: Pagination


@router.get(
    "",
    operation_id="polarListMeters",
    summary="List meters",
    response_model=PolarMeterPage,
    responses=documented(),
    openapi_extra=METADATA_PARAMETER,
)
async def list_meters(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    organization_id: Ids = None,
    query: Annotated[Text | None, Query(description="A part of the name.")] = None,
    is_archived: Annotated[bool | None, Query()] = None,
    page: PageNumber = 1,
    limit: Limit = 10,
    sorting: Annotated[list[MeterSortProperty] | None, Query()] = None,
) -> Response:
    if not ours(organization_id, namespace):
        return json_response(page_to_wire([], 0, limit))
    wanted = MeterFilter(
        name=query,
        archived=is_archived,
        aggregations=SAYABLE,
        metadata=metadata_filter(request),
    )
    found = await services.catalog.search_meters(
        namespace,
        wanted,
        order=order_of(sorting or [MeterSortProperty.NAME]),
        offset=offset_of(page, limit),
        limit=capped(limit),
    )
    items = [meter_to_wire(meter) for meter in found.items]
    return json_response(page_to_wire(items, found.total, limit))


@router.post(
    "",
    operation_id="polarCreateMeter",
    summary="Create a meter",
    status_code=HTTPStatus.CREATED,
    response_model=PolarMeter,
    responses=documented(),
)
async def create_meter(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[PolarMeterCreate, Body()]
) -> Response:
    ensure_ours(body.organization_id, namespace)
    new = NewDefinedMeter(
        name=body.name,
        metadata=body.metadata,
        annotations=presentation_from_wire(body.unit, body.custom_label, body.custom_multiplier),
        definition=definition_from_wire(body.filter, body.aggregation),
    )
    meter = await services.catalog.create_defined_meter(namespace, new)
    return json_response(meter_to_wire(meter), HTTPStatus.CREATED)


@router.get(
    "/{id}",
    operation_id="polarGetMeter",
    summary="Get a meter",
    response_model=PolarMeter,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_meter(services: ServicesOf, namespace: NamespaceOf, id: Id) -> Response:
    return json_response(meter_to_wire(await meter_of(services, namespace, id)))


@router.patch(
    "/{id}",
    operation_id="polarUpdateMeter",
    summary="Update a meter, archive it or bring it back",
    response_model=PolarMeter,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def update_meter(
    services: ServicesOf, namespace: NamespaceOf, id: Id, body: Annotated[PolarMeterUpdate, Body()]
) -> Response:
    """`filter` and `aggregation` are locked once events match."""
    meter = await meter_of(services, namespace, id)
    locked = [part for part in ("filter", "aggregation") if getattr(body, part) is not None]
    if locked and meter.definition is not None and meter.written_in(POLAR) is None:
        raise _forbidden(locked, "This meter was made by another API, and is changed there.")
    if locked and await services.usage.has_events(meter):
        message = "This meter has events already, so its filter and aggregation stay."
        raise _forbidden(locked, message)
    edited = await services.catalog.edit_meter(meter, _edit_from_wire(body, meter))
    return json_response(meter_to_wire(edited))


async def meter_of(services: Services, namespace: str, id: UUID) -> StoredMeter:
    """Raises NotFound, also for a meter that this dialect has no words for."""
    meter = await services.catalog.meter_of_uuid(namespace, id)
    if meter.aggregation not in SAYABLE:
        raise NotFound(f"meter not found: {id}")
    return meter


def order_of(sorting: Sequence[str]) -> list[tuple[str, bool]]:
    return [(one.removeprefix("-"), one.startswith("-")) for one in sorting]


def ensure_ours(organization_id: UUID | None, namespace: str) -> None:
    if organization_id not in {None, organization_of(namespace)}:
        message = "Organization not found."
        raise InvalidInput(message, [FieldError(field="/organization_id", message=message)])


def _forbidden(parts: Sequence[str], message: str) -> InvalidInput:
    return InvalidInput(
        message, [FieldError(field=f"/{part}", message=message, code="forbidden") for part in parts]
    )


def _edit_from_wire(body: PolarMeterUpdate, meter: StoredMeter) -> MeterEdit:
    definition = None
    if body.filter is not None or body.aggregation is not None:
        both = {"filter": filter_to_wire(meter), "aggregation": aggregation_to_wire(meter)}
        given = body.model_dump(include={"filter", "aggregation"}, exclude_none=True)
        whole = _Definition.model_validate({**both, **given})
        definition = definition_from_wire(whole.filter, whole.aggregation)
    annotations = None
    given_ = body.model_fields_set & {"unit", "custom_label", "custom_multiplier"}
    if given_:
        asked = {**_presentation(meter), **body.model_dump(include=given_)}
        asked["unit"] = asked["unit"] or "scalar"
        annotations = {**(meter.annotations or {}), **presentation_from_wire(**asked)}
    return MeterEdit(
        name=body.name,
        metadata=body.metadata,
        annotations=annotations,
        archived=body.is_archived,
        definition=definition,
    )


class _Definition(BaseModel):
    filter: PolarFilter
    aggregation: Aggregation


def presentation_from_wire(
    unit: Unit, custom_label: str | None, custom_multiplier: int | None
) -> dict[str, Json]:
    """Annotations that tell how to show a quantity; nothing depends on them."""
    if (unit == "custom") is (custom_label is None):
        message = "is required for the unit custom, and allowed for no other"
        raise InvalidInput(message, [FieldError(field="/custom_label", message=message)])
    shown = {"unit": unit, "custom_label": custom_label, "custom_multiplier": custom_multiplier}
    return {"polar": cast("Json", shown)}


def _presentation(meter: StoredMeter) -> dict[str, Any]:
    shown: Any = (meter.annotations or {}).get("polar", {})
    default = {"unit": "scalar", "custom_label": None, "custom_multiplier": None}
    return {**default, **shown}


def meter_to_wire(meter: StoredMeter) -> dict[str, Any]:
    return {
        "id": str(uuid_of_id(meter.id)),
        "created_at": time_to_wire(meter.created_at),
        "modified_at": modified_at(meter),
        "name": meter.name,
        **_presentation(meter),
        "filter": filter_to_wire(meter),
        "aggregation": aggregation_to_wire(meter),
        "metadata": meter.metadata or {},
        "organization_id": str(organization_of(meter.namespace)),
        "archived_at": time_to_wire(meter.archived_at),
    }


def modified_at(meter: StoredMeter) -> str | None:
    """Null until the first change."""
    return None if meter.updated_at == meter.created_at else time_to_wire(meter.updated_at)
