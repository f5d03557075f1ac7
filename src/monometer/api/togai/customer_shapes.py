"""The shapes of customers and accounts on Togai's wire, and their conversions."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr

from monometer.api.togai.wire import TogaiPage, time_to_wire, within_reach
from monometer.api.wire import STORABLE
from monometer.core import account
from monometer.core.account import ALIASES_MAX, AccountStatus, Alias
from monometer.core.customer import Address, Customer
from monometer.core.event import TIME_END, TIME_MIN
from monometer.services.accounts import AccountPart, NewAccount, NewAlias, Owned

NAME_CHARS_MIN = 3
NAME_CHARS_MAX = 255
LINE_CHARS_MAX = 256

Id = Annotated[StrictStr, Field(min_length=1, max_length=account.KEY_CHARS_MAX), STORABLE]
# In a path it is one segment.
AccountKey = Annotated[
    StrictStr,
    Field(min_length=1, max_length=account.KEY_CHARS_MAX, pattern=r"^[^/]+$"),
    STORABLE,
]
FullName = Annotated[
    StrictStr, Field(min_length=NAME_CHARS_MIN, max_length=NAME_CHARS_MAX), STORABLE
]
Email = Annotated[StrictStr, Field(max_length=320), STORABLE]
AliasValue = Annotated[StrictStr, Field(min_length=1, max_length=account.KEY_CHARS_MAX), STORABLE]
_Line = Annotated[StrictStr, Field(max_length=LINE_CHARS_MAX), STORABLE]
_Currency = Annotated[StrictStr, Field(pattern=r"^[A-Za-z]{3}$")]
Instant = Annotated[datetime, AfterValidator(within_reach)]


class TogaiAddress(BaseModel):
    phoneNumber: _Line | None = None
    line1: _Line | None = None
    line2: _Line | None = None
    postalCode: _Line | None = None
    city: _Line | None = None
    state: _Line | None = None
    country: Annotated[StrictStr, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        None, description="ISO 3166, two letters."
    )


class TogaiBillingInformation(BaseModel):
    emailRecipients: Annotated[list[Email], Field(max_length=100)] | None = None
    additionalEmailRecipients: Annotated[list[Email], Field(max_length=100)] | None = None


class TogaiAccountDetails(BaseModel):
    """What is kept of an account as it was written. Settings and invoice groups are not."""

    invoiceCurrency: _Currency | None = None
    netTermDays: Annotated[StrictInt, Field(ge=0, lt=2**31)] | None = None
    address: TogaiAddress | None = None
    primaryEmail: Email | None = None
    billingInformation: TogaiBillingInformation | None = None
    metadata: Annotated[dict[_Line, _Line], Field(max_length=100)] | None = None
    tags: Annotated[list[_Line], Field(max_length=100)] | None = None


class TogaiAccountUpdate(TogaiAccountDetails):
    """What is left out stays."""

    name: FullName | None = None
    status: Literal["ACTIVE", "DRAFT"] | None = None


class TogaiNewAlias(BaseModel):
    """For events whose time is from `effectiveFrom` on, and before `effectiveUntil`."""

    value: AliasValue
    effectiveFrom: Instant | None = None
    effectiveUntil: Instant | None = None


class TogaiAliasesToAdd(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"aliases": ["acme-eu-west"]}]})

    aliases: Annotated[list[AliasValue], Field(max_length=ALIASES_MAX)] | None = None
    accountAliases: Annotated[list[TogaiNewAlias], Field(max_length=ALIASES_MAX)] | None = None

    def new(self) -> list[NewAlias]:
        given = [NewAlias(value) for value in self.aliases or ()]
        return given + [
            NewAlias(one.value, one.effectiveFrom, one.effectiveUntil)
            for one in self.accountAliases or ()
        ]


class TogaiNewAccount(TogaiAliasesToAdd, TogaiAccountDetails):
    """An account of the customer that it is created with."""

    id: AccountKey
    name: FullName
    status: Literal["ACTIVE", "DRAFT"] = "ACTIVE"


class TogaiAccountCreate(TogaiNewAccount):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": "acme-eu", "name": "Acme Europe", "customerId": "acme"}]
        }
    )

    customerId: Annotated[StrictStr, Field(min_length=1, max_length=255), STORABLE]


class TogaiAlias(BaseModel):
    alias: str


class TogaiAccount(TogaiAccountDetails):
    id: str
    togaiAccountId: str
    togaiCustomerId: str
    customerId: str
    name: str
    status: AccountStatus
    aliases: list[TogaiAlias]


class TogaiAccounts(BaseModel):
    data: list[TogaiAccount]
    nextToken: str | None = None
    context: TogaiPage


class TogaiCustomerUpdate(BaseModel):
    """What is left out stays."""

    name: FullName | None = None
    primaryEmail: Email | None = None
    address: TogaiAddress | None = None


class TogaiCustomerCreate(TogaiCustomerUpdate):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "acme",
                    "name": "Acme",
                    "primaryEmail": "billing@acme.test",
                    "address": {"city": "Berlin", "country": "DE"},
                }
            ]
        }
    )

    id: Id
    name: FullName
    primaryEmail: Email
    address: TogaiAddress
    account: TogaiNewAccount | None = None


class TogaiCustomerCreated(BaseModel):
    id: str
    togaiCustomerId: str
    name: str
    primaryEmail: str
    billingAddress: str
    address: TogaiAddress
    account: TogaiAccount | None = None


class TogaiCustomer(BaseModel):
    id: str
    togaiCustomerId: str
    name: str
    primaryEmail: str
    billingAddress: str
    address: TogaiAddress
    status: Literal["ACTIVE"]
    createdAt: str
    updatedAt: str


class TogaiCustomers(BaseModel):
    data: list[TogaiCustomer]
    nextToken: str | None = None
    context: TogaiPage


_ADDRESS = {
    "phoneNumber": "phone_number", "line1": "line1", "line2": "line2", "postalCode": "postal_code",
    "city": "city", "state": "state", "country": "country",
}  # fmt: skip


def address_from_wire(wire: TogaiAddress) -> Address:
    return Address(**{ours: getattr(wire, name) for name, ours in _ADDRESS.items()})


def account_from_wire(wire: TogaiNewAccount) -> NewAccount:
    return NewAccount(
        key=wire.id,
        name=wire.name,
        status=AccountStatus(wire.status),
        details=_details(wire),
        aliases=wire.new(),
    )


def part_from_wire(wire: TogaiAccountUpdate) -> AccountPart:
    status = None if wire.status is None else AccountStatus(wire.status)
    return AccountPart(name=wire.name, status=status, details=_details(wire))


def _details(wire: TogaiAccountDetails) -> dict[str, Any]:
    kept = set(TogaiAccountDetails.model_fields)
    return wire.model_dump(exclude_none=True, include=kept)


def customer_id_of(customer: Customer) -> str:
    """Its key, where clients can hold it, else its native id."""
    short = customer.key is not None and len(customer.key) <= account.KEY_CHARS_MAX
    return customer.key or customer.id if short else customer.id


def account_to_wire(owned: Owned) -> dict[str, Any]:
    one, customer = owned
    return {
        **one.details,
        "id": one.key,
        "togaiAccountId": one.id,
        "togaiCustomerId": "" if customer is None else customer.id,
        "customerId": "" if customer is None else customer_id_of(customer),
        "name": one.name,
        "status": one.status,
        "aliases": [{"alias": value} for value in dict.fromkeys(a.value for a in one.aliases)],
    }


def alias_to_wire(one: Alias) -> dict[str, Any]:
    """Clients need both bounds: what has none is bounded where times end."""
    return {
        "id": one.id,
        "value": one.value,
        "effectiveFrom": time_to_wire(one.since or TIME_MIN),
        "effectiveUntil": time_to_wire(one.until or TIME_END),
        "createdAt": time_to_wire(one.created_at),
    }


def created_to_wire(customer: Customer, owned: Owned | None) -> dict[str, Any]:
    account = {} if owned is None else {"account": account_to_wire(owned)}
    return {**_customer(customer), **account}


def customer_to_wire(one: Customer) -> dict[str, Any]:
    return {
        **_customer(one),
        "status": "ACTIVE",
        "createdAt": time_to_wire(one.created_at),
        "updatedAt": time_to_wire(one.updated_at),
    }


def _customer(one: Customer) -> dict[str, Any]:
    """Clients refuse names of fewer than three letters: those come with the id."""
    id_ = customer_id_of(one)
    name = one.name if len(one.name) >= NAME_CHARS_MIN else f"{one.name} ({id_})"
    address = one.billing_address or Address()
    said = {wire: getattr(address, ours) for wire, ours in _ADDRESS.items()}
    lines = [value for wire, value in said.items() if value and wire != "phoneNumber"]
    return {
        "id": id_,
        "togaiCustomerId": one.id,
        "name": name[:NAME_CHARS_MAX],
        "primaryEmail": one.primary_email or "",
        "billingAddress": ", ".join(lines)[:1000],
        "address": {wire: value for wire, value in said.items() if value is not None},
    }
