"""Which periods to ask the event store for, and what its answers mean for pieces of time.

SUM and COUNT add up over pieces. UNIQUE_COUNT does not: a value counts once a usage period, in the
piece where it first appears, so a piece's usage is the difference of two counts from the period's
start. LATEST is a level: a piece has the last value since the period's start.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from monometer.core.aggregation import Aggregation
from monometer.core.numbers import EXACT
from monometer.core.windows import Period

# The usage of each period asked for. One without usage may be absent.
Answers: TypeAlias = Mapping[Period, Decimal]

_ZERO = Decimal(0)


class Piece(NamedTuple):
    """Time of one phase, may be empty; `period_start` is where its usage period starts."""

    start: datetime
    end: datetime
    period_start: datetime
    phase: int


def periods_of(pieces: Iterable[Piece], aggregation: Aggregation) -> tuple[Period, ...]:
    """What to ask for, each period once, none of them empty."""
    asked: dict[Period, None] = {}
    for piece in pieces:
        match aggregation:
            case Aggregation.UNIQUE_COUNT:
                asked[Period(piece.period_start, piece.start)] = None
                asked[Period(piece.period_start, piece.end)] = None
            case Aggregation.LATEST:
                asked[Period(piece.period_start, piece.end)] = None
            case _:
                asked[Period(piece.start, piece.end)] = None
    return tuple(period for period in asked if period.start < period.end)


def usages_of(pieces: Sequence[Piece], aggregation: Aggregation, answers: Answers) -> list[Decimal]:
    """The usage of each piece; for LATEST, the level at its end."""
    return [_usage(piece, aggregation, answers) for piece in pieces]


def _usage(piece: Piece, aggregation: Aggregation, answers: Answers) -> Decimal:
    start, end, period_start, _ = piece
    match aggregation:
        case Aggregation.UNIQUE_COUNT:
            before = answers.get(Period(period_start, start), _ZERO)
            return EXACT.subtract(answers.get(Period(period_start, end), _ZERO), before)
        case Aggregation.LATEST:
            return answers.get(Period(period_start, end), _ZERO)
        case _:
            return answers.get(Period(start, end), _ZERO)
