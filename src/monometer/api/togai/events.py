"""`GET /togai/events`: events that were sent by this API, and what became of each."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from monometer.api.deps import NamespaceOf, Services, ServicesOf
from monometer.api.togai.customer_shapes import customer_id_of
from monometer.api.togai.errors import documented
from monometer.api.togai.ingest import TogaiEvent
from monometer.api.togai.wire import PREFIX, NextToken, PageSize, one_of, size_of, time_to_wire
from monometer.api.wire import Text, json_response, number_to_wire
from monometer.core.customer import Customer
from monometer.core.errors import InvalidInput
from monometer.core.ingestion import Ingestion, IngestionStatus, MeterUnits
from monometer.core.short_ids import short_id
from monometer.core.uuids import ALPHABET, ULID_CHARS
from monometer.store.ingestions import IngestionFilter

router = APIRouter(prefix=f"{PREFIX}/events", tags=["Togai Events"])

PAGE_SIZE_MAX = 50  # and default


class TogaiIngestionStatus(BaseModel):
    status: IngestionStatus
    statusDescription: str | None = None


class TogaiEventWithStatus(BaseModel):
    referenceId: str
    eventPayload: TogaiEvent
    ingestionStatus: TogaiIngestionStatus
    customerId: str | None = None
    createdAt: str


class TogaiEvents(BaseModel):
    events: list[TogaiEventWithStatus]
    nextToken: str | None = None


class TogaiMeterUnits(BaseModel):
    id: str
    name: str
    version: int
    status: str
    units: float | None = None


class TogaiNamed(BaseModel):
    id: str
    name: str


class TogaiPipelineSchema(BaseModel):
    name: str
    version: int


class TogaiMadeField(BaseModel):
    name: str
    type: str
    value: str


class TogaiMadeFields(BaseModel):
    attributes: list[TogaiMadeField]
    dimensions: list[TogaiMadeField]


class TogaiEventPipeline(BaseModel):
    eventSchema: TogaiPipelineSchema | None = None
    usageMeters: list[TogaiMeterUnits]
    account: TogaiNamed | None = None
    customer: TogaiNamed | None = None
    enrichments: TogaiMadeFields | None = None


class TogaiEventWithPipeline(TogaiEventWithStatus):
    eventPipelineInfo: TogaiEventPipeline


class TogaiEventTellings(BaseModel):
    events: list[TogaiEventWithPipeline]


@router.get(
    "",
    operation_id="togaiListEvents",
    summary="List events",
    response_model=TogaiEvents,
    responses=documented(),
)
async def list_events(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    status: Annotated[list[Text] | None, Query()] = None,
    account_id: Annotated[
        Text | None, Query(description="Its id; where it was not found, as sent.")
    ] = None,
    schema_name: Annotated[Text | None, Query()] = None,
    nextToken: NextToken = None,
    pageSize: PageSize = None,
) -> Response:
    """Newest first. Those of other APIs are not told."""
    size = PAGE_SIZE_MAX if pageSize is None else size_of(pageSize, PAGE_SIZE_MAX)
    wanted = IngestionFilter(
        statuses=one_of("status", status, list(IngestionStatus)) if status else None,
        accounts=None if account_id is None else [account_id],
        schemas=None if schema_name is None else [schema_name],
    )
    found = await services.ingestions.page(
        namespace, wanted, before=_before(nextToken), limit=size + 1
    )
    shown = found[:size]
    customers = await _customers(services, namespace, shown)
    told: dict[str, Any] = {"events": [_to_wire(one, customers) for one in shown]}
    if len(found) > size:
        told["nextToken"] = shown[-1].reference_id
    return json_response(told)


@router.get(
    "/{event_id:any}",
    operation_id="togaiGetEvent",
    summary="Get an event",
    response_model=TogaiEventTellings,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_event(
    services: ServicesOf,
    namespace: NamespaceOf,
    event_id: Annotated[Text, Path(min_length=1, description="The sender's id of the event.")],
) -> Response:
    """Each time that the id was sent, newest first, with the units that it is for each meter."""
    found = await services.ingestions.of_event(namespace, event_id)
    customers = await _customers(services, namespace, found)
    names = await services.accounts.names(namespace, {one.account for one in found})
    told = [
        {**_to_wire(one, customers), "eventPipelineInfo": _pipeline(one, customers, names)}
        for one in found
    ]
    return json_response({"events": told})


def _before(token: str | None) -> str | None:
    """Raises InvalidInput for a token that no page has."""
    if token is not None and (len(token) != ULID_CHARS or not set(token) <= set(ALPHABET)):
        raise InvalidInput("nextToken is of no page")
    return token


async def _customers(
    services: Services, namespace: str, found: Sequence[Ingestion]
) -> Mapping[str, Customer]:
    """Account → its customer."""
    known = {one.account for one in found if _has_account(one)}
    return await services.owners.of_subjects(namespace, known)


def _has_account(one: Ingestion) -> bool:
    return one.status is not IngestionStatus.ACCOUNT_NOT_FOUND


def _to_wire(one: Ingestion, customers: Mapping[str, Customer]) -> dict[str, Any]:
    status: dict[str, Any] = {"status": one.status}
    if one.description is not None:
        status["statusDescription"] = one.description
    told = {
        "referenceId": one.reference_id,
        "eventPayload": one.payload,
        "ingestionStatus": status,
        "createdAt": time_to_wire(one.created_at),
    }
    if one.account in customers and _has_account(one):
        told["customerId"] = customer_id_of(customers[one.account])
    return told


def _pipeline(
    one: Ingestion, customers: Mapping[str, Customer], names: Mapping[str, str]
) -> dict[str, Any]:
    told: dict[str, Any] = {"usageMeters": [_units(each) for each in one.units]}
    if one.schema_version is not None:
        told["eventSchema"] = {"name": one.schema, "version": one.schema_version}
    if _has_account(one):
        told["account"] = {"id": one.account, "name": names.get(one.account, one.account)}
    if "account" in told and one.account in customers:
        customer = customers[one.account]
        told["customer"] = {"id": customer_id_of(customer), "name": customer.name}
    if one.enriched:
        made = [{"name": name, "type": kind, "value": value} for name, kind, value in one.enriched]
        told["enrichments"] = {
            "attributes": [each for each in made if each["type"] == "ATTRIBUTE"],
            "dimensions": [each for each in made if each["type"] == "DIMENSION"],
        }
    return told


def _units(one: MeterUnits) -> dict[str, Any]:
    told = {"id": short_id(one.meter_id), "name": one.name, "version": 1}
    if one.units is None:
        return {**told, "status": "PROCESSED_FILTERED_OUT"}
    return {**told, "status": "PROCESSED_UNITS_COMPUTED", "units": number_to_wire(one.units)}
