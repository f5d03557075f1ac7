"""`/api/v1/meters/{meterIdOrSlug}/query`: the usage of a meter, asked by GET or POST."""

import re
import time
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, TypeAdapter

from monometer.api.deps import NamespaceOf, Services, ServicesOf
from monometer.api.metrics import QUERY_SECONDS
from monometer.api.openmeter.events import ClientId
from monometer.api.openmeter.filters import FilterString, of_json_parameter
from monometer.api.openmeter.meter_rows import Answer, csv_chunks, json_chunks, rows_response
from monometer.api.openmeter.meters import From, MeterIdOrSlug, To
from monometer.api.openmeter.query_shapes import (
    ITEMS_MAX,
    MeterQueryRequest,
    MeterQueryResult,
    WindowSize,
    groups_from_wire,
    query_from_wire,
)
from monometer.api.problems import MalformedRequest, documented
from monometer.api.wire import Text, json_response
from monometer.core import windows
from monometer.core.meter import Meter
from monometer.core.usage import UsageQuery

router = APIRouter(prefix="/api/v1/meters/{meterIdOrSlug}/query", tags=["Meters"])

_group_filters = TypeAdapter(dict[Text, FilterString])
_GROUP_FILTER = re.compile(r"filterGroupBy\[(.*)\]", re.DOTALL)

_CSV_TOO: dict[str, Any] = {
    "description": "The usage. CSV when `Accept` is exactly `text/csv`.",
    "content": {"text/csv": {"schema": {"type": "string"}}},
}
_RESPONSES = {HTTPStatus.OK.value: _CSV_TOO, **documented(HTTPStatus.NOT_FOUND)}

# FastAPI does not know parameters of style deepObject.
_FILTER_GROUP_BY: dict[str, Any] = {
    "parameters": [
        {
            "name": "filterGroupBy",
            "in": "query",
            "required": False,
            "deprecated": True,
            "description": "`filterGroupBy[key]=value`: only that value of a group key.",
            "style": "deepObject",
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
            "example": {"model": "gpt-4"},
        }
    ]
}


@router.get(
    "",
    operation_id="queryMeter",
    summary="Query a meter",
    response_model=MeterQueryResult,
    responses=_RESPONSES,
    openapi_extra=_FILTER_GROUP_BY,
)
async def query_meter(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    meterIdOrSlug: MeterIdOrSlug,
    *,
    clientId: ClientId = None,
    from_: From = None,
    to: To = None,
    windowSize: Annotated[WindowSize | None, Query()] = None,
    windowTimeZone: Annotated[Text, Query(examples=["America/New_York"])] = "UTC",
    subject: Annotated[list[Text] | None, Query(description="Also groups by subject.")] = None,
    filterCustomerId: Annotated[list[Text] | None, Query(max_length=ITEMS_MAX)] = None,
    advancedMeterGroupByFilters: Annotated[
        str | None,
        Query(
            description="JSON text: a filter object by group key.",
            openapi_examples={"one of": {"value": '{"model": {"$in": ["gpt-4", "o1"]}}'}},
        ),
    ] = None,
    groupBy: Annotated[list[Text] | None, Query()] = None,
) -> Response:
    """Aggregated usage, by window and group. Only windows with events have a row."""
    advanced = advancedMeterGroupByFilters
    asked = MeterQueryRequest.model_construct(
        clientId=clientId,
        from_=from_,
        to=to,
        windowSize=windowSize,
        windowTimeZone=windowTimeZone,
        subject=subject,
        filterCustomerId=filterCustomerId,
        filterGroupBy=_group_values(request),
        advancedMeterGroupByFilters=of_json_parameter(
            "advancedMeterGroupByFilters", advanced, _group_filters
        )
        if advanced
        else None,
        groupBy=groupBy,
    )
    return await _answer(services, namespace, meterIdOrSlug, asked, request)


