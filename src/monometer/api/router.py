"""Which dialect answers where."""

from fastapi import APIRouter

from monometer.api import health, problems
from monometer.api.openmeter import events, info, ingest, meter_query, meters
from monometer.api.openmeter.v3 import errors as v3_errors
from monometer.api.openmeter.v3 import router as v3

router = APIRouter()
for part in (ingest, events, meters, meter_query, info, v3, health):
    router.include_router(part.router)

problems.tell_otherwise(v3_errors.PATH_PREFIX, v3_errors.respond)
