"""Lookups beside metering: events of today, currencies, and a progress that is never long."""

from functools import cache
from typing import Annotated, Any

from babel import Locale
from babel.core import get_global
from babel.numbers import get_currency_name, get_currency_precision, get_currency_symbol
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.problems import documented
from monometer.api.wire import Instant, Text, json_response
from monometer.core.errors import NotFound
from monometer.core.numbers import plain

router = APIRouter(prefix="/api/v1")


@router.get(
    "/debug/metrics",
    operation_id="getDebugMetrics",
    summary="Events of today by subject",
    tags=["Debug"],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
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
    """Currencies that are legal tender somewhere today, by code."""
    return json_response(_currencies())


@cache
def _currencies() -> list[dict[str, Any]]:
    by_territory = get_global("territory_currencies")
    current = {
        code
        for entries in by_territory.values()
        for code, _start, end, is_tender in entries
        if end is None and is_tender
    }
    english = Locale("en")
    return [
        {
            "code": code,
            "name": get_currency_name(code, locale=english),
            "symbol": get_currency_symbol(code, locale=english),
            "subunits": get_currency_precision(code),
        }
        for code in sorted(current)
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
async def get_progress(id: Annotated[Text, Path()]) -> Response:  # noqa: A002 - the wire's name
    """Always 404: no request runs long enough here to have any."""
    raise NotFound(f"progress not found: {id}")
