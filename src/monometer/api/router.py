"""Which dialect answers where."""

from fastapi import APIRouter

from monometer.api import health
from monometer.api.openmeter import events, features, info, ingest, meter_query, meters

router = APIRouter()
for part in (ingest, events, meters, meter_query, features, info, health):
    router.include_router(part.router)
