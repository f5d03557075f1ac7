"""`POST /togai/metrics`: what usage meters have counted, by calendar periods."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.togai.errors import documented
from monometer.api.togai.wire import PREFIX, time_to_wire, within_reach
from monometer.api.wire import Text, json_response, number_to_wire
from monometer.core.errors import InvalidInput
from monometer.core.windows import WindowSize
from monometer.services.usage_series import GroupBy, Points, SeriesQuery

router = APIRouter(prefix=f"{PREFIX}/metrics", tags=["Togai Metrics"])

QUERIES_MAX = 5
VALUES_MAX = 100


Instant = Annotated[datetime, AfterValidator(within_reach)]
MetricName = Literal[
    "EVENTS", "USAGE", "METER_USAGE", "NAMED_LICENSE_USAGE", "REVENUE", "USAGE_FOR_CYCLE",
    "REVENUE_FOR_CYCLE",
]  # fmt: skip
_OF_METERS = frozenset({"USAGE", "METER_USAGE"})


class TogaiMetricFilter(BaseModel):
    fieldName: Literal["ACCOUNT_ID", "CUSTOMER_ID", "USAGE_METER_ID", "BILLABLE_ID"]
    fieldValues: Annotated[list[Text], Field(min_length=1, max_length=VALUES_MAX)]


class TogaiMetricQuery(BaseModel):
    id: Text
    name: MetricName
    aggregationPeriod: Literal["HOUR", "DAY", "WEEK", "MONTH"]
    groupBy: GroupBy | None = None
    filters: Annotated[list[TogaiMetricFilter], Field(max_length=5)] | None = None


class TogaiMetricsRequest(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "startTime": "2026-01-01T00:00:00Z",
                    "endTime": "2026-02-01T00:00:00Z",
                    "metricQueries": [
                        {"id": "daily", "name": "METER_USAGE", "aggregationPeriod": "DAY"}
                    ],
                }
            ]
        }
    )

    startTime: Instant
    endTime: Instant
    metricQueries: Annotated[list[TogaiMetricQuery], Field(min_length=1, max_length=QUERIES_MAX)]


class TogaiGroup(BaseModel):
    fieldName: str
    fieldValue: str


class TogaiMetricPoints(BaseModel):
    groupedBy: TogaiGroup | None = None
    timestamps: list[str]
    metricValues: list[float]


class TogaiMetric(BaseModel):
    id: str
    name: str
    data: list[TogaiMetricPoints]


class TogaiMetrics(BaseModel):
    results: list[TogaiMetric]


@router.post(
    "",
    operation_id="togaiGetMetrics",
    summary="Ask for metrics",
    response_model=TogaiMetrics,
    responses=documented(),
)
async def get_metrics(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[TogaiMetricsRequest, Body()]
) -> Response:
    """USAGE and METER_USAGE: both are the units of usage meters, by periods of UTC."""
    for one in body.metricQueries:
        if one.name not in _OF_METERS:
            raise InvalidInput(f"{one.name} cannot be asked for: there are USAGE and METER_USAGE")
    results = []
    for one in body.metricQueries:
        found = await services.usage_series.series(_query(namespace, body, one))
        data = [_points_to_wire(one.groupBy, group, points) for group, points in found.items()]
        results.append({"id": one.id, "name": one.name, "data": data})
    return json_response({"results": results}, HTTPStatus.OK)


def _query(namespace: str, body: TogaiMetricsRequest, one: TogaiMetricQuery) -> SeriesQuery:
    """Of two filters of one field both must fit."""
    wanted: dict[str, set[str]] = {}
    for each in one.filters or ():
        name = "USAGE_METER_ID" if each.fieldName == "BILLABLE_ID" else each.fieldName
        values = set(each.fieldValues)
        wanted[name] = wanted[name] & values if name in wanted else values
    return SeriesQuery(
        namespace=namespace,
        start=body.startTime,
        end=body.endTime,
        size=WindowSize(one.aggregationPeriod),
        by=one.groupBy,
        meters=wanted.get("USAGE_METER_ID"),
        accounts=wanted.get("ACCOUNT_ID"),
        customers=wanted.get("CUSTOMER_ID"),
    )


def _points_to_wire(by: GroupBy | None, group: str | None, points: Points) -> Mapping[str, Any]:
    told: dict[str, Any] = {
        "timestamps": [time_to_wire(at) for at in points],
        "metricValues": [number_to_wire(value) for value in points.values()],
    }
    if by is not None:
        told["groupedBy"] = {"fieldName": by, "fieldValue": group}
    return told
