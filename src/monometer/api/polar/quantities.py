"""`GET /v1/meters/{id}/quantities`: the usage of a meter in calendar buckets."""

from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import UUID4, BaseModel

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.polar.errors import documented
from monometer.api.polar.meters import meter_of
from monometer.api.polar.wire import (
    METADATA_PARAMETER,
    Id,
    Instant,
    metadata_filter,
    time_to_wire,
)
from monometer.api.wire import Text, json_response, number_to_wire
from monometer.core.aggregation import Aggregation
from monometer.core.clauses import text_values
from monometer.core.errors import FieldError, InvalidInput
from monometer.core.quantities import Quantities, QuantitiesQuery
from monometer.core.usage import UsageQuery
from monometer.core.windows import WindowSize, zone

router = APIRouter(prefix="/v1/meters", tags=["Polar Meters"])

START_MIN = datetime(2023, 1, 1, tzinfo=UTC)
END_MAX = datetime(9000, 1, 1, tzinfo=UTC)


class TimeInterval(StrEnum):
    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    HOUR = "hour"


class AggregationFunction(StrEnum):
    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    MIN = "min"
    AVG = "avg"
    UNIQUE = "unique"


DAYS_MAX = {
    TimeInterval.HOUR: 7,
    TimeInterval.DAY: 366,
    TimeInterval.WEEK: 371,
    TimeInterval.MONTH: 1460,
    TimeInterval.YEAR: 3650,
}
_ACROSS = {
    AggregationFunction.UNIQUE: Aggregation.UNIQUE_COUNT,
    **{one: Aggregation(one.name) for one in AggregationFunction if one != "unique"},
}


class MeterQuantity(BaseModel):
    timestamp: str
    quantity: float


class MeterQuantities(BaseModel):
    quantities: list[MeterQuantity]
    total: float


@router.get(
    "/{id}/quantities",
    operation_id="polarGetMeterQuantities",
    summary="Get the quantities of a meter",
    response_model=MeterQuantities,
    responses=documented(HTTPStatus.NOT_FOUND),
    openapi_extra=METADATA_PARAMETER,
)
async def quantities(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    id: Id,
    *,
    start_timestamp: Annotated[Instant, Query()],
    end_timestamp: Annotated[Instant, Query()],
    interval: Annotated[TimeInterval, Query()],
    timezone: Annotated[Text, Query()] = "UTC",
    customer_id: Annotated[list[UUID4] | None, Query()] = None,
    external_customer_id: Annotated[list[Text] | None, Query()] = None,
    exernal_customer_id: Annotated[
        list[Text] | None, Query(description="As clients of 0.16.0 spell it.", deprecated=True)
    ] = None,
    customer_aggregation_function: Annotated[AggregationFunction | None, Query()] = None,
) -> Response:
    """Whole buckets of the calendar, one for each step from the start on; zeros included."""
    meter = await meter_of(services, namespace, id)
    _validate(start_timestamp, end_timestamp, interval, timezone)
    externals = [*(external_customer_id or ()), *(exernal_customer_id or ())]
    across = customer_aggregation_function
    query = QuantitiesQuery(
        usage=UsageQuery(
            namespace=namespace,
            measure=meter.measure(),
            subjects=await services.owners.subjects_of(namespace, customer_id or (), externals)
            if customer_id or externals
            else None,
            where=text_values(metadata_filter(request)),
        ),
        start=start_timestamp,
        end=end_timestamp,
        size=WindowSize(interval.name),
        zone=timezone,
        across=None if across is None else _ACROSS[across],
    )
    return json_response(quantities_to_wire(await services.quantities.quantities(query)))


def quantities_to_wire(found: Quantities) -> dict[str, object]:
    points = [
        {"timestamp": time_to_wire(at), "quantity": number_to_wire(quantity)}
        for at, quantity in found.points
    ]
    return {"quantities": points, "total": number_to_wire(found.total)}


def _validate(start: datetime, end: datetime, interval: TimeInterval, timezone: str) -> None:
    """Raises InvalidInput."""
    try:
        zone(timezone)
    except InvalidInput as error:
        field = FieldError(field="timezone", message="Invalid timezone", code="enum")
        raise InvalidInput(error.message, [field]) from None
    if start < START_MIN:
        message = f"must be at or after {time_to_wire(START_MIN)}"
        raise InvalidInput(message, [FieldError(field="start_timestamp", message=message)])
    if end >= END_MAX:
        message = f"must be before {time_to_wire(END_MAX)}"
        raise InvalidInput(message, [FieldError(field="end_timestamp", message=message)])
    if start > end:
        message = "The start timestamp must be before the end timestamp."
        raise InvalidInput(message, [FieldError(field="query", message=message)])
    if (end.date() - start.date()).days > DAYS_MAX[interval]:
        message = f"The interval {interval} allows {DAYS_MAX[interval]} days at most."
        raise InvalidInput(message, [FieldError(field="query", message=message)])
