"""The shapes of entitlements on the wire of v1, and their conversions."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.grant_shapes import (
    Priority,
    RecurringPeriod,
    RecurringPeriodCreateInput,
    exact_to_wire,
    recurrence_to_wire,
)
from monometer.api.openmeter.meter_shapes import Metadata, Slug
from monometer.api.wire import (
    STORABLE,
    Instant,
    NotNegative,
    instant_from_wire,
    instant_to_wire,
    left_out,
    number_to_wire,
)
from monometer.core.entitled import Entitled
from monometer.core.entitlement import Metered, Static, Terms, current_usage_period
from monometer.core.errors import FieldError, InvalidInput
from monometer.core.event import TIME_END, TIME_MIN
from monometer.core.recurrence import parse_interval
from monometer.services.entitlements import NewReset
from monometer.services.new_entitlements import (
    MeasureFrom,
    NewBoolean,
    NewEntitlement,
    NewMetered,
    NewPeriod,
    NewStatic,
)

CONFIG_CHARS_MAX = 65_536

Config = Annotated[
    str,
    Field(max_length=CONFIG_CHARS_MAX),
    STORABLE,
    WithJsonSchema({"type": "string", "format": "json"}),
]


class EntitlementType(StrEnum):
    METERED = "metered"
    BOOLEAN = "boolean"
    STATIC = "static"


class EntitlementOrderBy(StrEnum):
    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"


ENTITLEMENT_COLUMNS = {
    EntitlementOrderBy.CREATED_AT: "created_at",
    EntitlementOrderBy.UPDATED_AT: "updated_at",
}

METERED_EXAMPLE: dict[str, Any] = {
    "type": "metered",
    "featureKey": "gpt4_tokens",
    "usagePeriod": {"interval": "MONTH", "anchor": "2026-01-01T00:00:00Z"},
    "issueAfterReset": 100,
}


class CreateInputs(BaseModel):
    """What every type has."""

    featureId: Ulid | None = Field(None, description="One of the two is needed; this one wins.")
    featureKey: Slug | None = None
    metadata: Metadata | None = None


class MeasureUsageFromPreset(StrEnum):
    CURRENT_PERIOD_START = "CURRENT_PERIOD_START"
    NOW = "NOW"


MeasureUsageFrom = Annotated[
    str,
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "enum": list(MeasureUsageFromPreset)},
                {"type": "string", "format": "date-time"},
            ],
            "description": "Cut to the minute. Left out, now.",
        }
    ),
]


class MeteredCreateInputs(CreateInputs):
    """What metered ones of v1 and v2 have."""

    type: Literal["metered"]
    isSoftLimit: bool = Field(
        False, strict=True, description="Access stays when the balance is used up."
    )
    usagePeriod: RecurringPeriodCreateInput
    measureUsageFrom: MeasureUsageFrom | None = None
    issueAfterReset: NotNegative | None = Field(
        None, description="The balance that every reset restores."
    )
    issueAfterResetPriority: Priority | None = Field(None, description="Left out, 1.")
    preserveOverageAtReset: bool = Field(
        False, strict=True, description="Resets carry overage over."
    )


class EntitlementMeteredCreateInputs(MeteredCreateInputs):
    """Credit that usage burns down."""

    model_config = ConfigDict(json_schema_extra={"examples": [METERED_EXAMPLE]})

    isUnlimited: bool = Field(
        False, strict=True, deprecated=True, description="Accepted and not used."
    )


class EntitlementStaticCreateInputs(CreateInputs):
    """A configuration."""

    type: Literal["static"]
    config: Config = Field(description="JSON as text, told as it was sent.")
    usagePeriod: RecurringPeriodCreateInput | None = None


class EntitlementBooleanCreateInputs(CreateInputs):
    """A switch."""

    type: Literal["boolean"]
    usagePeriod: RecurringPeriodCreateInput | None = None


EntitlementCreateInputs = Annotated[
    EntitlementMeteredCreateInputs | EntitlementStaticCreateInputs | EntitlementBooleanCreateInputs,
    Field(discriminator="type"),
]


class Period(BaseModel):
    """From the one instant, included, to the other, excluded."""

    from_: Instant = Field(alias="from")
    to: Instant


class Kept(BaseModel):
    """What every kept one has."""

    id: Ulid
    featureId: Ulid
    featureKey: Slug
    metadata: dict[str, str] = left_out()
    annotations: dict[str, Any] = left_out()
    createdAt: Instant
    updatedAt: Instant
    deletedAt: Instant = left_out()
    activeFrom: Instant
    activeTo: Instant = left_out()


class KeptMetered(Kept):
    type: Literal["metered"]
    isSoftLimit: bool = False
    issueAfterReset: NotNegative = left_out()
    issueAfterResetPriority: Priority = left_out()
    preserveOverageAtReset: bool = False
    measureUsageFrom: Instant
    lastReset: Instant = Field(description="Of those made by hand; else measureUsageFrom.")
    usagePeriod: RecurringPeriod = Field(description="As it was at creation.")
    currentUsagePeriod: Period


class KeptStatic(Kept):
    type: Literal["static"]
    config: Config
    usagePeriod: RecurringPeriod = left_out()
    currentUsagePeriod: Period = left_out()


class KeptBoolean(Kept):
    type: Literal["boolean"]
    usagePeriod: RecurringPeriod = left_out()
    currentUsagePeriod: Period = left_out()


KEPT_EXAMPLE: dict[str, Any] = {
    "id": "01KDV7A0000000000000000000",
    "type": "metered",
    "featureId": "01KDV790000000000000000000",
    "featureKey": "gpt4_tokens",
    "isSoftLimit": False,
    "issueAfterReset": 100,
    "preserveOverageAtReset": False,
    "measureUsageFrom": "2026-01-10T09:15:00Z",
    "lastReset": "2026-01-10T09:15:00Z",
    "usagePeriod": {"interval": "MONTH", "intervalISO": "P1M", "anchor": "2026-01-01T00:00:00Z"},
    "currentUsagePeriod": {"from": "2026-01-10T09:15:00Z", "to": "2026-02-01T00:00:00Z"},
    "activeFrom": "2026-01-10T09:15:22.1Z",
    "createdAt": "2026-01-10T09:15:22.1Z",
    "updatedAt": "2026-01-10T09:15:22.1Z",
}


# An owner may be called anything.
SubjectKey = Annotated[str, Field(description="Of a customer the first of its subject keys.")]


class EntitlementMetered(KeptMetered):
    """A metered entitlement as it is kept."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**KEPT_EXAMPLE, "subjectKey": "acme"}]}
    )

    subjectKey: SubjectKey
    isUnlimited: bool = Field(False, strict=True, deprecated=True)


