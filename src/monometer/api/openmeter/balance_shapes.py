"""The shapes of values and histories on the wire, and their conversions."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from monometer.api.openmeter.entitlement_inputs import (
    Config,
)
from monometer.api.openmeter.entitlement_shapes import (
    Period,
)
from monometer.api.openmeter.filters import Ulid
from monometer.api.wire import Number, instant_to_wire, left_out, number_to_wire
from monometer.core.balance import Segment, WindowUsage
from monometer.core.burndown import Burndown
from monometer.core.entitlement import Value

_EXAMPLE: dict[str, Any] = {
    "hasAccess": True,
    "balance": 15,
    "usage": 65,
    "overage": 0,
    "totalAvailableGrantAmount": 80,
}


class EntitlementValue(BaseModel):
    """Whether there is access, and what a metered or a static entitlement adds to that."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    hasAccess: bool
    balance: Number = left_out()
    usage: Number = left_out()
    overage: Number = left_out()
    totalAvailableGrantAmount: Number = left_out()
    config: Config = left_out()


class EntitlementValueV2(EntitlementValue):
    """As EntitlementValue, with the balance of each active grant by its id."""

    grantBalances: dict[str, Number] = left_out()


class CustomerAccess(BaseModel):
    """The value of every active entitlement, by the key of its feature."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"entitlements": {"gpt4_tokens": _EXAMPLE}}]}
    )

    entitlements: dict[str, EntitlementValue]


class BalanceHistoryWindow(BaseModel):
    period: Period
    usage: Number
    balanceAtStart: Number


class GrantUsageRecord(BaseModel):
    grantId: Ulid
    usage: Number


class GrantBurnDownHistorySegment(BaseModel):
    """One phase; one that starts where it ends is a reset."""

    period: Period
    usage: Number = Field(description="Of this segment alone.")
    overage: Number = Field(description="At its end.")
    balanceAtStart: Number
    grantBalancesAtStart: dict[str, Number]
    balanceAtEnd: Number
    grantBalancesAtEnd: dict[str, Number]
    grantUsages: list[GrantUsageRecord] = Field(description="In the order of burning.")


class WindowedBalanceHistory(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "windowedHistory": [
                        {
                            "period": {
                                "from": "2026-01-01T00:00:00Z",
                                "to": "2026-01-02T00:00:00Z",
                            },
                            "usage": 5,
                            "balanceAtStart": 100,
                        }
                    ],
                    "burndownHistory": [],
                }
            ]
        }
    )

    windowedHistory: list[BalanceHistoryWindow]
    burndownHistory: list[GrantBurnDownHistorySegment]


def value_to_wire(value: Value) -> dict[str, Any]:
    """Numbers of metered ones, the config of static ones; nothing more without access in time."""
    wire: dict[str, Any] = {"hasAccess": value.has_access}
    if value.balance is not None:
        wire |= {
            "balance": number_to_wire(value.balance.total),
            "usage": number_to_wire(value.balance.usage),
            "overage": number_to_wire(value.balance.overage),
            "totalAvailableGrantAmount": number_to_wire(value.balance.total_available),
        }
    if value.config is not None:
        wire["config"] = value.config
    return wire


def value_to_wire_v2(value: Value) -> dict[str, Any]:
    wire = value_to_wire(value)
    if value.balance is not None:
        wire["grantBalances"] = _numbers_to_wire(value.balance.grants)
    return wire


def access_to_wire(values: Mapping[str, Value]) -> dict[str, Any]:
    return {"entitlements": {key: value_to_wire_v2(one) for key, one in sorted(values.items())}}


def history_to_wire(history: Burndown, zone: ZoneInfo) -> dict[str, Any]:
    """Windows are told on the wall clock of the zone, segments in UTC."""
    return {
        "windowedHistory": [_window_to_wire(one, zone) for one in history.windows],
        "burndownHistory": [_segment_to_wire(one) for one in history.segments],
    }


def _window_to_wire(one: WindowUsage, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "period": _period_to_wire(
            one.period.start.astimezone(zone), one.period.end.astimezone(zone)
        ),
        "usage": number_to_wire(one.usage),
        "balanceAtStart": number_to_wire(one.balance_at_start),
    }


def _segment_to_wire(one: Segment) -> dict[str, Any]:
    return {
        "period": _period_to_wire(one.start, one.end),
        "usage": number_to_wire(one.usage),
        "overage": number_to_wire(one.overage),
        "balanceAtStart": number_to_wire(one.balance_at_start),
        "grantBalancesAtStart": _numbers_to_wire(one.grants_at_start),
        "balanceAtEnd": number_to_wire(one.balance_at_end),
        "grantBalancesAtEnd": _numbers_to_wire(one.grants_at_end),
        "grantUsages": [
            {"grantId": id_, "usage": number_to_wire(usage)} for id_, usage in one.burnt
        ],
    }


def _period_to_wire(start: datetime, end: datetime) -> dict[str, str]:
    return {"from": instant_to_wire(start), "to": instant_to_wire(end)}


def _numbers_to_wire(numbers: Mapping[str, Decimal]) -> dict[str, Any]:
    return {name: number_to_wire(number) for name, number in numbers.items()}
