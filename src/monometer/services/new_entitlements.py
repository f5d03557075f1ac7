"""Entitlements as somebody asks for them, and the terms that they mean."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn, TypeAlias

from monometer.core.entitlement import Boolean, Metered, Static
from monometer.core.errors import InvalidInput
from monometer.core.meter import Metadata
from monometer.core.minutes import down_to_minute
from monometer.core.recurrence import Interval, Recurrence
from monometer.services.new_grants import NewGrant


class MeasureFrom(StrEnum):
    NOW = "NOW"
    CURRENT_PERIOD_START = "CURRENT_PERIOD_START"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPeriod:
    """A usage period to be; without an anchor from now on."""

    interval: Interval
    anchor: datetime | None = None

    def recurrence(self, now: datetime) -> Recurrence:
        return Recurrence(self.interval, down_to_minute(self.anchor or now))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMetered:
    """`grants` are given at once, and only where nothing is issued after resets."""

    usage_period: NewPeriod
    measure_from: datetime | MeasureFrom = MeasureFrom.NOW
    issue_after_reset: Decimal | None = None
    issue_after_reset_priority: int | None = None
    is_soft_limit: bool = False
    preserve_overage_at_reset: bool = False
    grants: Sequence[NewGrant] = ()

    def terms(self, now: datetime) -> Metered:
        """Raises InvalidInput."""
        if self.issue_after_reset is None and self.issue_after_reset_priority is not None:
            raise _invalid_value("metered", "IssueAfterResetPriority requires IssueAfterReset")
        if self.issue_after_reset is not None and self.grants:
            raise InvalidInput("issueAfterReset and grants cannot be used together")
        period = self.usage_period.recurrence(now)
        match self.measure_from:
            case MeasureFrom.NOW:
                start = now
            case MeasureFrom.CURRENT_PERIOD_START:
                start = period.period_at(now).start
            case datetime():
                start = self.measure_from
        return Metered(
            usage_period=period,
            measure_from=down_to_minute(start),
            issue_after_reset=self.issue_after_reset or Decimal(0),
            issue_after_reset_priority=self.issue_after_reset_priority,
            is_soft_limit=self.is_soft_limit,
            preserve_overage_at_reset=self.preserve_overage_at_reset,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStatic:
    config: str
    usage_period: NewPeriod | None = None

    def terms(self, now: datetime) -> Static:
        """Raises InvalidInput for a config that is no JSON."""
        try:
            json.loads(self.config, parse_constant=_no_json)
        except (ValueError, RecursionError):
            raise _invalid_value("static", "invalid JSON config") from None
        return Static(config=self.config, usage_period=_recurrence(self.usage_period, now))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBoolean:
    usage_period: NewPeriod | None = None

    def terms(self, now: datetime) -> Boolean:
        return Boolean(usage_period=_recurrence(self.usage_period, now))


NewTerms: TypeAlias = NewMetered | NewStatic | NewBoolean


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntitlement:
    """An entitlement as somebody asks for it. `feature` is an id or a key."""

    feature: str
    terms: NewTerms
    metadata: Metadata | None = None


def _recurrence(period: NewPeriod | None, now: datetime) -> Recurrence | None:
    return None if period is None else period.recurrence(now)


def _invalid_value(type_: str, reason: str) -> InvalidInput:
    return InvalidInput(f"invalid entitlement value for type {type_}: {reason}")


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
