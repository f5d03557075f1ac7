"""Which dialect answers where."""

from fastapi import APIRouter

from monometer.api import health, keys, problems
from monometer.api.openmeter import (
    access,
    consume,
    customers,
    entitlements,
    entitlements_v2,
    events,
    features,
    grants,
    grants_v2,
    info,
    ingest,
    meter_query,
    meters,
    portal,
    subjects,
)
from monometer.api.openmeter.v3 import errors as v3_errors
from monometer.api.openmeter.v3 import router as v3
from monometer.api.polar import routes as polar
from monometer.api.togai import routes as togai

router = APIRouter()
for part in (ingest, events, meters, meter_query, features, portal, info, v3, keys, health):
    router.include_router(part.router)
# Keys of subjects and customers may hold slashes, so whatever lies below them comes before them.
for part in (
    grants, grants_v2, consume, entitlements, entitlements_v2, access, subjects, customers,
):  # fmt: skip
    router.include_router(part.router)
router.include_router(polar.router)
router.include_router(togai.router)

problems.tell_otherwise(v3_errors.PATH_PREFIX, v3_errors.respond)
