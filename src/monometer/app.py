"""Builds the server out of its parts, and owns nothing but the clock and the source of ids."""

import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from limits import parse as rate_from_text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from ulid import ULID

from monometer import __version__, logs
from monometer.api import problems
from monometer.api.access import Access, RateLimit
from monometer.api.bodies import BoundedBodies
from monometer.api.deps import Services
from monometer.api.document import DESCRIPTION, TAGS, describe
from monometer.api.metrics import CELLS, COMMIT_SECONDS, FOLD_LAG_SECONDS, TAIL_EVENTS
from monometer.api.middleware import RequestContext
from monometer.api.openmeter import ingest
from monometer.api.polar.paths import PolarPaths
from monometer.api.portal_cors import PortalCors
from monometer.api.router import router
from monometer.api.shortcut import Shortcut
from monometer.config import (
    ConfigError,
    MeterConfig,
    Settings,
    inherited_settings,
    load_settings,
    process_environ,
)
from monometer.core.aggregation import Aggregation
from monometer.core.errors import DomainError
from monometer.services.accesses import Accesses
from monometer.services.accounts import Accounts
from monometer.services.balances import Balances
from monometer.services.catalog import Catalog, NewMeter
from monometer.services.consuming import Consuming
from monometer.services.customers import Customers
from monometer.services.doorkeeper import Doorkeeper
from monometer.services.entitled_events import EntitledEvents
from monometer.services.entitlements import Entitlements
from monometer.services.event_schemas import EventSchemas
from monometer.services.event_series import EventSeries
from monometer.services.features import Features
from monometer.services.folding import Folder, FoldReport
from monometer.services.grants import Grants
from monometer.services.ingest import Ingestor, One, Told
from monometer.services.ingestions import Ingestions
from monometer.services.keys import Keys
from monometer.services.owners import Owners
from monometer.services.people import People
from monometer.services.portal import Portal
from monometer.services.portal_jwt import PortalJwt
from monometer.services.quantities import QuantityService
from monometer.services.subjects import Subjects
from monometer.services.usage import Usage
from monometer.services.usage_meters import UsageMeters
from monometer.services.usage_series import UsageSeries
from monometer.store import migrate
from monometer.store.engine import create_engine
from monometer.store.period_usage import PeriodUsage
from monometer.store.postgres_events import PostgresEventStore


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one clock


def new_id() -> str:
    return str(ULID())


def request_ids() -> Callable[[], str]:
    """Ids of requests: this process's own random prefix and a number. Cheap, unlike a ULID."""
    prefix, numbers = secrets.token_hex(6), itertools.count(1)
    return lambda: f"{prefix}-{next(numbers):06}"


class Application(FastAPI):
    """FastAPI inside our own layers, so that a request that takes the shortcut passes ours only."""

    outermost: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.outermost(scope, receive, send)


