"""What a route is given: the services, and whose data it is about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.config import Settings
from monometer.core.access import ApiKey
from monometer.core.event import Event
from monometer.core.ingestion import IngestionStatus
from monometer.services.accesses import Accesses
from monometer.services.accounts import Accounts
from monometer.services.balances import Balances
from monometer.services.catalog import Catalog
from monometer.services.consuming import Consuming
from monometer.services.customers import Customers
from monometer.services.doorkeeper import Doorkeeper
from monometer.services.entitled_events import EntitledEvents
from monometer.services.entitlements import Entitlements
from monometer.services.event_schemas import EventSchemas
from monometer.services.event_series import EventSeries
from monometer.services.features import Features
from monometer.services.grants import Grants
from monometer.services.ingest import Ingestor
from monometer.services.ingestions import Ingestions, Sent
from monometer.services.keys import Keys
from monometer.services.owners import Owners
from monometer.services.people import People
from monometer.services.portal import Portal
from monometer.services.quantities import QuantityService
from monometer.services.subjects import Subjects
from monometer.services.usage import Usage
from monometer.services.usage_meters import UsageMeters
from monometer.services.usage_series import UsageSeries
from monometer.store.event_store import EventStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Built once by app.py, while the server runs."""

    settings: Settings
    now: Callable[[], datetime]
    engine: AsyncEngine
    events: EventStore
    ingestor: Ingestor[Event, bool]
    sent_ingestor: Ingestor[Sent, IngestionStatus]
    catalog: Catalog
    features: Features
    entitlements: Entitlements
    grants: Grants
    balances: Balances
    accesses: Accesses
    consuming: Consuming
    subjects: Subjects
    customers: Customers
    accounts: Accounts
    owners: Owners
    usage: Usage
    keys: Keys
    doorkeeper: Doorkeeper
    portal: Portal | None
    """None while it is disabled."""
    people: People
    quantities: QuantityService
    event_schemas: EventSchemas
    ingestions: Ingestions
    entitled_events: EntitledEvents
    usage_meters: UsageMeters
    usage_series: UsageSeries
    event_series: EventSeries
    new_id: Callable[[], str]


def services_of(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def key_of(request: Request) -> ApiKey | None:
    """The key that let the request in; None where none was asked for."""
    found: ApiKey | None = request.scope.get("monometer.key")
    return found


def namespace_of(request: Request) -> str:
    """The key's, where one was asked for; else the server's own."""
    key = key_of(request)
    return services_of(request).settings.namespace if key is None else key.namespace


# Coroutines, because FastAPI sends plain functions through a pool of threads.
async def _services(request: Request) -> Services:
    return services_of(request)


async def _namespace(request: Request) -> str:
    return namespace_of(request)


ServicesOf = Annotated[Services, Depends(_services)]
NamespaceOf = Annotated[str, Depends(_namespace)]
