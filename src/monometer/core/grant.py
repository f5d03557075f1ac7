"""A grant: credit of an entitlement, from when to when, how often anew, and what a reset leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from monometer.core.errors import FieldError, InvalidInput
from monometer.core.event import TIME_END, Json
from monometer.core.meter import Metadata
from monometer.core.numbers import storable
from monometer.core.recurrence import Recurrence, later, moved

PRIORITY_MAX = 255
EXPIRATION_COUNT_MAX = 1_000

_ZERO = Decimal(0)


class ExpirationUnit(StrEnum):
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


_FIXED = {
    ExpirationUnit.HOUR: timedelta(hours=1),
    ExpirationUnit.DAY: timedelta(days=1),
    ExpirationUnit.WEEK: timedelta(weeks=1),
}
_MONTHS = {ExpirationUnit.MONTH: 1, ExpirationUnit.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Expiration:
    """How long a grant lasts: `count` (1 to 1 000) times `unit`."""

    unit: ExpirationUnit
    count: int

    def after(self, start: datetime) -> datetime:
        """The instant of expiry. Months overflow: a month after January 31 is March 2 or 3.

        Usage periods and recurrences stop at the month's last day instead. Source: OpenMeter.
        """
        if self.unit in _FIXED:
            return moved(start, _FIXED[self.unit] * self.count)
        month = later(start.replace(day=1), _MONTHS[self.unit] * self.count, 0)
        return moved(month, timedelta(days=start.day - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as it is kept. `effective_at`, `voided_at` and the anchor are whole minutes.

    `priority` 0 burns first, 255 last. `recurrence` sets the balance to `amount` again, leftovers
    do not add up. `expiration` None is never. `created_at` and `id` settle the order of equals.
    """

    id: str
    entitlement_id: str
    amount: Decimal
    priority: int
    effective_at: datetime
    expiration: Expiration | None = None
    recurrence: Recurrence | None = None
    min_rollover: Decimal = _ZERO
    max_rollover: Decimal = _ZERO
    voided_at: datetime | None = None
    metadata: Metadata | None = None
    annotations: Mapping[str, Json] | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def expires_at(self) -> datetime | None:
        return None if self.expiration is None else self.expiration.after(self.effective_at)

    @property
    def ends_at(self) -> datetime:
        """From when on it is not active: expiry, void or deletion, whichever comes first.

        A grant that never ends does so with the years that events may have.
        """
        return min(at or TIME_END for at in (self.expires_at, self.voided_at, self.deleted_at))

    def is_active(self, at: datetime) -> bool:
        return self.effective_at <= at < self.ends_at

    def rolled_over(self, balance: Decimal) -> Decimal:
        """What a reset leaves of a balance. Where the bounds cross, the maximum wins."""
        return min(self.max_rollover, max(self.min_rollover, balance))

    @property
    def rollover_forgets(self) -> bool:
        """Whether a reset leaves the same, whatever the balance was."""
        return self.min_rollover >= self.max_rollover

    def next_recurrence(self, now: datetime) -> datetime | None:
        """The first recurrence from `now` on, whether or not the grant lives that long."""
        if self.recurrence is None:
            return None
        return self.recurrence.next_from(max(now, self.effective_at))


BurnOrder: TypeAlias = tuple[int, datetime, datetime, str]


def burn_order(grant: Grant) -> BurnOrder:
    """Sorts grants as they burn: priority, earliest expiry (never comes last), age, id."""
    return grant.priority, grant.expires_at or TIME_END, grant.created_at, grant.id


def validate_grant(grant: Grant) -> None:
    """Raises InvalidInput, naming every broken rule that one can see on the grant alone."""
    problems = [
        FieldError(field=field, message=f"{field} must not be negative, nor have over 1000 digits")
        for field, number in (
            ("minRolloverAmount", grant.min_rollover),
            ("maxRolloverAmount", grant.max_rollover),
        )
        if not number.is_finite() or not storable(number) or number < 0
    ]
    if not grant.amount.is_finite() or not storable(grant.amount):
        problems.append(FieldError(field="amount", message="amount must have at most 1000 digits"))
    elif grant.amount <= 0:
        problems.append(
            FieldError(
                field="amount",
                message="amount must be positive",
                code="grant_amount_must_be_positive",
            )
        )
    if not 0 <= grant.priority <= PRIORITY_MAX:
        message = f"priority must be from 0 to {PRIORITY_MAX}"
        problems.append(FieldError(field="priority", message=message))
    if grant.expiration and not 1 <= grant.expiration.count <= EXPIRATION_COUNT_MAX:
        message = f"expiration.count must be from 1 to {EXPIRATION_COUNT_MAX}"
        problems.append(FieldError(field="expiration.count", message=message))
    if problems:
        raise InvalidInput("; ".join(problem.message for problem in problems), problems)
