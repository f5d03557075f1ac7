"""Which dialect answers where."""

from fastapi import APIRouter

from monometer.api import health, keys
from monometer.api.openmeter import (
    access,
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

router = APIRouter()
for part in (ingest, events, meters, meter_query, features, portal, info, keys, health):
    router.include_router(part.router)
# Keys of subjects and customers may hold slashes, so whatever lies below them comes before them.
for part in (grants, grants_v2, entitlements, entitlements_v2, access, subjects, customers):
    router.include_router(part.router)
