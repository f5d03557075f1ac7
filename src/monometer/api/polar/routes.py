"""Polar's operations together, and its way to fail."""

from fastapi import APIRouter

from monometer.api.polar import (
    customer_meters,
    customers,
    errors,
    events,
    ingest,
    meters,
    quantities,
)
from monometer.api.polar.paths import PREFIX
from monometer.api.problems import tell_otherwise

# External ids may hold slashes, so whatever lies below them comes before them.
router = APIRouter()
for part in (ingest, meters, quantities, events, customer_meters, customers):
    router.include_router(part.router)
tell_otherwise(PREFIX, errors.answer)
