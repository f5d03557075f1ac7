"""History by windows: usage of each, and the balance at its start."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from monometer.core.balance import WindowUsage
from monometer.core.errors import InvalidInput
from monometer.core.grant import Grant
from monometer.core.minutes import down_to_minute, up_to_minute
from monometer.core.numbers import EXACT, exact_sum
from monometer.core.phases import Plan
from monometer.core.windows import Period, WindowSize, floor, next_start, zone

WINDOWS_MAX = 10_000

_ZERO = Decimal(0)


def windows_between(
    since: datetime, until: datetime, size: WindowSize, zone_name: str, *, measure_from: datetime
) -> tuple[Period, ...]:
    """The windows that hold some instant of [since, until), on the wall clock of the zone.

    Those that start before `measure_from` are left out. Raises InvalidInput for an unknown zone
    and for more than WINDOWS_MAX windows.
    """
    in_zone = zone(zone_name)
    last = up_to_minute(until)
    # Not from `since`: whoever asks for the minutes from the year 1000 on is refused by and by.
    start = floor(max(down_to_minute(since), measure_from), size, in_zone)
    windows: list[Period] = []
    while start < last:
        end = next_start(start, size, in_zone)
        if start >= measure_from:
            windows.append(Period(start, end))
        if len(windows) > WINDOWS_MAX:
            raise InvalidInput(f"a history has at most {WINDOWS_MAX} windows")
        start = end
    return tuple(windows)


class Standing(NamedTuple):
    """Where a phase starts: credit, what it could be after corrections, and what is owed."""

    credit: Decimal
    credit_max: Decimal
    owed: Decimal

    @classmethod
    def of(
        cls, balances: Mapping[str, Decimal], active: Sequence[Grant], owed: Decimal
    ) -> "Standing":
        most = (max(grant.amount, balances[grant.id]) for grant in active)
        return cls(exact_sum(balances.values()), exact_sum(most), owed)

    def balance_after(self, usage: Decimal) -> Decimal:
        left = EXACT.subtract(self.credit, EXACT.add(self.owed, usage))
        return max(_ZERO, min(self.credit_max, left))


def window_usages(
    plan: Plan, measured: Sequence[Decimal], standings: Sequence[Standing]
) -> tuple[WindowUsage, ...]:
    """The plan's windows. `measured` is the usage of its pieces, `standings` those of its phases.

    The balance at the start of a window is what a value asked for that instant tells, except that
    usage is counted to the instant. A level stands until it is reported anew.
    """
    starts = [window.start for window in plan.windows]
    usages = [_ZERO] * len(starts)
    balances = [_ZERO] * len(starts)
    phase, spent = -1, plan.opening.usage
    for piece, usage in zip(plan.pieces, measured, strict=True):
        if piece.phase != phase:
            phase = piece.phase
            if plan.phases[phase].reset or not plan.is_level:
                spent = _ZERO
        index = bisect_right(starts, piece.start) - 1
        if index >= 0 and piece.start < plan.windows[-1].end:
            if piece.start == starts[index]:
                balances[index] = standings[phase].balance_after(spent)
            usages[index] = usage if plan.is_level else EXACT.add(usages[index], usage)
        spent = usage if plan.is_level else EXACT.add(spent, usage)
    return tuple(
        WindowUsage(period=window, usage=usage, balance_at_start=balance)
        for window, usage, balance in zip(plan.windows, usages, balances, strict=True)
    )
