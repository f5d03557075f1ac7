"""The shapes of what customers have access to in v3, and their conversions."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from monometer.api.openmeter.meter_shapes import Slug
from monometer.api.openmeter.v3.customer_shapes import (
    CUSTOMER_EXAMPLE,
    BillingCustomer,
    customer_to_wire,
)
from monometer.api.openmeter.v3.paging import CursorMeta
from monometer.api.wire import Instant, Text, instant_to_wire, left_out
from monometer.core.entitlement import Boolean, Metered, Static
from monometer.services.accesses import AccessPage, CustomerAccess
from monometer.services.balances import Held

KEYS_MAX = 100

_TYPES = {Metered: "metered", Static: "static", Boolean: "boolean"}

Keys = Annotated[list[Text], Field(min_length=1, max_length=KEYS_MAX)]


class BillingEntitlementType(StrEnum):
    METERED = "metered"
    STATIC = "static"
    BOOLEAN = "boolean"


class BillingEntitlementAccessResult(BaseModel):
    type: BillingEntitlementType
    feature_key: Slug
    has_access: bool
    config: str = left_out()  # of a static one, JSON text


class ListCustomerEntitlementAccessResponseData(BaseModel):
    """Every active entitlement, by the key of its feature."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"data": [{"type": "metered", "feature_key": "gpt4_tokens", "has_access": True}]}
            ]
        }
    )

    data: list[BillingEntitlementAccessResult]


class EntitlementAccessQueryRequestCustomers(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: Keys = Field(description="Ids and keys of customers, and their subjects.")


class EntitlementAccessQueryRequestFeatures(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: Keys


class EntitlementAccessQueryRequest(BaseModel):
    """Who is asked about, and which features; of none named, all that each has."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"customer": {"keys": ["acme", "acme-eu"]}, "feature": {"keys": ["gpt4_tokens"]}}
            ]
        },
    )

    include_credits: bool = Field(
        False, strict=True, description="Accepted: there are no credits of money."
    )
    customer: EntitlementAccessQueryRequestCustomers
    feature: EntitlementAccessQueryRequestFeatures | None = None


class EntitlementFeatureAccessReasonCode(StrEnum):
    UNKNOWN = "unknown"
    USAGE_LIMIT_REACHED = "usage_limit_reached"
    FEATURE_UNAVAILABLE = "feature_unavailable"
    FEATURE_NOT_FOUND = "feature_not_found"
    NO_CREDIT_AVAILABLE = "no_credit_available"


_Code = EntitlementFeatureAccessReasonCode
_MESSAGES = {
    _Code.USAGE_LIMIT_REACHED: "the balance of the entitlement is used up",
    _Code.FEATURE_UNAVAILABLE: "the customer has no active entitlement of the feature",
    _Code.FEATURE_NOT_FOUND: "no live feature has this key",
}


class EntitlementFeatureAccessReason(BaseModel):
    code: EntitlementFeatureAccessReasonCode
    message: str
    attributes: dict[str, Any] = left_out()


class EntitlementFeatureAccess(BaseModel):
    has_access: bool
    reason: EntitlementFeatureAccessReason = left_out()  # why there is none


class EntitlementAccessQueryResult(BaseModel):
    matched: list[str] = Field(description="What of the request named this customer.")
    customer: BillingCustomer
    features: dict[str, EntitlementFeatureAccess] = Field(description="By key.")
    updated_at: Instant = Field(description="The moment that the answer is about.")


class EntitlementAccessQueryErrorCode(StrEnum):
    UNKNOWN = "unknown"
    CUSTOMER_NOT_FOUND = "customer_not_found"


class EntitlementAccessQueryError(BaseModel):
    code: EntitlementAccessQueryErrorCode
    message: str
    attributes: dict[str, Any] = left_out()
    customer: str = left_out()  # as the request named it


class EntitlementAccessQueryResponse(BaseModel):
    """Customers by id. Names that are nobody's are told once, on the first page."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "data": [
                        {
                            "matched": ["acme", "acme-eu"],
                            "customer": {
                                **CUSTOMER_EXAMPLE,
                                "id": "01KDV7B0000000000000000000",
                                "created_at": "2026-01-01T00:00:00.123456Z",
                                "updated_at": "2026-01-01T00:00:00.123456Z",
                            },
                            "features": {"gpt4_tokens": {"has_access": True}},
                            "updated_at": "2026-01-02T00:00:00Z",
                        }
                    ],
                    "errors": [],
                    "meta": {
                        "page": {
                            "size": 20,
                            "first": "01KDV7B0000000000000000000",
                            "last": "01KDV7B0000000000000000000",
                            "next": None,
                            "previous": None,
                        }
                    },
                }
            ]
        }
    )

    data: list[EntitlementAccessQueryResult]
    errors: list[EntitlementAccessQueryError]
    meta: CursorMeta


def held_to_wire(held: Sequence[Held]) -> dict[str, Any]:
    rows = []
    for one, value in sorted(held, key=lambda pair: pair[0].entitlement.feature_key):
        row: dict[str, Any] = {
            "type": _TYPES[type(one.entitlement.terms)],
            "feature_key": one.entitlement.feature_key,
            "has_access": value.has_access,
        }
        if value.config is not None:
            row["config"] = value.config
        rows.append(row)
    return {"data": rows}


def results_to_wire(found: AccessPage, features: Collection[str]) -> list[dict[str, Any]]:
    """`features` are the keys that were asked for; those without an entitlement are told, too."""
    return [
        {
            "matched": list(one.matched),
            "customer": customer_to_wire(one.customer),
            "features": _features_to_wire(one, features, found.live_features),
            "updated_at": instant_to_wire(found.at),
        }
        for one in found.of
        if one.refused is None
    ]


def errors_to_wire(found: AccessPage, *, first: bool) -> list[dict[str, Any]]:
    unknown = [
        {
            "code": EntitlementAccessQueryErrorCode.CUSTOMER_NOT_FOUND.value,
            "message": "no live customer has this key or subject",
            "customer": name,
        }
        for name in (found.unknown if first else ())
    ]
    refused = [
        {
            "code": EntitlementAccessQueryErrorCode.UNKNOWN.value,
            "message": one.refused,
            "customer": name,
        }
        for one in found.of
        if one.refused is not None
        for name in one.matched
    ]
    return [*unknown, *refused]


def _features_to_wire(
    one: CustomerAccess, asked: Collection[str], live: Collection[str]
) -> dict[str, Any]:
    missing = {
        key: _no_access(_Code.FEATURE_UNAVAILABLE if key in live else _Code.FEATURE_NOT_FOUND)
        for key in asked
    }
    held = {
        entitled.entitlement.feature_key: {"has_access": True}
        if value.has_access
        else _no_access(_Code.USAGE_LIMIT_REACHED)
        for entitled, value in one.held
    }
    return dict(sorted({**missing, **held}.items()))


def _no_access(code: EntitlementFeatureAccessReasonCode) -> dict[str, Any]:
    reason = {"code": code.value, "message": _MESSAGES[code]}
    return {"has_access": False, "reason": reason}
