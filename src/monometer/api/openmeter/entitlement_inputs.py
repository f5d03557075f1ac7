"""Entitlements as requests of v1 ask for them, what v2 shares with it, and their conversions."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.grant_shapes import (
    Priority,
    RecurringPeriodCreateInput,
)
from monometer.api.openmeter.meter_shapes import Metadata, Slug
from monometer.api.wire import (
    STORABLE,
    Instant,
    NotNegative,
    instant_from_wire,
)
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
