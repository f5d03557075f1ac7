"""The instants at which something other than usage happens to grants."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from monometer.core.grant import Grant
from monometer.core.origin import Origin, Span, check_burns


class Cuts:
    """The cuts from an origin to `end`, both included. Raises InvalidInput for too many.

    `spans` are in burn order, and each is active at some instant in between. `fills` tells which
    grants get their whole amount when, because they begin or recur.
    """

    def __init__(
        self, origin: Origin, spans: Sequence[Span], end: datetime, *, is_level: bool
    ) -> None:
        self.resets = origin.resets
        self.fills: dict[datetime, set[str]] = defaultdict(set)
        self._spans = spans
        check_burns(sum(_fills_max(span, origin, end) for span in spans))
        for span in spans:
            for at in _fills(span, origin, end):
                self.fills[at].add(span.grant.id)
        self._ends = {span.end for span in spans if span.end <= end}
        self._turns = self._ends | {span.start for span in spans} | {origin.at}
        self._is_level = is_level

    @property
    def instants(self) -> set[datetime]:
        return self._ends | self.fills.keys() | self.resets.keys()

    def shows(self, at: datetime) -> bool:
        """Whether what happens at `at` makes a difference before any later usage.

        The end of a grant does so only for a level, which the other grants then have to bear.
        """
        return at in self.fills or at in self.resets or (self._is_level and at in self._ends)

    def changes_grants(self, at: datetime) -> bool:
        return at in self._turns

    def active(self, at: datetime) -> tuple[Grant, ...]:
        return tuple(span.grant for span in self._spans if span.start <= at < span.end)


def _fills_max(span: Span, origin: Origin, end: datetime) -> int:
    recurrence = span.grant.recurrence
    return 2 + (recurrence.count(*span.recurrences(origin.at, end)) if recurrence else 0)


def _fills(span: Span, origin: Origin, end: datetime) -> Iterator[datetime]:
    if span.start > origin.at or (span.start == origin.at and not origin.is_settled):
        yield span.start
    elif origin.is_first:
        yield origin.at
    if span.grant.recurrence is not None:
        for at in span.grant.recurrence.occurrences(*span.recurrences(origin.at, end)):
            if at > origin.at or not origin.is_settled:
                yield at
