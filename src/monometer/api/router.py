"""Which dialect answers where."""

from fastapi import APIRouter

from monometer.api import health
from monometer.api.openmeter import (
    customers,
    entitlements,
    events,
    features,
    grants,
    info,
    ingest,
    meter_query,
    meters,
    subjects,
)

router = APIRouter()
for part in (ingest, events, meters, meter_query, features, info, health):
    router.include_router(part.router)
# Keys of subjects and customers may hold slashes, so whatever lies below them comes before them.
for part in (grants, entitlements, subjects, customers):
    router.include_router(part.router)
