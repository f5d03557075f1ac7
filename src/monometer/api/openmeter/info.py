"""Lookups beside metering: events of today, currencies, and a progress that is never long."""

from functools import cache
from typing import Annotated, Any

import iso4217
from babel.numbers import get_currency_symbol
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.problems import documented
from monometer.api.wire import Instant, Text, json_response
from monometer.core.errors import NotFound
from monometer.core.numbers import plain

router = APIRouter(prefix="/api/v1")

_METRICS_EXAMPLE = """# HELP openmeter_events Number of ingested events
# TYPE openmeter_events counter
openmeter_events_total{subject="customer-1"} 2.0
"""


@router.get(
    "/debug/metrics",
    operation_id="getDebugMetrics",
    summary="Events of today by subject",
    tags=["Debug"],
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}, "example": _METRICS_EXAMPLE}}
        },
        **documented(),
    },
)
async def get_debug_metrics(services: ServicesOf, namespace: NamespaceOf) -> Response:
    """Events whose time is since midnight UTC, as OpenMetrics text."""
    lines = [
        "# HELP openmeter_events Number of ingested events",
        "# TYPE openmeter_events counter",
    ]
    for subject, count in await services.usage.counts_today(namespace):
        lines.append(f'openmeter_events_total{{subject="{_label(subject)}"}} {plain(count)}.0')
    return Response("\n".join(lines) + "\n", headers={"content-type": "text/plain"})


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class Currency(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"code": "USD", "name": "US Dollar", "symbol": "$", "subunits": 2}]
        }
    )

    code: Annotated[str, Field(min_length=3, max_length=3, pattern=r"^[A-Z]{3}$")]
    name: str
    symbol: str
    subunits: int = Field(description="Digits after the decimal point.", ge=0)


@router.get(
    "/info/currencies",
    operation_id="listCurrencies",
    summary="List currencies",
    tags=["Lookup Information"],
    response_model=list[Currency],
    responses=documented(),
)
async def list_currencies() -> Response:
    """The currencies of ISO 4217, by code."""
    return json_response(_currencies())


@cache
def _currencies() -> list[dict[str, Any]]:
    """ISO 4217 has no symbols, and CLDR counts the digits of cash: each is asked what it knows."""
    return [
        {
            "code": currency.code,
            "name": currency.currency_name,
            "symbol": get_currency_symbol(currency.code, locale="en"),
            "subunits": currency.exponent,
        }
        for currency in sorted(iso4217.Currency, key=lambda one: one.code)
        if currency.exponent is not None  # gold, test codes and the like are no money
    ]


class Progress(BaseModel):
    success: int
    failed: int
    total: int
    updatedAt: Instant


@router.get(
    "/info/progress/{id}",
    operation_id="getProgress",
    summary="Progress of a long request",
    tags=["Lookup Information"],
    response_model=Progress,
    responses=documented(),
)
async def get_progress(
    id: Annotated[Text, Path(examples=["01KDV7B0000000000000000000"])],
) -> Response:
    """Always 404: no request runs long enough here to have any."""
    raise NotFound(f"progress not found: {id}")
