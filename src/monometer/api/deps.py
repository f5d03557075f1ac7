"""What a route is given: the services, and whose data it is about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.config import Settings
from monometer.services.catalog import Catalog
from monometer.services.ingest import Ingestor
from monometer.services.usage import Usage
from monometer.store.event_store import EventStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Built once by app.py, while the server runs."""

    settings: Settings
    now: Callable[[], datetime]
    engine: AsyncEngine
    events: EventStore
    ingestor: Ingestor
    catalog: Catalog
    usage: Usage


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def namespace(request: Request) -> str:
    return services(request).settings.namespace


ServicesOf = Annotated[Services, Depends(services)]
NamespaceOf = Annotated[str, Depends(namespace)]
