"""The shapes of events on Polar's wire, and their conversions."""

from datetime import UTC
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from monometer.api.polar.customer_shapes import PolarCustomer, customer_to_wire
from monometer.api.polar.event_metadata import metadata_to_wire
from monometer.api.polar.wire import Pagination, organization_of, time_to_wire
from monometer.core.customer import Customer
from monometer.core.event import StoredEvent, event_key, parse_json
from monometer.core.uuids import uuid_of_key
from monometer.store.event_store import SeenType


class EventSource(StrEnum):
    SYSTEM = "system"
    USER = "user"


class EventSortProperty(StrEnum):
    TIMESTAMP = "timestamp"
    TIMESTAMP_DOWN = "-timestamp"


class EventNamesSortProperty(StrEnum):
    NAME = "name"
    NAME_DOWN = "-name"
    OCCURRENCES = "occurrences"
    OCCURRENCES_DOWN = "-occurrences"
    FIRST_SEEN = "first_seen"
    FIRST_SEEN_DOWN = "-first_seen"
    LAST_SEEN = "last_seen"
    LAST_SEEN_DOWN = "-last_seen"


class PolarEvent(BaseModel):
    id: str
    timestamp: str
    organization_id: str
    customer_id: str | None
    customer: PolarCustomer | None
    external_customer_id: str | None
    member_id: str | None
    external_member_id: str | None
    child_count: int
    parent_id: str | None
    label: str
    name: str
    source: str
    metadata: dict[str, Any]


class PolarEventPage(BaseModel):
    items: list[PolarEvent]
    pagination: Pagination


class PolarEventName(BaseModel):
    name: str
    label: str
    source: str
    occurrences: int
    first_seen: str
    last_seen: str


class PolarEventNamePage(BaseModel):
    items: list[PolarEventName]
    pagination: Pagination


def name_to_wire(seen: SeenType) -> dict[str, Any]:
    return {
        "name": seen.name,
        "label": seen.name,
        "source": EventSource.USER,
        "occurrences": seen.events,
        "first_seen": time_to_wire(seen.first),
        "last_seen": time_to_wire(seen.last),
    }


def event_to_wire(stored: StoredEvent, customer: Customer | None) -> dict[str, Any]:
    """`metadata` has of the data what a client can read."""
    event = stored.event
    owner = None if customer is None else customer_to_wire(customer)
    data = None if event.data is None else parse_json(event.data)
    return {
        "id": str(uuid_of_key(event_key(event.source, event.id))),
        "timestamp": time_to_wire(event.time.astimezone(UTC)),
        "organization_id": str(organization_of(event.namespace)),
        "customer_id": None if owner is None else owner["id"],
        "customer": owner,
        "external_customer_id": event.subject if customer is None else customer.key,
        "member_id": None,
        "external_member_id": None,
        "child_count": 0,
        "parent_id": None,
        "label": event.type,
        "name": event.type,
        "source": EventSource.USER,
        "metadata": metadata_to_wire(data),
    }
