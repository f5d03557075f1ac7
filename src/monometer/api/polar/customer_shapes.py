"""The shapes of customers on Polar's wire, and their conversions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from monometer.api.polar.wire import Metadata, Pagination, organization_of, time_to_wire
from monometer.api.wire import STORABLE, Text
from monometer.core.customer import KEY_CHARS_MAX, NAME_CHARS_MAX, Address
from monometer.core.customer import Customer as StoredCustomer
from monometer.core.uuids import uuid_of_id

EMAIL_CHARS_MAX = 320
_LINE = Field(max_length=NAME_CHARS_MAX)

Email = Annotated[str, Field(max_length=EMAIL_CHARS_MAX, pattern=r"^[^@\s]+@[^@\s]+$"), STORABLE]
Name = Annotated[str, Field(max_length=NAME_CHARS_MAX), STORABLE]
ExternalId = Annotated[str, Field(min_length=1, max_length=KEY_CHARS_MAX), STORABLE]
ExternalIdInPath = Annotated[Text, Path(min_length=1)]
Line = Annotated[str, _LINE, STORABLE]


class CustomerSortProperty(StrEnum):
    CREATED_AT = "created_at"
    CREATED_AT_DOWN = "-created_at"
    EMAIL = "email"
    EMAIL_DOWN = "-email"
    NAME = "name"
    NAME_DOWN = "-name"


class PolarAddress(BaseModel):
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    line1: Line | None = None
    line2: Line | None = None
    postal_code: Line | None = None
    city: Line | None = None
    state: Line | None = None


class PolarCustomerUpdate(BaseModel):
    """What is left out stays as it is. Tax ids, locales and members are not kept."""

    metadata: Metadata | None = None
    email: Email | None = None
    name: Name | None = None
    billing_address: PolarAddress | None = None
    external_id: ExternalId | None = None


class PolarCustomerCreate(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ann@example.com", "external_id": "ann", "name": "Ann"}]
        }
    )

    metadata: Metadata = Field(default_factory=dict)
    external_id: ExternalId | None = None
    email: Email
    name: Name | None = None
    billing_address: PolarAddress | None = None
    organization_id: UUID | None = None
    type: Literal["individual", "team"] = "individual"


class PolarCustomer(BaseModel):
    id: str
    created_at: str
    modified_at: str | None
    metadata: dict[str, str | int | float | bool]
    external_id: str | None
    email: str
    email_verified: bool
    type: str
    name: str | None
    billing_name: str | None
    billing_address: dict[str, str | None] | None
    tax_id: list[str] | None
    locale: str | None
    organization_id: str
    default_payment_method_id: str | None
    deleted_at: str | None
    first_user_event_at: str | None
    avatar_url: str


class PolarCustomerPage(BaseModel):
    items: list[PolarCustomer]
    pagination: Pagination


def address_from_wire(wire: PolarAddress | None) -> Address | None:
    return None if wire is None else Address(**wire.model_dump())


def is_unnamed(customer: StoredCustomer) -> bool:
    """Every customer has a name here; one that came without goes by its address."""
    return customer.name == customer.primary_email


def customer_to_wire(customer: StoredCustomer) -> dict[str, Any]:
    """Every member, since strict clients need them all; what is not kept is null."""
    unchanged = customer.updated_at == customer.created_at
    return {
        "id": str(uuid_of_id(customer.id)),
        "created_at": time_to_wire(customer.created_at),
        "modified_at": None if unchanged else time_to_wire(customer.updated_at),
        "metadata": customer.metadata or {},
        "external_id": customer.key,
        "email": customer.primary_email or "",
        "email_verified": False,
        "type": "individual",
        "name": None if is_unnamed(customer) else customer.name,
        "billing_name": None,
        "billing_address": _address_to_wire(customer.billing_address),
        "tax_id": None,
        "locale": None,
        "organization_id": str(organization_of(customer.namespace)),
        "default_payment_method_id": None,
        "deleted_at": time_to_wire(customer.deleted_at),
        "first_user_event_at": None,
        "avatar_url": "",
    }


def _address_to_wire(address: Address | None) -> Mapping[str, str | None] | None:
    """Without a country it is no address to clients."""
    if address is None or address.country is None:
        return None
    return {name: getattr(address, name) for name in PolarAddress.model_fields}
