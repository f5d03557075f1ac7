"""The shapes of customers in v3, and their conversions."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from monometer.api.openmeter.customer_shapes import CountryCode, CurrencyCode, CustomerKey
from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.meter_shapes import Description, Name, Short
from monometer.api.openmeter.subject_shapes import SubjectKey
from monometer.api.openmeter.v3.filters import StringFilter, UlidFilter
from monometer.api.openmeter.v3.meter_shapes import Labels
from monometer.api.openmeter.v3.paging import PaginatedMeta
from monometer.api.wire import Instant, instant_to_wire
from monometer.core import customer
from monometer.core.customer import DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX, SUBJECT_KEYS_MAX
from monometer.core.meter import texts_of
from monometer.services.customers import CustomerDetails

CUSTOMER_EXAMPLE: dict[str, Any] = {
    "name": "ACME Inc.",
    "key": "acme",
    "usage_attribution": {"subject_keys": ["acme-eu", "acme-us"]},
    "primary_email": "billing@acme.test",
    "currency": "USD",
    "billing_address": {"country": "US", "postal_code": "94103", "line1": "1 Market Street"},
}


class BillingCustomerUsageAttribution(BaseModel):
    """Whose usage is the customer's, beside that of its id and of its key."""

    model_config = ConfigDict(extra="forbid")

    subject_keys: list[SubjectKey] = Field(max_length=SUBJECT_KEYS_MAX)


class AddressV3(BaseModel):
    """Where the bill goes."""

    model_config = ConfigDict(extra="forbid")

    country: CountryCode | None = None
    postal_code: Short | None = None
    state: Short | None = None
    city: Short | None = None
    line1: Short | None = None
    line2: Short | None = None
    phone_number: Short | None = None


class UpsertCustomerRequest(BaseModel):
    """The whole of a customer but for its key: what is left out is cleared."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{name: v for name, v in CUSTOMER_EXAMPLE.items() if name != "key"}]
        },
    )

    name: Name
    description: Description | None = None
    labels: Labels | None = None
    usage_attribution: BillingCustomerUsageAttribution | None = None
    primary_email: Short | None = None
    currency: CurrencyCode | None = Field(None, description="ISO 4217.")
    billing_address: AddressV3 | None = None


class CreateCustomerRequest(UpsertCustomerRequest):
    """Somebody to whom usage belongs."""

    model_config = ConfigDict(json_schema_extra={"examples": [CUSTOMER_EXAMPLE]})

    key: CustomerKey


class BillingCustomer(BaseModel):
    """A customer as it is kept. Members that are unset are left out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **CUSTOMER_EXAMPLE,
                    "id": "01KDV7B0000000000000000000",
                    "created_at": "2026-01-01T00:00:00.123456Z",
                    "updated_at": "2026-01-01T00:00:00.123456Z",
                }
            ]
        }
    )

    id: Ulid
    name: str = Field(min_length=1, max_length=NAME_CHARS_MAX)
    description: str | None = Field(None, max_length=DESCRIPTION_CHARS_MAX)
    labels: dict[str, str] | None = Field(
        None, description="Metadata of the first version as it is, whatever its form."
    )
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None = None
    key: str = Field(description="The id of one that the first version made without a key.")
    usage_attribution: BillingCustomerUsageAttribution | SkipJsonSchema[None] = None
    primary_email: str | None = None
    currency: CurrencyCode | None = None
    billing_address: AddressV3 | SkipJsonSchema[None] = None


class CustomerPagePaginatedResponse(BaseModel):
    data: list[BillingCustomer]
    meta: PaginatedMeta


class ListCustomersParamsFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: StringFilter | None = None
    name: StringFilter | None = None
    primary_email: StringFilter | None = None
    usage_attribution_subject_key: StringFilter | None = None
    plan_key: StringFilter | None = Field(None, description="Nobody has one: there are no plans.")
    billing_profile_id: UlidFilter | None = Field(
        None, description="Nobody has one: there is no billing."
    )


def customer_details_from_wire(wire: UpsertCustomerRequest) -> CustomerDetails:
    attribution, address = wire.usage_attribution, wire.billing_address
    return CustomerDetails(
        name=wire.name,
        key=wire.key if isinstance(wire, CreateCustomerRequest) else None,
        description=wire.description,
        subject_keys=() if attribution is None else attribution.subject_keys,
        primary_email=wire.primary_email,
        currency=wire.currency,
        billing_address=None if address is None else customer.Address(**address.model_dump()),
        metadata=wire.labels,
    )


def customer_to_wire(one: customer.Customer) -> dict[str, Any]:
    keys = list(one.subject_keys)
    address = asdict(one.billing_address) if one.billing_address else {}
    optional = {
        "description": one.description,
        "labels": texts_of(one.metadata),
        "deleted_at": one.deleted_at and instant_to_wire(one.deleted_at),
        "usage_attribution": {"subject_keys": keys} if keys else None,
        "primary_email": one.primary_email,
        "currency": one.currency,
        "billing_address": {name: text for name, text in address.items() if text is not None},
    }
    return {
        "id": one.id,
        "key": one.key or one.id,
        "name": one.name,
        "created_at": instant_to_wire(one.created_at),
        "updated_at": instant_to_wire(one.updated_at),
        **{name: value for name, value in optional.items() if value},
    }
