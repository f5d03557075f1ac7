"""What stands at an instant, and what happened in a stretch of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from monometer.core.numbers import exact_sum
from monometer.core.windows import Period

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Credit and debt at the instant `at`, with all that happens at that instant.

    `grants` holds what is left of each grant active then, zeros too. `usage` and `burnt` (credit
    taken from grants, whatever became of them) count from the start of the usage period. `owed` is
    usage that no credit has covered yet; corrections may bring it below zero.
    A run may go on from it.
    """

    at: datetime
    grants: Mapping[str, Decimal] = field(default_factory=dict)
    owed: Decimal = _ZERO
    usage: Decimal = _ZERO
    burnt: Decimal = _ZERO

    @property
    def total(self) -> Decimal:
        return exact_sum(self.grants.values())

    @property
    def overage(self) -> Decimal:
        return max(self.owed, _ZERO)

    @property
    def total_available(self) -> Decimal:
        """Credit of this usage period, used and left. The wire's totalAvailableGrantAmount."""
        return exact_sum((self.burnt, self.total))


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What one phase, or one reset, did to the grants.

    `usage` is that of the segment alone, `overage` stands at its end. `grants_at_start` is before
    overage from earlier is charged. `burnt` is by grant, in burn order, and has every grant that
    had a balance. A reset is a segment that starts and ends at the same instant: what has rolled
    over, less the overage that was preserved.
    """

    start: datetime
    end: datetime
    is_reset: bool
    usage: Decimal
    overage: Decimal
    grants_at_start: Mapping[str, Decimal]
    grants_at_end: Mapping[str, Decimal]
    burnt: tuple[tuple[str, Decimal], ...]

    @property
    def balance_at_start(self) -> Decimal:
        return exact_sum(self.grants_at_start.values())

    @property
    def balance_at_end(self) -> Decimal:
        return exact_sum(self.grants_at_end.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowUsage:
    """Usage of one window, and the balance at its start."""

    period: Period
    usage: Decimal
    balance_at_start: Decimal
