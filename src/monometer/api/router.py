"""Which dialect answers where."""

from fastapi import APIRouter

from monometer.api import health
from monometer.api.openmeter import events, info, ingest, meter_query, meters, portal

router = APIRouter()
for part in (ingest, events, meters, meter_query, portal, info, health):
    router.include_router(part.router)