@router.post(
    "",
    operation_id="queryMeterPost",
    summary="Query a meter by a body",
    response_model=MeterQueryResult,
    responses=_RESPONSES,
)
async def query_meter_post(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    meterIdOrSlug: MeterIdOrSlug,
    body: Annotated[MeterQueryRequest | None, Body()] = None,
) -> Response:
    """The same as by GET, with room for longer filters."""
    asked = body or MeterQueryRequest()  # a client of old sends no body when it asks for CSV
    return await _answer(services, namespace, meterIdOrSlug, asked, request)


class QueryExplanation(BaseModel):
    """What was read. `source` is `events`, or the kind of cells that saved reading them all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "cells by group",
                    "cellsRead": 32400,
                    "eventsRead": 512,
                    "milliseconds": 7.5,
                }
            ]
        }
    )

    source: str
    cellsRead: int
    eventsRead: int
    milliseconds: float


@router.post(
    "/explain",
    operation_id="explainMeterQuery",
    summary="Say what a query reads",
    response_model=QueryExplanation,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def explain_meter_query(
    services: ServicesOf,
    namespace: NamespaceOf,
    meterIdOrSlug: MeterIdOrSlug,
    body: Annotated[MeterQueryRequest | None, Body()] = None,
) -> Response:
    """Runs the query and counts the rows that it looked at. Not part of OpenMeter's API."""
    meter = await services.catalog.meter(namespace, meterIdOrSlug)
    asked = await _query(services, body or MeterQueryRequest(), meter)
    reading = await services.usage.explain(asked)
    return json_response(
        {
            "source": f"cells by {reading.cells}" if reading.cells else "events",
            "cellsRead": reading.cells_read,
            "eventsRead": reading.events_read,
            "milliseconds": reading.milliseconds,
        }
    )


async def _answer(
    services: Services,
    namespace: str,
    id_or_slug: str,
    asked: MeterQueryRequest,
    request: Request,
) -> Response:
    began = time.perf_counter()
    meter = await services.catalog.meter(namespace, id_or_slug)
    query = await _query(services, asked, meter)
    as_csv = wants_csv(request)
    told = as_csv and query.by_subject
    names = await services.subjects.display_names(namespace, query.subjects) if told else {}
    answer = Answer(
        query=query,
        meter_key=meter.key,
        columns=[group for group in groups_from_wire(asked, meter) if group != "subject"],
        names=names,
        window_size=windows.WindowSize(asked.windowSize) if asked.windowSize else None,
    )
    async with AsyncExitStack() as stack:
        rows = await stack.enter_async_context(services.usage.rows(answer.query))
        QUERY_SECONDS.observe(time.perf_counter() - began)
        chunks = (csv_chunks if as_csv else json_chunks)(answer, rows)
        return await rows_response(answer, chunks, stack.pop_all(), as_csv=as_csv)
    raise AssertionError  # pragma: no cover


async def _query(services: Services, asked: MeterQueryRequest, meter: Meter) -> UsageQuery:
    """Raises InvalidInput, and NotFound for a customer."""
    groups_from_wire(asked, meter)  # wrong ones are told before unknown customers
    ids, attribution = asked.filterCustomerId, None
    if ids:
        attribution = await services.customers.attribution(meter.namespace, ids)
    return query_from_wire(asked, meter, attribution)


def wants_csv(request: Request) -> bool:
    """Only a header that is exactly that one type asks for CSV; lists of types get JSON."""
    accept = request.headers.get("accept", "")
    return "," not in accept and accept.partition(";")[0].strip().lower() == "text/csv"


def _group_values(request: Request) -> dict[str, list[str]]:
    """`filterGroupBy[key]=value`, in any number.

    Raises MalformedRequest for the parameter in any other form, such as some old clients send:
    a filter left out would give a wrong number.
    """
    values: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        match = _GROUP_FILTER.fullmatch(name)
        if match is not None:
            values.setdefault(match[1], []).append(value)
        elif name.startswith("filterGroupBy"):
            raise MalformedRequest(
                'parameter "filterGroupBy" in query has an error: '
                "it must be sent as filterGroupBy[key]=value"
            )
    return values
