"""`/togai/event_schema`: what events of a type declare."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.togai.errors import documented
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
from monometer.core.event_schema import EventSchema, Status
from monometer.core.sent_event import check_template, enrichments_of

router = APIRouter(prefix=f"{PREFIX}/event_schema", tags=["Togai Event Schemas"])

FIELDS_MAX = 50


class TogaiAttribute(BaseModel):
    name: Name
    defaultUnit: Annotated[StrictStr, Field(max_length=10), STORABLE] | None = None


class TogaiDimension(BaseModel):
    name: Name


class TogaiEnrichedField(BaseModel):
    name: Name
    type: Literal["ATTRIBUTE", "DIMENSION"]
    enrichmentType: Literal["VALUE", "JSON_LOGIC"]
    value: Annotated[StrictStr, Field(max_length=1500), STORABLE]
    order: StrictInt = 1


class TogaiEnrichments(BaseModel):
    fields: list[TogaiEnrichedField] = Field(max_length=FIELDS_MAX)


def _unique(fields: list[Any]) -> list[Any]:
    names = [one.name for one in fields]
    if len(set(names)) < len(names):
        raise ValueError("names must be unique")
    return fields


Attributes = Annotated[list[TogaiAttribute], Field(max_length=FIELDS_MAX), AfterValidator(_unique)]
Dimensions = Annotated[list[TogaiDimension], Field(max_length=FIELDS_MAX), AfterValidator(_unique)]


class TogaiEventSchemaUpdate(BaseModel):
    """Lists replace what was there; what is left out stays."""

    description: Long | None = None
    attributes: Attributes | None = None
    dimensions: Dimensions | None = None
    enrichments: TogaiEnrichments | None = None
    filterFields: Annotated[list[Name], Field(max_length=100)] | None = None
    eventIdTemplate: Long | None = None


class TogaiEventSchemaCreate(TogaiEventSchemaUpdate):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "api_call",
                    "attributes": [{"name": "bytes"}],
                    "dimensions": [{"name": "region"}],
                }
            ]
        }
    )

    name: Name
    attributes: Attributes
    dimensions: Dimensions


class TogaiEventSchema(TogaiEventSchemaUpdate):
    name: str
    version: int
    status: Status
    createdAt: str
    updatedAt: str


class TogaiListedEventSchema(TogaiEventSchema):
    usageMetersCount: int


class TogaiEventSchemas(BaseModel):
    data: list[TogaiListedEventSchema]
    nextToken: str | None = None
    context: TogaiPage


class TogaiEventSchemaVersions(BaseModel):
    data: list[TogaiEventSchema]


SchemaName = Annotated[Text, Path(alias="name", description="Also the type of its events.")]


@router.post(
    "",
    operation_id="togaiCreateEventSchema",
    summary="Create an event schema",
    status_code=HTTPStatus.CREATED,
    response_model=TogaiEventSchema,
    responses=documented(),
)
async def create_event_schema(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[TogaiEventSchemaCreate, Body()]
) -> Response:
    """A draft of version 1."""
    declared = _declared(body)
    made = await services.event_schemas.create(namespace, body.name, declared)
    return json_response(schema_to_wire(made), HTTPStatus.CREATED)


@router.get(
    "",
    operation_id="togaiListEventSchemas",
    summary="List event schemas",
    response_model=TogaiEventSchemas,
    responses=documented(),
)
async def list_event_schemas(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    status: Annotated[list[Text] | None, Query()] = None,
    nextToken: NextToken = None,
    pageSize: PageSize = None,
) -> Response:
    """The newest version of each, last updated first."""
    offset, size = offset_of(nextToken), size_of(pageSize)
    page, meters = await services.event_schemas.page(
        namespace, one_of("status", status, list(Status)), offset=offset, limit=size
    )
    items = [
        {**schema_to_wire(one), "usageMetersCount": meters.get(one.name, 0)} for one in page.items
    ]
    return json_response(page_to_wire(items, page.total, offset, size))


@router.get(
    "/{name}",
    operation_id="togaiGetEventSchema",
    summary="Get an event schema",
    response_model=TogaiEventSchema,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_event_schema(
    services: ServicesOf,
    namespace: NamespaceOf,
    name: SchemaName,
    version: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> Response:
    return json_response(schema_to_wire(await services.event_schemas.get(namespace, name, version)))


@router.get(
    "/{name}/versions",
    operation_id="togaiListEventSchemaVersions",
    summary="List the versions of an event schema",
    response_model=TogaiEventSchemaVersions,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def list_versions(services: ServicesOf, namespace: NamespaceOf, name: SchemaName) -> Response:
    found = await services.event_schemas.versions(namespace, name)
    return json_response({"data": [schema_to_wire(one) for one in found]})


@router.patch(
    "/{name}",
    operation_id="togaiUpdateEventSchema",
    summary="Change an event schema",
    response_model=TogaiEventSchema,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def update_event_schema(
    services: ServicesOf,
    namespace: NamespaceOf,
    name: SchemaName,
    body: Annotated[TogaiEventSchemaUpdate, Body()],
) -> Response:
    """Of a schema that has been active only additions, which make another version of it."""
    changed = await services.event_schemas.update(namespace, name, _declared(body))
    return json_response(schema_to_wire(changed))


@router.post(
    "/{name}/activate",
    operation_id="togaiActivateEventSchema",
    summary="Activate an event schema",
    response_model=TogaiEventSchema,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def activate(services: ServicesOf, namespace: NamespaceOf, name: SchemaName) -> Response:
    return json_response(schema_to_wire(await services.event_schemas.activate(namespace, name)))


@router.post(
    "/{name}/deactivate",
    operation_id="togaiDeactivateEventSchema",
    summary="Deactivate an event schema",
    response_model=TogaiEventSchema,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def deactivate(services: ServicesOf, namespace: NamespaceOf, name: SchemaName) -> Response:
    """Not while a usage meter of it is active."""
    return json_response(schema_to_wire(await services.event_schemas.deactivate(namespace, name)))


@router.delete(
    "/{name}",
    operation_id="togaiDeleteEventSchema",
    summary="Delete an event schema",
    response_model=TogaiSuccess,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_event_schema(
    services: ServicesOf, namespace: NamespaceOf, name: SchemaName
) -> Response:
    """With all its versions. Not while a usage meter of it is active; its events stay."""
    await services.event_schemas.delete(namespace, name)
    return json_response({"success": True})


def _declared(body: TogaiEventSchemaUpdate) -> dict[str, Any]:
    """What was said, null the same as absent. Raises InvalidInput for what cannot be done."""
    said = body.model_dump(exclude_none=True, exclude={"name"})
    enrichments_of(said)
    if body.eventIdTemplate is not None:
        check_template(body.eventIdTemplate)
    return said


def schema_to_wire(one: EventSchema) -> Mapping[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "status": one.status,
        **one.declared,
        "createdAt": time_to_wire(one.created_at),
        "updatedAt": time_to_wire(one.updated_at),
    }
