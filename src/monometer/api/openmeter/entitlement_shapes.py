"""The shapes of entitlements on the wire of v1, and their conversions."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from monometer.api.openmeter.entitlement_inputs import Config
from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.grant_shapes import (
    Priority,
    RecurringPeriod,
    exact_to_wire,
    recurrence_to_wire,
)
from monometer.api.openmeter.meter_shapes import Slug
from monometer.api.wire import (
    Instant,
    NotNegative,
    instant_to_wire,
    left_out,
    number_to_wire,
)
from monometer.core.entitled import Entitled
from monometer.core.entitlement import Metered, Static, Terms, current_usage_period


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
