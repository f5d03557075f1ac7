"""`/api/v3/openmeter/features/{featureId}/cost/query`: what the usage of a feature costs."""

import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.metrics import QUERY_SECONDS
from monometer.api.openmeter.customer_shapes import CurrencyCode
from monometer.api.openmeter.feature_shapes import Numeric
from monometer.api.openmeter.meter_rows import Answer, rows_response
from monometer.api.openmeter.v3.errors import documented
from monometer.api.openmeter.v3.features import FeatureId
from monometer.api.openmeter.v3.parameters import wrong
from monometer.api.openmeter.v3.query_shapes import (
    MeterQueryRequestV3,
    customers_from_wire,
    query_from_wire,
)
from monometer.api.openmeter.v3.rows import json_chunks
from monometer.api.wire import Instant, left_out
from monometer.core.numbers import EXACT, plain

router = APIRouter(prefix="/api/v3/openmeter/features/{featureId}/cost/query", tags=["Features v3"])

CURRENCY = "USD"  # of every unit cost, which names none

_Row = Mapping[str, str | None]


class FeatureCostQueryRow(BaseModel):
    usage: Numeric = Field(description="With all its digits.")
    cost: Numeric | None = Field(description="Usage times unit cost, exactly; null if unknown.")
    currency: CurrencyCode
    detail: str = left_out()  # why the cost is unknown
    from_: Instant = Field(alias="from")
    to: Instant = Field(description="Excluded.")
    dimensions: dict[str, str]


class FeatureCostQueryResult(BaseModel):
    """Windows without events have no row. Rows are ordered by window, subject and dimensions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "data": [
                        {
                            "usage": "1250.5",
                            "cost": "2.501",
                            "currency": "USD",
                            "from": "2026-01-01T00:00:00Z",
                            "to": "2026-01-02T00:00:00Z",
                            "dimensions": {"subject": "customer-1"},
                        }
                    ]
                }
            ]
        }
    )

    from_: Instant | None = Field(None, alias="from")
    to: Instant | None = None
    data: list[FeatureCostQueryRow]


@router.post(
    "",
    operation_id="query-feature-cost",
    summary="Query the cost of a feature's usage (v3)",
    response_model=FeatureCostQueryResult,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def query_feature_cost(
    services: ServicesOf,
    namespace: NamespaceOf,
    featureId: FeatureId,
    body: Annotated[MeterQueryRequestV3 | None, Body()] = None,
) -> Response:
    """As a query of its meter, of the events that pass the feature's filters."""
    began = time.perf_counter()
    asked = body or MeterQueryRequestV3()
    feature = await services.features.feature(namespace, featureId.upper())
    measure = feature.measure()
    if feature.meter is None or measure is None:
        raise wrong("featureId", "the feature has no meter", source="path")
    ids, attribution = customers_from_wire(asked), None
    if ids is not None:
        attribution = await services.customers.attribution(namespace, ids)
    query = replace(query_from_wire(asked, feature.meter, attribution), measure=measure)
    answer = Answer(query=query, meter_key=feature.meter.key)
    async with AsyncExitStack() as stack:
        rows = await stack.enter_async_context(services.usage.rows(query))
        QUERY_SECONDS.observe(time.perf_counter() - began)
        chunks = json_chunks(answer, rows, _costs(feature.unit_cost))
        return await rows_response(answer, chunks, stack.pop_all(), as_csv=False)
    raise AssertionError  # pragma: no cover


def _costs(unit_cost: Mapping[str, Any] | None) -> Callable[[Decimal], _Row]:
    """The members of a row that its usage comes to."""
    if unit_cost is not None and unit_cost["type"] == "manual":
        amount = Decimal(unit_cost["amount"])
        return lambda usage: {
            "usage": plain(usage),
            "cost": plain(EXACT.multiply(usage, amount)),
            "currency": CURRENCY,
        }
    reason = "the feature has no unit cost"
    if unit_cost is not None:
        reason = "the server has no prices of language models"
    unknown = {"cost": None, "currency": CURRENCY, "detail": reason}
    return lambda usage: {"usage": plain(usage), **unknown}
