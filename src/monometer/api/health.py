"""Is it alive, is it ready, how is it doing, and what is it."""

import asyncio
import platform

from fastapi import APIRouter, Response

from monometer import __version__
from monometer.api.deps import ServicesOf
from monometer.api.metrics import POOL_CONNECTIONS, QUEUED_EVENTS, exposition
from monometer.api.problems import example
from monometer.api.wire import json_response
from monometer.core.errors import DomainError
from monometer.store import migrate

router = APIRouter(tags=["Operations"])

READY_WITHIN_S = 5


@router.get(
    "/healthz/live",
    operation_id="live",
    summary="The process answers",
    response_class=Response,
    responses=example("ok", "text/plain"),
)
async def live() -> Response:
    return Response("ok", headers={"content-type": "text/plain"})


@router.get("/healthz", include_in_schema=False)
@router.get(
    "/healthz/ready",
    operation_id="ready",
    summary="Requests can be served",
    responses={
        **example({"status": "ok", "checks": {"database": "ok", "migrations": "ok"}}),
        503: {"description": "Something that requests need is missing"},
    },
)
async def ready(services: ServicesOf) -> Response:
    """200 when the database answers and has the schema that this version expects, else 503."""
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            current = await migrate.current(services.engine)
    except (DomainError, TimeoutError) as error:
        checks = {"database": str(error) or "timed out", "migrations": "unknown"}
        return json_response({"status": "unavailable", "checks": checks}, 503)
    head = migrate.head()
    if current != head:
        checks = {"database": "ok", "migrations": f"at {current}, expected {head}"}
        return json_response({"status": "unavailable", "checks": checks}, 503)
    return json_response({"status": "ok", "checks": {"database": "ok", "migrations": "ok"}})


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses=example("monometer_ingest_queued_events 0.0\n", "text/plain"),
)
async def metrics(services: ServicesOf) -> Response:
    pool = services.engine.pool
    POOL_CONNECTIONS.labels("in_use").set(pool.checkedout())  # type: ignore[attr-defined]
    POOL_CONNECTIONS.labels("idle").set(pool.checkedin())  # type: ignore[attr-defined]
    QUEUED_EVENTS.set(services.ingestor.queued_events + services.sent_ingestor.queued_events)
    return Response(exposition(), headers={"content-type": "text/plain; version=1.0.0"})


@router.get(
    "/version",
    operation_id="version",
    summary="Version of the server",
    responses=example({"version": __version__, "os": "linux", "arch": "x86_64"}),
)
async def version() -> Response:
    return json_response(
        {"version": __version__, "os": platform.system().lower(), "arch": platform.machine()}
    )
