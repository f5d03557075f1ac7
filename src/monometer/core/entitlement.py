"""An entitlement: what may be used of a feature, from when to when, and what that means now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

from monometer.core.balance import Balance
from monometer.core.event import TIME_END, Json
from monometer.core.grant import Grant
from monometer.core.meter import Metadata
from monometer.core.recurrence import Recurrence
from monometer.core.usage_periods import Reset, UsagePeriods
from monometer.core.windows import Period

DEFAULT_GRANT_PRIORITY = 1
DEFAULT_GRANT_ANNOTATIONS: Mapping[str, Json] = MappingProxyType({"issueAfterReset": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """Credit, made of grants and used up by a feature's usage since `measure_from`.

    `usage_period` is as it was at creation: `resets` may have moved its anchor since.
    `measure_from`, the anchor and resets are whole minutes.
    """

    usage_period: Recurrence
    measure_from: datetime
    issue_after_reset: Decimal = Decimal(0)
    issue_after_reset_priority: int | None = None
    is_soft_limit: bool = False
    preserve_overage_at_reset: bool = False
    resets: tuple[Reset, ...] = ()

    @property
    def usage_periods(self) -> UsagePeriods:
        return UsagePeriods(
            self.measure_from,
            self.usage_period,
            self.resets,
            preserve_overage=self.preserve_overage_at_reset,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """A configuration: `config` is JSON text, kept and told as it was sent."""

    config: str
    usage_period: Recurrence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean:
    """Access while it is active."""

    usage_period: Recurrence | None = None


Terms: TypeAlias = Metered | Static | Boolean


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """An entitlement as it is kept. It belongs to a customer, or to a subject without one.

    At most one for an owner and `feature_key` is active at any instant. `active_from` None is
    `created_at`; `active_to` is set when another one takes its place.
    """

    namespace: str
    id: str
    feature_id: str
    feature_key: str
    customer_id: str | None
    subject: str | None
    terms: Terms
    metadata: Metadata | None
    annotations: Mapping[str, Json] | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    active_from: datetime | None
    active_to: datetime | None

    @property
    def active_period(self) -> Period:
        """When it is active; one without an end ends with the years that events may have."""
        start = self.active_from or self.created_at
        return Period(start, self.active_to or self.deleted_at or TIME_END)

    def is_active(self, at: datetime) -> bool:
        start, end = self.active_period
        return start <= at < end


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Whether there is access, with the balance of a metered and the config of a static one."""

    has_access: bool
    balance: Balance | None = None
    config: str | None = None


NO_ACCESS = Value(has_access=False)


def conflicting(period: Period, others: Iterable[Entitlement]) -> Entitlement | None:
    """The first of the others that is active at some instant of `period`.

    Periods that touch do not conflict, nor does an empty one with anything.
    """
    return next((other for other in others if _overlap(period, other.active_period)), None)


def _overlap(a: Period, b: Period) -> bool:
    return max(a.start, b.start) < min(a.end, b.end)


def current_usage_period(terms: Terms, now: datetime) -> Period | None:
    """The usage period that holds `now`; None for a static or boolean one without a recurrence."""
    if isinstance(terms, Metered):
        return terms.usage_periods.period_at(now)
    return None if terms.usage_period is None else terms.usage_period.period_at(now)


def value_of(terms: Terms, balance: Balance | None = None) -> Value:
    """The value of an active entitlement; a metered one needs its balance.

    Access to a metered one takes a balance above zero or a soft limit, used or not.
    """
    match terms:
        case Metered():
            if balance is None:
                raise ValueError("a metered entitlement has no value without a balance")
            return Value(has_access=terms.is_soft_limit or balance.total > 0, balance=balance)
        case Static(config=config):
            return Value(has_access=True, config=config)
        case Boolean():
            return Value(has_access=True)


def default_grant(terms: Metered, *, id: str, entitlement_id: str, now: datetime) -> Grant | None:  # noqa: A002
    """The grant that `issue_after_reset` means: every reset fills it up to the amount again.

    Effective from the start of the usage period that holds `now`. None for an amount of zero.
    """
    amount = terms.issue_after_reset
    if amount == 0:
        return None
    return Grant(
        id=id,
        entitlement_id=entitlement_id,
        amount=amount,
        priority=terms.issue_after_reset_priority or DEFAULT_GRANT_PRIORITY,
        effective_at=terms.usage_periods.period_at(now).start,
        min_rollover=amount,
        max_rollover=amount,
        annotations=DEFAULT_GRANT_ANNOTATIONS,
        created_at=now,
        updated_at=now,
    )
