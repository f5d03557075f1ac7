"""The usage periods of an entitlement: cut by its recurrence, and by resets made by hand."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from monometer.core.recurrence import Recurrence
from monometer.core.windows import Period

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """A reset made by hand, at a whole minute, with what was chosen then.

    Without `retain_anchor` the periods that follow count from `at`.
    """

    at: datetime
    retain_anchor: bool
    preserve_overage: bool


class PeriodStart(NamedTuple):
    """Where a usage period starts after another one, which is a reset whoever made it."""

    at: datetime
    preserve_overage: bool


class Stretch(NamedTuple):
    """From `since` until the next stretch, periods follow `recurrence`."""

    since: datetime
    recurrence: Recurrence


class UsagePeriods:
    """The usage periods since `measure_from`, which lie end to end and never end.

    The first one starts at `measure_from`, wherever its recurrence is then. Of resets of the same
    minute the last one counts; resets not after `measure_from` change nothing.
    Source: OpenMeter `entitlement/usageperiod.go`.
    """

    def __init__(
        self,
        measure_from: datetime,
        recurrence: Recurrence,
        resets: Sequence[Reset] = (),
        *,
        preserve_overage: bool = False,
    ) -> None:
        self._preserve_overage = preserve_overage
        self._resets = {reset.at: reset for reset in sorted(resets, key=lambda reset: reset.at)}
        self._stretches = [Stretch(measure_from, recurrence)]
        for reset in self._resets.values():
            if reset.at > measure_from:
                self._stretches.append(Stretch(reset.at, self._after(reset)))

    def _after(self, reset: Reset) -> Recurrence:
        before = self._stretches[-1].recurrence
        return before if reset.retain_anchor else Recurrence(before.interval, reset.at)

    @property
    def measure_from(self) -> datetime:
        return self._stretches[0].since

    @property
    def last_reset(self) -> datetime:
        """The last one made by hand; without any, `measure_from`."""
        return self._stretches[-1].since

    @property
    def current_recurrence(self) -> Recurrence:
        """The interval with the anchor that counts after the last reset."""
        return self._stretches[-1].recurrence

    def period_at(self, at: datetime) -> Period:
        """The usage period that holds `at`; before `measure_from`, the first one."""
        index = max(0, bisect_right(self._stretches, at, key=lambda one: one.since) - 1)
        since, recurrence = self._stretches[index]
        start, end = recurrence.period_at(max(at, since))
        if index + 1 < len(self._stretches):
            end = min(end, self._stretches[index + 1].since)
        return Period(max(start, since), end)

    def starts_back_from(self, until: datetime) -> Iterator[PeriodStart]:
        """The resets after `measure_from` and not after `until`, latest first, lazily."""
        for index in reversed(range(len(self._stretches))):
            since, recurrence = self._stretches[index]
            if since > until:
                continue
            last = until
            if index + 1 < len(self._stretches):
                last = min(last, self._stretches[index + 1].since - _INSTANT)
            n = recurrence.index_at(last)
            while (at := recurrence.occurrence(n)) > since:
                yield PeriodStart(at, self._preserve_overage)
                n -= 1
            if index > 0:
                yield PeriodStart(since, self._resets[since].preserve_overage)
