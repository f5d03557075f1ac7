"""Which dialect answers where."""

from fastapi import APIRouter

from monometer.api import health, problems
from monometer.api.openmeter import (
    customers,
    events,
    info,
    ingest,
    meter_query,
    meters,
    subjects,
)
from monometer.api.openmeter.v3 import errors as v3_errors
from monometer.api.openmeter.v3 import router as v3
from monometer.api.polar import routes as polar

router = APIRouter()
for part in (ingest, events, meters, meter_query, info, v3, health):
    router.include_router(part.router)
# Keys of subjects and customers may hold slashes, so whatever lies below them comes before them.
for part in (subjects, customers):
    router.include_router(part.router)
router.include_router(polar.router)

problems.tell_otherwise(v3_errors.PATH_PREFIX, v3_errors.respond)
