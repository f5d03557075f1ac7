"""Planning: time cut into phases within which nothing but usage happens to any grant."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from monometer.core.aggregation import Aggregation
from monometer.core.balance import Balance
from monometer.core.cuts import Cuts
from monometer.core.entitlement import Metered
from monometer.core.errors import FieldError, InvalidInput
from monometer.core.grant import Grant, burn_order
from monometer.core.measuring import Piece, periods_of
from monometer.core.minutes import down_to_minute, up_to_minute
from monometer.core.origin import Span, check_burns, check_phases, origin_of
from monometer.core.usage_periods import PeriodStart
from monometer.core.windows import Period

TOLD_BALANCES_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """[start, end), may be empty. `active` are the grants that burn in it, in burn order.

    At its start, in this order: a usage period begins (`reset`), and the grants in `fills` get
    their whole amount, because they begin or recur then.
    """

    start: datetime
    end: datetime
    period_start: datetime
    active: tuple[Grant, ...]
    reset: PeriodStart | None = None
    fills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that `burn` needs beside usage; `periods` is what to ask the event store for.

    `opening` stands before the first phase. Segments are told from `since` to `until`, without
    `since` none; their balances are of the grants in `told`. `closing` are the grants active at the
    very end.
    """

    aggregation: Aggregation
    opening: Balance
    phases: tuple[Phase, ...]
    pieces: tuple[Piece, ...]
    closing: tuple[Grant, ...]
    until: datetime
    since: datetime | None
    told: tuple[str, ...]
    windows: tuple[Period, ...]

    @property
    def periods(self) -> tuple[Period, ...]:
        return periods_of(self.pieces, self.aggregation)

    @property
    def is_level(self) -> bool:
        """Whether usage is a level that stands rather than an amount that adds up."""
        return self.aggregation is Aggregation.LATEST


def plan(
    terms: Metered,
    grants: Iterable[Grant],
    aggregation: Aggregation,
    *,
    until: datetime,
    since: datetime | None = None,
    windows: Sequence[Period] = (),
    opening: Balance | None = None,
) -> Plan:
    """The phases up to `until`, which is rounded up to the minute and belongs to them.

    With `since`, rounded down, segments are told from there on, and `windows` (end to end, from
    `windows_between`) are told with their balances. `opening` is the balance of an earlier run over
    the same grants and resets. Phases start at the latest instant from which on nothing before
    matters: an opening, a reset that forgets, or the start of measurement.

    Raises InvalidInput for more phases, or grants in them, than there may be, and for a `since`
    before measurement or after `until`.
    """
    until = up_to_minute(until)
    since = None if since is None else down_to_minute(since)
    if since is not None:
        _check_range(terms, since, until)
    needed = min([until, *([since] if since else []), *(one.start for one in windows[:1])])
    end = max([until, *(one.end for one in windows[-1:])])
    is_level = aggregation is Aggregation.LATEST
    all_spans = [Span(one, one.effective_at, one.ends_at) for one in sorted(grants, key=burn_order)]
    origin = origin_of(terms, all_spans, needed=needed, end=end, is_level=is_level, opening=opening)
    spans = [one for one in all_spans if one.start <= end and max(one.start, origin.at) < one.end]
    cuts = Cuts(origin, spans, end, is_level=is_level)
    quiet = {origin.at, until} | ({since} if since and since > origin.at else set())
    phases = tuple(_phases(cuts, terms, quiet, until, end))
    told = tuple(s.grant.id for s in spans if since and s.start <= until and since <= s.end)
    check_phases(len(phases))
    check_burns(sum(len(one.active) for one in phases))
    _check_told(len(told) * sum(since <= one.start <= until for one in phases if since))
    return Plan(
        aggregation=aggregation,
        opening=origin.balance,
        phases=phases,
        pieces=tuple(_pieces(phases, windows)),
        closing=cuts.active(end),
        until=until,
        since=since,
        told=told,
        windows=tuple(windows),
    )


def _check_range(terms: Metered, since: datetime, until: datetime) -> None:
    if since < terms.measure_from:
        message = f"from {since.isoformat()} cannot be before {terms.measure_from.isoformat()}"
        raise InvalidInput(message, [FieldError(field="from", message=message)])
    if until < since:
        message = f"to {until.isoformat()} cannot be before {since.isoformat()}"
        raise InvalidInput(message, [FieldError(field="to", message=message)])


def _check_told(balances: int) -> None:
    if balances > TOLD_BALANCES_MAX:
        raise InvalidInput(
            f"a history has at most {TOLD_BALANCES_MAX} balances of grants: ask for a shorter one"
        )


def _phases(
    cuts: Cuts, terms: Metered, quiet: set[datetime], until: datetime, end: datetime
) -> Iterator[Phase]:
    instants = sorted(cuts.instants | quiet)
    period_start = terms.usage_periods.period_at(instants[0]).start
    active: tuple[Grant, ...] = ()
    for at, following in pairwise([*instants, end]):
        if at == end and at != instants[0] and not cuts.shows(at):
            return  # nothing to add to the phase before
        if cuts.changes_grants(at):
            active = cuts.active(at)
        reset = cuts.resets.get(at)
        period_start = at if reset else period_start
        phase = Phase(
            start=at,
            # What happens at `until` is told, and what follows it is not.
            end=at if at == until and cuts.shows(at) else following,
            period_start=period_start,
            active=active,
            reset=reset,
            fills=frozenset(cuts.fills.get(at, ())),
        )
        yield phase
        if phase.end < following:
            yield replace(phase, end=following, reset=None, fills=frozenset())


def _pieces(phases: Sequence[Phase], windows: Sequence[Period]) -> Iterator[Piece]:
    marks = [*(one.start for one in windows), *(one.end for one in windows[-1:])]
    for index, phase in enumerate(phases):
        inside = marks[bisect_right(marks, phase.start) : bisect_left(marks, phase.end)]
        for start, end in pairwise([phase.start, *inside, phase.end]):
            yield Piece(start, end, phase.period_start, index)
