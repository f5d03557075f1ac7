"""Togai's operations together, and its way to fail."""

from fastapi import APIRouter

from monometer.api.problems import tell_otherwise
from monometer.api.togai import (
    accounts,
    customers,
    entitled,
    errors,
    event_schemas,
    events,
    ingest,
    metrics,
    usage_meters,
)
from monometer.api.togai.wire import PREFIX

router = APIRouter()
for part in (ingest, events, entitled, event_schemas, usage_meters, metrics, customers, accounts):
    router.include_router(part.router)
tell_otherwise(PREFIX, errors.answer)
