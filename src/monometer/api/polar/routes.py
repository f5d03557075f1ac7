"""Polar's operations together, and its way to fail."""

from fastapi import APIRouter

from monometer.api.polar import errors, ingest, meters, quantities
from monometer.api.polar.paths import PREFIX
from monometer.api.problems import speaks

router = APIRouter()
for part in (meters, quantities, ingest):
    router.include_router(part.router)
speaks(PREFIX, errors.answer)
