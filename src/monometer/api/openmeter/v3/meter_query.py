"""`/api/v3/openmeter/meters/{meterId}/query`: the usage of a meter."""

import time
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.metrics import QUERY_SECONDS
from monometer.api.openmeter.meter_query import wants_csv
from monometer.api.openmeter.meter_rows import Answer, rows_response
from monometer.api.openmeter.v3.errors import documented
from monometer.api.openmeter.v3.meters import MeterId
from monometer.api.openmeter.v3.query_shapes import (
    MeterQueryRequestV3,
    MeterQueryResultV3,
    customers_from_wire,
    query_from_wire,
)
from monometer.api.openmeter.v3.rows import csv_chunks, json_chunks

router = APIRouter(prefix="/api/v3/openmeter/meters/{meterId}/query", tags=["Meters v3"])

_CSV_TOO: dict[str, Any] = {
    "description": "The usage. CSV when `Accept` is exactly `text/csv`.",
    "content": {"text/csv": {"schema": {"type": "string"}}},
}


@router.post(
    "",
    operation_id="query-meter",
    summary="Query a meter (v3)",
    response_model=MeterQueryResultV3,
    responses={HTTPStatus.OK.value: _CSV_TOO, **documented(HTTPStatus.NOT_FOUND)},
)
async def query_meter(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    meterId: MeterId,
    body: Annotated[MeterQueryRequestV3, Body()],
) -> Response:
    """Aggregated usage, by window and dimension. Only windows with events have a row."""
    began = time.perf_counter()
    meter = await services.catalog.meter(namespace, meterId.upper())
    as_csv, ids = wants_csv(request), customers_from_wire(body)
    attribution, customers = None, {}
    if ids is not None:
        attribution = await services.customers.attribution(namespace, ids)
    answer = Answer(query=query_from_wire(body, meter, attribution), meter_key=meter.key)
    if ids is not None and as_csv:
        live = await services.customers.live_of_ids(namespace, ids)
        customers = {one.id: one for one in live}
    async with AsyncExitStack() as stack:
        rows = await stack.enter_async_context(services.usage.rows(answer.query))
        QUERY_SECONDS.observe(time.perf_counter() - began)
        chunks = csv_chunks(answer, rows, customers) if as_csv else json_chunks(answer, rows)
        return await rows_response(answer, chunks, stack.pop_all(), as_csv=as_csv)
    raise AssertionError  # pragma: no cover
