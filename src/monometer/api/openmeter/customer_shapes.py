"""The shapes of customers on the wire, and their conversions."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.meter_shapes import Metadata, Name, Short
from monometer.api.openmeter.subject_shapes import SubjectKey
from monometer.api.wire import STORABLE, Instant, instant_to_wire
from monometer.core import customer
from monometer.core.customer import DESCRIPTION_CHARS_MAX, KEY_CHARS_MAX, SUBJECT_KEYS_MAX
from monometer.core.meter import texts_of
from monometer.services.customers import CustomerDetails

CUSTOMER_EXAMPLE: dict[str, Any] = {
    "name": "ACME Inc.",
    "key": "acme",
    "usageAttribution": {"subjectKeys": ["acme-eu", "acme-us"]},
    "primaryEmail": "billing@acme.test",
    "currency": "USD",
    "billingAddress": {"country": "US", "postalCode": "94103", "line1": "1 Market Street"},
}

CustomerKey = Annotated[str, Field(min_length=1, max_length=KEY_CHARS_MAX), STORABLE]
CurrencyCode = Annotated[str, Field(min_length=3, max_length=3, pattern=r"^[A-Z]{3}$")]
CountryCode = Annotated[str, Field(min_length=2, max_length=2, pattern=r"^[A-Z]{2}$")]
_Description = Annotated[str, Field(max_length=DESCRIPTION_CHARS_MAX), STORABLE]


class CustomerOrderBy(StrEnum):
    ID = "id"
    NAME = "name"
    CREATED_AT = "createdAt"


class CustomerExpand(StrEnum):
    SUBSCRIPTIONS = "subscriptions"


class CustomerUsageAttribution(BaseModel):
    """Whose usage is the customer's, beside that of its id and of its key."""

    subjectKeys: list[SubjectKey] = Field(max_length=SUBJECT_KEYS_MAX)


class Address(BaseModel):
    """Where the bill goes."""

    country: CountryCode | None = None
    postalCode: Short | None = None
    state: Short | None = None
    city: Short | None = None
    line1: Short | None = None
    line2: Short | None = None
    phoneNumber: Short | None = None


class CustomerReplaceUpdate(BaseModel):
    """The whole of a customer: what is left out is cleared."""

    model_config = ConfigDict(json_schema_extra={"examples": [CUSTOMER_EXAMPLE]})

    name: Name
    description: _Description | None = None
    metadata: Metadata | None = None
    key: CustomerKey | None = Field(None, description="Needed when there are no subject keys.")
    usageAttribution: CustomerUsageAttribution | None = None
    primaryEmail: Short | None = None
    currency: CurrencyCode | None = Field(None, description="ISO 4217.")
    billingAddress: Address | None = None


class CustomerCreate(CustomerReplaceUpdate):
    """Somebody to whom usage belongs."""


class Customer(BaseModel):
    """A customer as it is kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **CUSTOMER_EXAMPLE,
                    "id": "01KDV7B0000000000000000000",
                    "createdAt": "2026-01-01T00:00:00.123456Z",
                    "updatedAt": "2026-01-01T00:00:00.123456Z",
                }
            ]
        }
    )

    id: Ulid
    name: str = Field(min_length=1, max_length=customer.NAME_CHARS_MAX)
    description: str | None = Field(None, max_length=DESCRIPTION_CHARS_MAX)
    metadata: dict[str, str] | None = None
    createdAt: Instant
    updatedAt: Instant
    deletedAt: Instant | None = None
    key: str | None = Field(None, min_length=1, max_length=KEY_CHARS_MAX)
    usageAttribution: CustomerUsageAttribution | SkipJsonSchema[None] = None
    primaryEmail: str | None = None
    currency: CurrencyCode | None = None
    billingAddress: Address | SkipJsonSchema[None] = None
    currentSubscriptionId: Ulid | None = Field(
        None, description="Never there: this server has no subscriptions."
    )
    subscriptions: Annotated[
        list[Any] | None,
        WithJsonSchema({"type": "array", "items": {"type": "object", "additionalProperties": {}}}),
    ] = Field(None, description="Never there: this server has no subscriptions.")
    annotations: dict[str, Any] | None = None


class CustomerPaginatedResponse(BaseModel):
    """A page of customers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"totalCount": 0, "page": 1, "pageSize": 100, "items": []}]}
    )

    totalCount: int
    page: int
    pageSize: int
    items: list[Customer]


_ADDRESS_NAMES = {
    "country": "country",
    "postal_code": "postalCode",
    "state": "state",
    "city": "city",
    "line1": "line1",
    "line2": "line2",
    "phone_number": "phoneNumber",
}


def customer_details_from_wire(wire: CustomerReplaceUpdate) -> CustomerDetails:
    attribution, address = wire.usageAttribution, wire.billingAddress
    return CustomerDetails(
        name=wire.name,
        key=wire.key,
        description=wire.description,
        subject_keys=() if attribution is None else attribution.subjectKeys,
        primary_email=wire.primaryEmail,
        currency=wire.currency,
        billing_address=None if address is None else _address_from_wire(address),
        metadata=wire.metadata,
    )


def _address_from_wire(wire: Address) -> customer.Address:
    return customer.Address(**{ours: getattr(wire, name) for ours, name in _ADDRESS_NAMES.items()})


def customer_to_wire(one: customer.Customer) -> dict[str, Any]:
    """Members that are unset or empty are left out."""
    keys = list(one.subject_keys)
    optional = {
        "key": one.key,
        "description": one.description,
        "usageAttribution": {"subjectKeys": keys} if keys else None,
        "primaryEmail": one.primary_email,
        "currency": one.currency,
        "billingAddress": one.billing_address and _address_to_wire(one.billing_address),
        "metadata": texts_of(one.metadata) or None,
        "annotations": one.annotations or None,
        "deletedAt": one.deleted_at and instant_to_wire(one.deleted_at),
    }
    return {
        "id": one.id,
        "name": one.name,
        "createdAt": instant_to_wire(one.created_at),
        "updatedAt": instant_to_wire(one.updated_at),
        **{name: value for name, value in optional.items() if value is not None},
    }


def _address_to_wire(one: customer.Address) -> dict[str, str]:
    members = {name: getattr(one, ours) for ours, name in _ADDRESS_NAMES.items()}
    return {name: value for name, value in members.items() if value is not None}