def create_app(settings: Settings, *, prepared: bool = False) -> FastAPI:
    """The server, not yet running: nothing is opened before its lifespan begins.

    `prepared` says that the database is migrated and has the configured meters. Then the server
    also starts while the database is away.
    """
    app = Application(
        title="monometer",
        version=__version__,
        summary="Usage metering, compatible with OpenMeter.",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=_lifespan(settings, prepared=prepared),
        redirect_slashes=False,
        separate_input_output_schemas=False,
        # Our own metrics and logs say it; looking for telemetry costs every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.include_router(router)
    app.add_api_route(
        "/api/swagger.json",
        lambda: JSONResponse(app.openapi()),
        include_in_schema=False,
    )
    problems.install(app)
    route = Route(ingest.PATH, ingest.ingest_events, methods=["POST"])
    inner = Shortcut(super(Application, app).__call__, app=app, route=route)
    bounded: ASGIApp = BoundedBodies(inner, bytes_max=settings.body_bytes_max)
    if settings.auth_required:
        rate = settings.key_rate_max
        bounded = Access(
            bounded,
            doorkeeper=lambda: app.state["services"].doorkeeper,  # as an attribute it is slow
            home=settings.namespace,
            limit=RateLimit(rate_from_text(rate)) if rate else None,
        )
    app.outermost = RequestContext(PolarPaths(bounded), new_id=request_ids())
    if settings.portal_cors:
        app.outermost = PortalCors(app.outermost)
    describe(app)
    return app


def create_app_from_env() -> FastAPI:
    """What a server process serves: the settings its parent passed down, else the environment's.

    Raises ConfigError.
    """
    inherited = inherited_settings()
    settings = inherited or load_settings(process_environ())
    logs.configure(settings.log_level, settings.log_format)
    return create_app(settings, prepared=inherited is not None)


def _lifespan(
    settings: Settings, *, prepared: bool
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings.database_url is None:
            raise ConfigError("database_url: no database to connect to")
        if not prepared:
            await migrate.upgrade(settings.database_url)
        services = _services(settings, settings.database_url)
        try:
            for meter in () if prepared else settings.meters:
                await _ensure(services, settings.namespace, meter)
            services.ingestor.start()
            services.sent_ingestor.start()
            services.consuming.start()
            folder = Folder(services.engine, now=now, told=_tell) if settings.projections else None
            if folder is not None:
                folder.start()
            app.state.services = services
            try:
                yield
            finally:
                await services.ingestor.stop()
                await services.sent_ingestor.stop()
                await services.consuming.stop()
                await services.doorkeeper.stop()
                if folder is not None:
                    await folder.stop()
        finally:
            await services.engine.dispose()

    return lifespan


def _services(settings: Settings, database_url: str) -> Services:
    engine = create_engine(
        database_url,
        connections_max=settings.pool_connections_max,
        wait_s=settings.pool_wait_s,
        statement_timeout_s=settings.query_timeout_s,
    )
    events = PostgresEventStore(engine, projections=settings.projections)
    catalog = Catalog(
        engine, now=now, new_id=new_id, reserved_event_types=settings.reserved_event_types
    )
    ingestions = Ingestions(engine=engine, new_id=new_id)
    ingestor = _ingestor(settings, events.append)
    period_usage = PeriodUsage(projections=settings.projections)
    doorkeeper = Doorkeeper(
        engine, now=now, namespace=settings.namespace, admin_key=settings.admin_key
    )
    customers = Customers(engine, now=now, new_id=new_id)
    owners = Owners(engine, customers)
    usage = Usage(catalog, events, now, settings.query_rows_max)
    people = People(usage, owners)
    usage_meters = UsageMeters(engine=engine, new_id=new_id)
    balances = Balances(engine=engine, now=now, usage=period_usage)
    consuming = Consuming(
        engine,
        period_usage,
        now=now,
        # Others find a connection beside them.
        transactions_max=max(1, settings.pool_connections_max // 2),
    )
    return Services(
        settings=settings,
        now=now,
        engine=engine,
        events=events,
        ingestor=ingestor,
        catalog=catalog,
        features=Features(engine, now=now, new_id=new_id),
        entitlements=Entitlements(engine, now=now, new_id=new_id),
        grants=Grants(engine, now=now, new_id=new_id),
        balances=balances,
        accesses=Accesses(balances),
        consuming=consuming,
        subjects=Subjects(engine, now=now, new_id=new_id),
        customers=customers,
        accounts=Accounts(engine=engine, customers=customers, now=now, new_id=new_id),
        owners=owners,
        usage=usage,
        people=people,
        quantities=QuantityService(people),
        event_schemas=EventSchemas(engine=engine, now=now),
        ingestions=ingestions,
        sent_ingestor=_ingestor(settings, ingestions.append),
        entitled_events=EntitledEvents(ingestions=ingestions, consuming=consuming),
        usage_meters=usage_meters,
        usage_series=UsageSeries(people, usage_meters),
        event_series=EventSeries(engine, owners),
        keys=Keys(engine, now=now, new_id=new_id, revoked=doorkeeper.forget),
        doorkeeper=doorkeeper,
        portal=_portal(settings, engine),
        new_id=new_id,
    )


def _ingestor(
    settings: Settings, append: Callable[[Sequence[One]], Awaitable[Sequence[Told]]]
) -> Ingestor[One, Told]:
    return Ingestor(
        append,
        queue_events_max=settings.queue_events_max,
        queue_bytes_max=settings.queue_bytes_max,
        flush_events_max=settings.flush_events_max,
        flushed=COMMIT_SECONDS.observe,
    )


def _portal(settings: Settings, engine: AsyncEngine) -> Portal | None:
    """None while it is disabled. Raises ConfigError for a secret that is none."""
    if settings.portal_secret is None:
        return None
    try:
        jwt = PortalJwt(settings.portal_secret)
    except ValueError as error:
        raise ConfigError(f"portal_token_secret: {error}") from None
    return Portal(
        engine=engine,
        jwt=jwt,
        now=now,
        new_id=new_id,
        namespace=settings.namespace,
        lifetime=timedelta(seconds=settings.portal_token_expiration_s),
        subject_bytes_max=settings.text_bytes_max,
    )


def _tell(report: FoldReport) -> None:
    CELLS.set(report.cells)
    TAIL_EVENTS.set(report.tail_events)
    FOLD_LAG_SECONDS.set(report.lag_s)


async def _ensure(services: Services, namespace: str, configured: MeterConfig) -> None:
    """Raises ConfigError, one line, naming the meter and what is wrong with it."""
    try:
        wanted = NewMeter(
            key=configured.slug,
            aggregation=Aggregation(configured.aggregation),
            event_type=configured.event_type,
            name=configured.name,
            description=configured.description or None,
            event_from=configured.event_from,
            value_property=configured.value_property or None,
            group_by=configured.group_by,
            metadata=configured.metadata or None,
        )
        await services.catalog.ensure_meter(namespace, wanted)
    except (DomainError, ValueError) as error:
        reasons = "; ".join(str(error).splitlines())
        raise ConfigError(f"meters: {configured.slug}: {reasons}") from error
