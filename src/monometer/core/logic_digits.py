"""How many digits a compiled rule may come to: no event shall make arithmetic overflow.

Both readers count exactly, up to their ends: `core/numbers.py` has 20 000 digits, PostgreSQL 16 383
of them after the point. A rule that could come near is refused when it is made, for one number
that is too long would break every query of its meter.
"""

from decimal import Decimal
from typing import NamedTuple

from monometer.core.errors import InvalidInput
from monometer.core.expression import Arithmetic, Case, Epoch, Expression, Literal
from monometer.core.logic_values import Piece
from monometer.core.numbers import QUOTIENT_PLACES

DIGITS_MAX = 19_000


class Digits(NamedTuple):
    """At most so many before and after the point."""

    before: int
    after: int


# A JSON number has up to 1 000 on either side, a text with an exponent a hundred more.
OF_AN_EVENT = Digits(1_100, 1_100)
OF_AN_INSTANT = Digits(12, 6)


class Rulers:
    """Measures each expression once, however often a rule holds it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, Digits]] = {}  # by identity, and so kept alive

    def check(self, piece: Piece) -> None:
        """Raises InvalidInput for a number of more than DIGITS_MAX digits."""
        for expression in (piece.number, piece.spelled, piece.instant, piece.duration):
            if expression is not None and sum(self._digits(expression)) > DIGITS_MAX:
                raise InvalidInput(
                    f"a rule may come to more than {DIGITS_MAX} digits: multiply less"
                )

    def _digits(self, expression: Expression) -> Digits:
        known = self._known.get(id(expression))
        if known is None:
            known = self._known[id(expression)] = (expression, self._measured(expression))
        return known[1]

    def _measured(self, expression: Expression) -> Digits:
        match expression:
            case Literal(value):
                return _of_literal(value)
            case Arithmetic(operation, left, right):
                return _of_arithmetic(operation, self._digits(left), self._digits(right))
            case Case(branches, otherwise):
                results = [result for _, result in branches]
                results += [] if otherwise is None else [otherwise]
                found = [self._digits(one) for one in results] or [Digits(1, 0)]
                return Digits(max(one.before for one in found), max(one.after for one in found))
            case Epoch():
                return OF_AN_INSTANT
            case _:
                return OF_AN_EVENT


def _of_literal(value: object) -> Digits:
    if not isinstance(value, Decimal):
        return OF_AN_EVENT
    after = value.as_tuple().exponent
    assert isinstance(after, int)  # noqa: S101 - a rule's numbers are finite
    return Digits(max(value.adjusted() + 1, 1), max(-after, 0))


def _of_arithmetic(operation: str, left: Digits, right: Digits) -> Digits:
    match operation:
        case "*":
            return Digits(left.before + right.before, left.after + right.after)
        case "/":
            return Digits(left.before + right.after + 1, QUOTIENT_PLACES)
        case "%":  # by way of the quotient
            return Digits(left.before + right.after + 1, max(left.after, right.after))
        case _:
            return Digits(max(left.before, right.before) + 1, max(left.after, right.after))
