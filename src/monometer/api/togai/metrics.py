"""`POST /togai/metrics`: events, and what usage meters have counted, by calendar periods."""

from collections.abc import Collection, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.togai.errors import documented
from monometer.api.togai.wire import PREFIX, one_of, time_to_wire, within_reach
from monometer.api.wire import Text, json_response, number_to_wire
from monometer.core.errors import InvalidInput
from monometer.core.ingestion import IngestionStatus
from monometer.core.windows import WindowSize
from monometer.services.event_series import STATUSES
from monometer.services.series import OF_USAGE, GroupBy, Points, SeriesQuery

router = APIRouter(prefix=f"{PREFIX}/metrics", tags=["Togai Metrics"])

QUERIES_MAX = 5
VALUES_MAX = 100


Instant = Annotated[datetime, AfterValidator(within_reach)]
MetricName = Literal[
    "EVENTS", "USAGE", "METER_USAGE", "NAMED_LICENSE_USAGE", "REVENUE", "USAGE_FOR_CYCLE",
    "REVENUE_FOR_CYCLE",
]  # fmt: skip
_USAGE_FILTERS = frozenset({"ACCOUNT_ID", "CUSTOMER_ID", "USAGE_METER_ID"})
_FILTERS: Mapping[str, Collection[str]] = {
    "EVENTS": frozenset({"ACCOUNT_ID", "CUSTOMER_ID", "SCHEMA_NAME", "EVENT_STATUS"}),
    "USAGE": _USAGE_FILTERS,
    "METER_USAGE": _USAGE_FILTERS,
}
_GROUPS: Mapping[str, Collection[GroupBy]] = {
    "EVENTS": frozenset(set(GroupBy) - {GroupBy.USAGE_METER_ID}),
    "USAGE": OF_USAGE,
    "METER_USAGE": OF_USAGE,
}


class TogaiMetricFilter(BaseModel):
    fieldName: Literal[
        "ACCOUNT_ID", "CUSTOMER_ID", "USAGE_METER_ID", "BILLABLE_ID", "SCHEMA_NAME", "EVENT_STATUS"
    ]  # fmt: skip
    fieldValues: Annotated[list[Text], Field(min_length=1, max_length=VALUES_MAX)]


class TogaiMetricQuery(BaseModel):
    id: Text
    name: MetricName
    aggregationPeriod: Literal["HOUR", "DAY", "WEEK", "MONTH"]
    groupBy: GroupBy | Literal["BILLABLE_ID"] | None = None
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
    """By periods of UTC: EVENTS, and units of usage meters, which are USAGE and METER_USAGE."""
    queries = [_query(namespace, body, one) for one in body.metricQueries]
    results = []
    for one, query in zip(body.metricQueries, queries, strict=True):
        series = services.event_series if one.name == "EVENTS" else services.usage_series
        found = await series.series(query)
        data = [_points_to_wire(one.groupBy, group, points) for group, points in found.items()]
        results.append({"id": one.id, "name": one.name, "data": data})
    return json_response({"results": results}, HTTPStatus.OK)


def _query(namespace: str, body: TogaiMetricsRequest, one: TogaiMetricQuery) -> SeriesQuery:
    """Raises InvalidInput for what the metric has no answer to."""
    if one.name not in _GROUPS:
        raise InvalidInput(f"{one.name} cannot be asked for: there are {', '.join(_GROUPS)}")
    by = GroupBy.USAGE_METER_ID if one.groupBy == "BILLABLE_ID" else one.groupBy
    if by is not None and by not in _GROUPS[one.name]:
        raise InvalidInput(f"{one.name} has no groups by {one.groupBy}")
    wanted = _wanted(one)
    return SeriesQuery(
        namespace=namespace,
        start=body.startTime,
        end=body.endTime,
        size=WindowSize(one.aggregationPeriod),
        by=by,
        meters=wanted.get("USAGE_METER_ID"),
        accounts=wanted.get("ACCOUNT_ID"),
        customers=wanted.get("CUSTOMER_ID"),
        schemas=wanted.get("SCHEMA_NAME"),
        statuses=_statuses(wanted.get("EVENT_STATUS")),
    )


def _wanted(one: TogaiMetricQuery) -> Mapping[str, set[str]]:
    """Of two filters of one field both must fit. Raises InvalidInput."""
    wanted: dict[str, set[str]] = {}
    for each in one.filters or ():
        name = "USAGE_METER_ID" if each.fieldName == "BILLABLE_ID" else each.fieldName
        values = set(each.fieldValues)
        if name not in _FILTERS[one.name]:
            raise InvalidInput(f"{one.name} has no filter by {each.fieldName}")
        if name == "SCHEMA_NAME" and len(values) > 1:
            raise InvalidInput("SCHEMA_NAME takes one value")
        wanted[name] = wanted[name] & values if name in wanted else values
    return wanted


def _statuses(names: set[str] | None) -> list[IngestionStatus] | None:
    """Raises InvalidInput."""
    if names is None:
        return None
    known = one_of("EVENT_STATUS", sorted(names), list(STATUSES))
    return [status for name in known for status in STATUSES[name]]


def _points_to_wire(by: str | None, group: str | None, points: Points) -> Mapping[str, Any]:
    told: dict[str, Any] = {
        "timestamps": [time_to_wire(at) for at in points],
        "metricValues": [number_to_wire(value) for value in points.values()],
    }
    if by is not None:
        told["groupedBy"] = {"fieldName": by, "fieldValue": group}
    return told
