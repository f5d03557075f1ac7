"""The shapes of grants on the wire, of v1 and v2, and their conversions."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.meter_shapes import Metadata
from monometer.api.wire import (
    STORABLE,
    Instant,
    NotNegative,
    Number,
    instant_to_wire,
    left_out,
    number_to_wire,
)
from monometer.core.grant import EXPIRATION_COUNT_MAX, PRIORITY_MAX, Expiration, ExpirationUnit
from monometer.core.grant import Grant as StoredGrant
from monometer.core.recurrence import Recurrence, parse_interval
from monometer.services.new_grants import NewGrant
from monometer.store.exact_json import json_text

INTERVAL_CHARS_MAX = 100
ANNOTATIONS_MAX = 100

# What v1, which knows no end of time, shows for a grant that never expires.
NEVER = Expiration(ExpirationUnit.YEAR, 100)

_INTERVAL_PATTERN = (
    r"^P(?:\d+(?:\.\d+)?Y)?(?:\d+(?:\.\d+)?M)?(?:\d+(?:\.\d+)?W)?(?:\d+(?:\.\d+)?D)?"
    r"(?:T(?:\d+(?:\.\d+)?H)?(?:\d+(?:\.\d+)?M)?(?:\d+(?:\.\d+)?S)?)?$"
)
RecurringPeriodInterval = Annotated[
    str,
    Field(max_length=INTERVAL_CHARS_MAX),
    STORABLE,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _INTERVAL_PATTERN},
                {"type": "string", "enum": ["DAY", "WEEK", "MONTH", "YEAR"]},
            ],
            "description": "DAY, WEEK, MONTH, YEAR or an ISO 8601 duration of an hour or more.",
        }
    ),
]
Priority = Annotated[int, Field(ge=1, le=PRIORITY_MAX, strict=True)]


class ExpirationDuration(StrEnum):
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


class ExpirationPeriod(BaseModel):
    """How long a grant lasts: `count` times the duration. A month after January 31 is in March."""

    duration: ExpirationDuration
    count: int = Field(ge=1, le=EXPIRATION_COUNT_MAX, strict=True)


class RecurringPeriodCreateInput(BaseModel):
    """An interval repeated from an anchor, into the past and the future."""

    interval: RecurringPeriodInterval
    anchor: Instant | None = Field(None, description="Cut to the minute.")


class RecurringPeriod(BaseModel):
    interval: RecurringPeriodInterval = Field(description="The name where there is one.")
    anchor: Instant
    intervalISO: Annotated[str, WithJsonSchema({"type": "string", "format": "duration"})]


GRANT_EXAMPLE: dict[str, Any] = {
    "amount": 100,
    "priority": 1,
    "effectiveAt": "2026-01-01T00:00:00Z",
    "expiration": {"duration": "MONTH", "count": 1},
}


class _GrantCreate(BaseModel):
    amount: NotNegative = Field(description="Above zero.")
    priority: Priority | None = Field(None, description="Lower ones burn first; left out, 0.")
    effectiveAt: Instant = Field(description="Cut to the minute; not before the usage period.")
    minRolloverAmount: Number | None = Field(None, description="Left after a reset at least.")
    metadata: Metadata | None = None
    recurrence: RecurringPeriodCreateInput | None = Field(
        None, description="Whenever it recurs the balance is the amount again."
    )


class EntitlementGrantCreateInput(_GrantCreate):
    """Credit for an entitlement."""

    model_config = ConfigDict(json_schema_extra={"examples": [GRANT_EXAMPLE]})

    expiration: ExpirationPeriod
    maxRolloverAmount: Number | None = Field(
        None, description="Left after a reset at most; left out, 0: nothing rolls over."
    )


class EntitlementGrantCreateInputV2(_GrantCreate):
    """Credit for an entitlement."""

    model_config = ConfigDict(json_schema_extra={"examples": [GRANT_EXAMPLE]})

    expiration: ExpirationPeriod | None = Field(None, description="Left out, it never expires.")
    maxRolloverAmount: Number | None = Field(
        None, description="Left after a reset at most; left out, the amount."
    )
    annotations: dict[Annotated[str, STORABLE], Any] | None = Field(
        None, max_length=ANNOTATIONS_MAX
    )


class _Grant(BaseModel):
    id: Annotated[Ulid, Field(json_schema_extra={"readOnly": True})]
    entitlementId: str
    amount: NotNegative
    priority: Priority = left_out()
    effectiveAt: Instant
    minRolloverAmount: Number = left_out()
    maxRolloverAmount: Number = left_out()
    recurrence: RecurringPeriod = left_out()
    nextRecurrence: Instant = left_out()
    voidedAt: Instant = left_out()
    metadata: dict[str, str] = left_out()
    annotations: dict[str, Any] = left_out()
    createdAt: Instant
    updatedAt: Instant
    deletedAt: Instant = left_out()


_KEPT_EXAMPLE = {
    **GRANT_EXAMPLE,
    "id": "01KDV7B0000000000000000000",
    "entitlementId": "01KDV7A0000000000000000000",
    "minRolloverAmount": 0,
    "maxRolloverAmount": 0,
    "expiresAt": "2026-02-01T00:00:00Z",
    "createdAt": "2026-01-01T00:00:00.123456Z",
    "updatedAt": "2026-01-01T00:00:00.123456Z",
}


class EntitlementGrant(_Grant):
    """A grant as it is kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEPT_EXAMPLE]})

    expiration: ExpirationPeriod
    expiresAt: Instant = left_out()


