"""Which dialect answers where."""

from fastapi import APIRouter

from monometer.api import health
from monometer.api.openmeter import events, info, ingest, meter_query, meters
from monometer.api.polar import errors as polar_errors
from monometer.api.polar import meters as polar_meters
from monometer.api.polar import quantities as polar_quantities
from monometer.api.polar.paths import PREFIX
from monometer.api.problems import speaks

router = APIRouter()
for part in (ingest, events, meters, meter_query, info, health):
    router.include_router(part.router)
for polar_part in (polar_meters, polar_quantities):
    router.include_router(polar_part.router)
speaks(PREFIX, polar_errors.answer)