class EntitlementStatic(KeptStatic):
    """A static entitlement as it is kept."""

    subjectKey: SubjectKey


class EntitlementBoolean(KeptBoolean):
    """A boolean entitlement as it is kept."""

    subjectKey: SubjectKey


Entitlement = Annotated[
    EntitlementMetered | EntitlementStatic | EntitlementBoolean, Field(discriminator="type")
]


class EntitlementPaginatedResponse(BaseModel):
    totalCount: int
    page: int
    pageSize: int
    items: list[Entitlement]


ListEntitlementsResult = list[Entitlement] | EntitlementPaginatedResponse


class ResetEntitlementUsageInput(BaseModel):
    """When the usage period ends, and how the next one begins."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"retainAnchor": True}]})

    effectiveAt: Instant | None = Field(None, description="Cut to the minute; left out, now.")
    retainAnchor: bool = Field(
        False, strict=True, description="Else periods count from the reset on."
    )
    preserveOverage: bool | None = Field(
        None, strict=True, description="Left out, as the entitlement says."
    )


def new_entitlement_from_wire(
    wire: EntitlementMeteredCreateInputs
    | EntitlementStaticCreateInputs
    | EntitlementBooleanCreateInputs,
) -> NewEntitlement:
    """Raises InvalidInput."""
    if isinstance(wire, EntitlementMeteredCreateInputs):
        return new_of(wire, new_metered_from_wire(wire))
    return new_unmetered_from_wire(wire)


def new_unmetered_from_wire(
    wire: EntitlementStaticCreateInputs | EntitlementBooleanCreateInputs,
) -> NewEntitlement:
    """Raises InvalidInput."""
    period = None if wire.usagePeriod is None else period_from_wire(wire.usagePeriod)
    if isinstance(wire, EntitlementStaticCreateInputs):
        return new_of(wire, NewStatic(config=wire.config, usage_period=period))
    return new_of(wire, NewBoolean(usage_period=period))


def new_metered_from_wire(wire: MeteredCreateInputs) -> NewMetered:
    """Raises InvalidInput."""
    return NewMetered(
        usage_period=period_from_wire(wire.usagePeriod),
        measure_from=_measure_from_wire(wire.measureUsageFrom),
        issue_after_reset=wire.issueAfterReset,
        issue_after_reset_priority=wire.issueAfterResetPriority,
        is_soft_limit=wire.isSoftLimit,
        preserve_overage_at_reset=wire.preserveOverageAtReset,
    )


def new_of(wire: CreateInputs, terms: NewMetered | NewStatic | NewBoolean) -> NewEntitlement:
    """Raises InvalidInput without a feature."""
    feature = wire.featureId or wire.featureKey
    if feature is None:
        raise InvalidInput("feature id or key must be set")
    return NewEntitlement(feature=feature, terms=terms, metadata=wire.metadata)


def period_from_wire(wire: RecurringPeriodCreateInput) -> NewPeriod:
    """Raises InvalidInput."""
    return NewPeriod(interval=parse_interval(wire.interval), anchor=wire.anchor)


def _measure_from_wire(text: str | None) -> datetime | MeasureFrom:
    if text is None:
        return MeasureFrom.NOW
    if text in MeasureFrom.__members__:
        return MeasureFrom(text)
    try:
        at = instant_from_wire(text)
    except ValueError as error:
        reason = f"must be CURRENT_PERIOD_START, NOW or an instant; it {error}"
    else:
        if TIME_MIN <= at < TIME_END:
            return at
        reason = f"must be from year {TIME_MIN.year} on and before {TIME_END.year}"
    message = f"measureUsageFrom {reason}"
    raise InvalidInput(message, [FieldError(field="/measureUsageFrom", message=message)])


def reset_from_wire(wire: ResetEntitlementUsageInput) -> NewReset:
    return NewReset(
        at=wire.effectiveAt,
        retain_anchor=wire.retainAnchor,
        preserve_overage=wire.preserveOverage,
    )


def entitlement_to_wire(found: Entitled, now: datetime) -> dict[str, Any]:
    wire = kept_to_wire(found, now)
    wire["subjectKey"] = next(iter(found.subject_keys), "")
    if isinstance(found.entitlement.terms, Metered):
        wire["isUnlimited"] = False
    return wire


def kept_to_wire(found: Entitled, now: datetime) -> dict[str, Any]:
    """What v1 and v2 share."""
    one = found.entitlement
    optional = {
        "metadata": one.metadata,
        "annotations": one.annotations and exact_to_wire(dict(one.annotations)),
        "deletedAt": one.deleted_at and instant_to_wire(one.deleted_at),
        "activeTo": one.active_to and instant_to_wire(one.active_to),
    }
    return {
        "id": one.id,
        "type": type(one.terms).__name__.lower(),
        "featureId": one.feature_id,
        "featureKey": one.feature_key,
        "createdAt": instant_to_wire(one.created_at),
        "updatedAt": instant_to_wire(one.updated_at),
        "activeFrom": instant_to_wire(one.active_period.start),
        **{name: value for name, value in optional.items() if value},
        **_terms_to_wire(one.terms, now),
    }


def _terms_to_wire(terms: Terms, now: datetime) -> dict[str, Any]:
    wire: dict[str, Any] = {}
    current = current_usage_period(terms, now)
    if terms.usage_period is not None and current is not None:
        start, end = current
        wire["usagePeriod"] = recurrence_to_wire(terms.usage_period)
        wire["currentUsagePeriod"] = {"from": instant_to_wire(start), "to": instant_to_wire(end)}
    if isinstance(terms, Static):
        wire["config"] = terms.config
    if isinstance(terms, Metered):
        wire |= {
            "isSoftLimit": terms.is_soft_limit,
            "issueAfterReset": number_to_wire(terms.issue_after_reset),
            "preserveOverageAtReset": terms.preserve_overage_at_reset,
            "measureUsageFrom": instant_to_wire(terms.measure_from),
            "lastReset": instant_to_wire(terms.usage_periods.last_reset),
        }
        if terms.issue_after_reset_priority is not None:
            wire["issueAfterResetPriority"] = terms.issue_after_reset_priority
    return wire
