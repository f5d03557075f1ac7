"""Which dialect answers where."""

from fastapi import APIRouter

from monometer.api import health, keys
from monometer.api.openmeter import events, info, ingest, meter_query, meters

router = APIRouter()
for part in (ingest, events, meters, meter_query, info, keys, health):
    router.include_router(part.router)
