"""Where a run over phases may start: the latest instant from which nothing before it matters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from monometer.core.balance import Balance
from monometer.core.entitlement import Metered
from monometer.core.errors import InvalidInput
from monometer.core.grant import Grant
from monometer.core.usage_periods import PeriodStart

PHASES_MAX = 50_000
BURNS_MAX = 2_000_000

_INSTANT = timedelta(microseconds=1)


def check_phases(count: int) -> None:
    """Raises InvalidInput for more than PHASES_MAX."""
    if count > PHASES_MAX:
        raise InvalidInput(
            f"usage periods, grants and their recurrences make more than {PHASES_MAX} phases"
        )


def check_burns(count: int) -> None:
    """Raises InvalidInput when there are more than BURNS_MAX grants in all phases together."""
    if count > BURNS_MAX:
        raise InvalidInput(f"phases times grants in them are more than {BURNS_MAX}")


class Span(NamedTuple):
    """A grant and when it is active, computed once."""

    grant: Grant
    start: datetime
    end: datetime

    def recurrences(self, first: datetime, last: datetime) -> tuple[datetime, datetime]:
        """Between which instants, both included, it may recur."""
        return max(first, self.start), min(last, self.end - _INSTANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """`balance` stands at `at`; `resets` are those from there on.

    `is_settled`: what happens at `at` itself has happened to the balance. `is_first`: measurement
    begins here, and grants active already have their whole amount.
    """

    at: datetime
    balance: Balance
    resets: Mapping[datetime, PeriodStart]
    is_settled: bool = False
    is_first: bool = False


def origin_of(
    terms: Metered,
    spans: Sequence[Span],
    *,
    needed: datetime,
    end: datetime,
    is_level: bool,
    opening: Balance | None,
) -> Origin:
    """The latest origin not after `needed`, with the resets up to `end`.

    That is an opening, a reset that forgets, or the start of measurement. A level forgets with
    every reset. Raises InvalidInput for more than PHASES_MAX resets.
    """
    remembering = [one for one in spans if not one.grant.rollover_forgets]
    resets: dict[datetime, PeriodStart] = {}
    if opening is not None and not terms.measure_from <= opening.at <= needed:
        opening = None
    for reset in terms.usage_periods.starts_back_from(end):
        if opening is not None and reset.at <= opening.at:
            break
        resets[reset.at] = reset
        check_phases(len(resets))
        if reset.at <= needed and (is_level or _forgets(reset, remembering)):
            return Origin(at=reset.at, balance=Balance(at=reset.at), resets=resets)
    if opening is not None:
        return Origin(at=opening.at, balance=opening, resets=resets, is_settled=True)
    start = min(terms.measure_from, needed)
    return Origin(at=start, balance=Balance(at=start), resets=resets, is_first=True)


def _forgets(reset: PeriodStart, remembering: Iterable[Span]) -> bool:
    """Whether all that a reset leaves is the same whatever was before it."""
    return not reset.preserve_overage and not any(
        one.start < reset.at < one.end and not _recurs(one.grant, reset.at) for one in remembering
    )


def _recurs(grant: Grant, at: datetime) -> bool:
    return grant.recurrence is not None and grant.recurrence.count(at, at) > 0