class EntitlementGrantV2(_Grant):
    """A grant as it is kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEPT_EXAMPLE]})

    expiration: ExpirationPeriod = left_out()
    expiresAt: Instant = left_out()


class GrantPaginatedResponse(BaseModel):
    totalCount: int
    page: int
    pageSize: int
    items: list[EntitlementGrant]


class GrantV2PaginatedResponse(BaseModel):
    """`page` and `pageSize` are 0 in an answer to `limit` and `offset`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"totalCount": 1, "page": 1, "pageSize": 100, "items": [_KEPT_EXAMPLE]}]
        }
    )

    totalCount: int
    page: int
    pageSize: int
    items: list[EntitlementGrantV2]


class GrantOrderBy(StrEnum):
    ID = "id"
    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"


GRANT_COLUMNS = {
    GrantOrderBy.ID: "id",
    GrantOrderBy.CREATED_AT: "created_at",
    GrantOrderBy.UPDATED_AT: "updated_at",
}


def new_grant_from_wire(wire: EntitlementGrantCreateInput) -> NewGrant:
    """Without a maximum nothing rolls over. Raises InvalidInput."""
    return _new_grant(wire, wire.expiration, wire.maxRolloverAmount or Decimal(0), None)


def new_grant_from_wire_v2(wire: EntitlementGrantCreateInputV2) -> NewGrant:
    """Without a maximum everything rolls over. Raises InvalidInput."""
    most = wire.amount if wire.maxRolloverAmount is None else wire.maxRolloverAmount
    return _new_grant(wire, wire.expiration, most, wire.annotations)


def _new_grant(
    wire: _GrantCreate,
    expiration: ExpirationPeriod | None,
    max_rollover: Decimal,
    annotations: dict[str, Any] | None,
) -> NewGrant:
    interval, anchor = None, None
    if wire.recurrence is not None:
        interval, anchor = parse_interval(wire.recurrence.interval), wire.recurrence.anchor
    lasts = None
    if expiration is not None:
        lasts = Expiration(ExpirationUnit(expiration.duration), expiration.count)
    return NewGrant(
        amount=wire.amount,
        effective_at=wire.effectiveAt,
        priority=wire.priority or 0,
        expiration=lasts,
        recurrence_interval=interval,
        recurrence_anchor=anchor,
        min_rollover=wire.minRolloverAmount or Decimal(0),
        max_rollover=max_rollover,
        metadata=wire.metadata,
        annotations=annotations,
    )


def grant_to_wire(grant: StoredGrant, now: datetime) -> dict[str, Any]:
    """v1: one that never expires does so in a hundred years."""
    expiration = grant.expiration or NEVER
    expires_at = grant.expires_at or NEVER.after(now)
    return {**_grant_to_wire(grant, now), **_expiration_to_wire(expiration, expires_at)}


def grant_to_wire_v2(grant: StoredGrant, now: datetime) -> dict[str, Any]:
    shared = _grant_to_wire(grant, now)
    if grant.expiration is None or grant.expires_at is None:
        return shared
    return {**shared, **_expiration_to_wire(grant.expiration, grant.expires_at)}


def _expiration_to_wire(expiration: Expiration, expires_at: datetime) -> dict[str, Any]:
    return {
        "expiration": {"duration": expiration.unit.value, "count": expiration.count},
        "expiresAt": instant_to_wire(expires_at),
    }


def _grant_to_wire(grant: StoredGrant, now: datetime) -> dict[str, Any]:
    next_recurrence = grant.next_recurrence(now)
    optional = {
        "recurrence": grant.recurrence and recurrence_to_wire(grant.recurrence),
        "nextRecurrence": next_recurrence and instant_to_wire(next_recurrence),
        "voidedAt": grant.voided_at and instant_to_wire(grant.voided_at),
        "metadata": grant.metadata,
        "annotations": grant.annotations and exact_to_wire(dict(grant.annotations)),
    }
    return {
        "id": grant.id,
        "entitlementId": grant.entitlement_id,
        "amount": number_to_wire(grant.amount),
        "priority": grant.priority,
        "effectiveAt": instant_to_wire(grant.effective_at),
        "minRolloverAmount": number_to_wire(grant.min_rollover),
        "maxRolloverAmount": number_to_wire(grant.max_rollover),
        "createdAt": instant_to_wire(grant.created_at),
        "updatedAt": instant_to_wire(grant.updated_at),
        **{name: value for name, value in optional.items() if value},
    }


def recurrence_to_wire(recurrence: Recurrence) -> dict[str, Any]:
    return {
        "interval": recurrence.interval.name,
        "intervalISO": recurrence.interval.iso,
        "anchor": instant_to_wire(recurrence.anchor),
    }


def exact_to_wire(value: Any) -> msgspec.Raw:
    """JSON in which every number has all its digits."""
    return msgspec.Raw(json_text(value).encode())
