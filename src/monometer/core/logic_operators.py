"""The operators of JSON-logic that take values and give one."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import reduce

from monometer.core.errors import InvalidInput
from monometer.core.expression import AllOf, Comparison, Joined, Literal, Not
from monometer.core.logic_values import (
    NULL,
    Piece,
    boolean,
    chosen,
    computed,
    equal,
    extreme,
    ordered,
    text_form,
    truthy,
)


def nth(pieces: list[Piece], n: int, operator: str) -> Piece:
    if n >= len(pieces):
        raise InvalidInput(f"{operator!r} has too few arguments")
    return pieces[n]


def _two(operator: str, pieces: list[Piece]) -> tuple[Piece, Piece]:
    if len(pieces) != 2:  # noqa: PLR2004
        raise InvalidInput(f"{operator!r} takes two arguments")
    return pieces[0], pieces[1]


def _if(pieces: list[Piece]) -> Piece:
    """Pairs of a test and a result, then what is left over."""
    found = pieces[-1] if len(pieces) % 2 else NULL
    pairs = pieces[: len(pieces) - len(pieces) % 2]
    for at in range(len(pairs) - 2, -1, -2):
        found = chosen(truthy(pairs[at]), pairs[at + 1], found)
    return found


def _and(pieces: list[Piece]) -> Piece:
    """The first that is not truthy, else the last."""
    nth(pieces, 0, "and")
    return reduce(lambda later, one: chosen(truthy(one), later, one), reversed(pieces))


def _or(pieces: list[Piece]) -> Piece:
    """The first that is truthy, else the last."""
    nth(pieces, 0, "or")
    return reduce(lambda later, one: chosen(truthy(one), one, later), reversed(pieces))


def _plus(pieces: list[Piece]) -> Piece:
    zero = Piece(number=Literal(Decimal(0)))
    return reduce(lambda left, right: computed("+", left, right), [zero, *pieces])


def _times(pieces: list[Piece]) -> Piece:
    nth(pieces, 0, "*")
    return reduce(
        lambda left, right: computed("*", left, right), [Piece(number=Literal(Decimal(1))), *pieces]
    )


def _minus(pieces: list[Piece]) -> Piece:
    if len(pieces) == 1:
        return computed("-", Piece(number=Literal(Decimal(0))), pieces[0])
    return computed("-", *_two("-", pieces))


def _ordering(comparison: Comparison) -> Callable[[list[Piece]], Piece]:
    """With three arguments the second lies between the others: for `<` and `<=` alone."""

    def compare(pieces: list[Piece]) -> Piece:
        if len(pieces) == 3 and comparison in {"<", "<="}:  # noqa: PLR2004
            low, one, high = pieces
            both = ordered(comparison, low, one), ordered(comparison, one, high)
            return boolean(AllOf(both))
        return boolean(ordered(comparison, *_two(comparison, pieces)))

    return compare


def _extreme(operator: str, comparison: Comparison) -> Callable[[list[Piece]], Piece]:
    def find(pieces: list[Piece]) -> Piece:
        first = Piece(number=nth(pieces, 0, operator).numeric)
        return reduce(lambda left, right: extreme(comparison, left, right), pieces[1:], first)

    return find


def _cat(pieces: list[Piece]) -> Piece:
    return Piece(text=Joined(tuple(map(text_form, pieces))), joined=True)


def _equality(operator: str, *, strict: bool, negated: bool) -> Callable[[list[Piece]], Piece]:
    def compare(pieces: list[Piece]) -> Piece:
        same = equal(*_two(operator, pieces), strict=strict)
        return boolean(Not(same) if negated else same)

    return compare


OPERATORS: Mapping[str, Callable[[list[Piece]], Piece]] = {
    "if": _if, "?:": _if, "and": _and, "or": _or,
    "!": lambda pieces: boolean(Not(truthy(nth(pieces, 0, "!")))),
    "!!": lambda pieces: boolean(truthy(nth(pieces, 0, "!!"))),
    "==": _equality("==", strict=False, negated=False),
    "!=": _equality("!=", strict=False, negated=True),
    "===": _equality("===", strict=True, negated=False),
    "!==": _equality("!==", strict=True, negated=True),
    "<": _ordering("<"), "<=": _ordering("<="), ">": _ordering(">"), ">=": _ordering(">="),
    "+": _plus, "*": _times, "-": _minus,
    "/": lambda pieces: computed("/", *_two("/", pieces)),
    "%": lambda pieces: computed("%", *_two("%", pieces)),
    "min": _extreme("min", "<"), "max": _extreme("max", ">"),
    "cat": _cat,
    "log": lambda pieces: nth(pieces, 0, "log"),
}  # fmt: skip
