"""Dates, durations and parts of texts in JSON-logic.

Dates and durations are exact numbers of seconds inside a rule, so that they need no arithmetic of
their own. Source: Togai's engine; what a rule would have to know of an event to be read at all, a
date or a duration in a dimension, is refused.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from monometer.core.errors import InvalidInput
from monometer.core.expression import Arithmetic, Expression, Literal, Operation, Slice
from monometer.core.iso_times import SECONDS, seconds_of_duration, seconds_of_instant
from monometer.core.logic_values import NULL, Piece, text_form

PLACE_MAX = 10**6

_MILLIS = "MILLIS"
_UNITS = {
    _MILLIS: Decimal("0.001"),
    **{name.upper(): seconds for name, seconds in SECONDS.items() if name != "weeks"},
}


def _written(piece: Piece, what: str) -> str:
    """Raises InvalidInput where it is no text that the rule says."""
    if isinstance(piece.text, Literal) and isinstance(piece.text.value, str):
        return piece.text.value
    raise InvalidInput(f"{what} must be written in the rule, as a text")


def _date(pieces: list[Piece]) -> Piece:
    [one] = _some(pieces, "date", 1)
    return Piece(instant=_instant(one))


def _shifted(operator: str, operation: Operation) -> Callable[[list[Piece]], Piece]:
    def shift(pieces: list[Piece]) -> Piece:
        date, by = _some(pieces, operator, 2)
        return Piece(instant=Arithmetic(operation, _instant(date), _duration(by)))

    return shift


def _instant(piece: Piece) -> Expression:
    if piece.instant is not None:
        return piece.instant
    return Literal(seconds_of_instant(_written(piece, "a date")))


def _duration(piece: Piece) -> Expression:
    if piece.duration is not None:
        return piece.duration
    return Literal(seconds_of_duration(_written(piece, "a duration")))


def _of(pieces: list[Piece]) -> Piece:
    number, unit = _some(pieces, "duration.of", 2)
    if number.numeric is None:
        return NULL
    return Piece(duration=Arithmetic("*", number.numeric, Literal(_UNITS[_unit(unit)])))


def _between(pieces: list[Piece]) -> Piece:
    start, end = _some(pieces, "duration.between", 2)
    return Piece(duration=Arithmetic("-", _instant(end), _instant(start)))


def _as(pieces: list[Piece]) -> Piece:
    duration, unit = _some(pieces, "duration.as", 2)
    seconds = _duration(duration)
    if (name := _unit(unit)) == _MILLIS:  # a quotient would be cut
        return Piece(number=Arithmetic("*", seconds, Literal(Decimal(1_000))))
    return Piece(number=Arithmetic("/", seconds, Literal(_UNITS[name])))


def _unit(piece: Piece) -> str:
    name = _written(piece, "a unit of time")
    if name not in _UNITS:
        raise InvalidInput(f"{name[:50]!r} is no unit: there are {', '.join(_UNITS)}")
    return name


def _substr(pieces: list[Piece]) -> Piece:
    if not 2 <= len(pieces) <= 3:  # noqa: PLR2004
        raise InvalidInput("'substr' takes two or three arguments")
    start, *length = (_place(one) for one in pieces[1:])
    return Piece(text=Slice(text_form(pieces[0], None), start, *length), joined=True)


def _place(piece: Piece) -> int:
    value = piece.number.value if isinstance(piece.number, Literal) else None
    if not isinstance(value, Decimal) or value % 1 or abs(value) > PLACE_MAX:
        raise InvalidInput(f"'substr' counts with whole numbers up to {PLACE_MAX}, in the rule")
    return int(value)


def _some(pieces: list[Piece], operator: str, count: int) -> list[Piece]:
    if len(pieces) != count:
        raise InvalidInput(f"{operator!r} takes {count} arguments, not {len(pieces)}")
    return pieces


TIME_OPERATORS: Mapping[str, Callable[[list[Piece]], Piece]] = {
    "date": _date, "date.add": _shifted("date.add", "+"), "date.sub": _shifted("date.sub", "-"),
    "duration.of": _of, "duration.between": _between, "duration.as": _as,
    "substr": _substr,
}  # fmt: skip
