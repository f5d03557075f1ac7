"""What a piece of JSON-logic comes to, before it is known on which event.

JSON-logic has no types and expressions have one each, so a piece is kept as one expression for
each type that it may have. On any event at most one of them is there; where none is, it is null.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from monometer.core.errors import InvalidInput
from monometer.core.expression import (
    AllOf,
    AnyOf,
    Arithmetic,
    Case,
    Compare,
    Comparison,
    Expression,
    Joined,
    Literal,
    Not,
    Operation,
    Predicate,
)
from monometer.core.iso_times import seconds_of_duration, seconds_of_instant

NEVER = AnyOf(())
ALWAYS = AllOf(())
_ZERO = Literal(Decimal(0))
_EMPTY = Literal("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """`spelled` is the number that `text` spells, None in any case where nobody can tell.

    `instant` is in seconds from 1970, `duration` in seconds: numbers too, but compared apart.

    `true` and `false` hold where it is that boolean. `items` make it a list: each with the
    condition under which it is in there.
    """

    number: Expression | None = None
    text: Expression | None = None
    spelled: Expression | None = None
    instant: Expression | None = None
    duration: Expression | None = None
    true: Predicate = NEVER
    false: Predicate = NEVER
    items: "Items | None" = None
    joined: bool = False
    """Whether `text` may have been put together, so that nobody can tell what it spells."""

    @property
    def numeric(self) -> Expression | None:
        """Its number, or the one that its text spells. Raises InvalidInput where none can tell."""
        if self.instant is not None or self.duration is not None:
            raise InvalidInput("a date or a duration is no number: duration.as makes one of it")
        if self.joined:
            raise InvalidInput(
                "a text that cat or substr has put together cannot be used as a number"
            )
        if self.number is None or self.spelled is None:
            return self.number or self.spelled
        return Case(((there(self.number), self.number),), self.spelled)


Items: TypeAlias = tuple[tuple[Predicate, Piece], ...]

NULL = Piece()


def boolean(predicate: Predicate) -> Piece:
    return Piece(true=predicate, false=Not(predicate))


def there(expression: Expression | None) -> Predicate:
    """Whether it has a value."""
    return NEVER if expression is None else Compare("=", expression, expression)


def truthy(one: Piece) -> Predicate:
    """Neither null, false, 0, the empty text nor an empty list."""
    ways: list[Predicate] = [one.true]
    if one.number is not None:
        ways.append(Compare("!=", one.number, _ZERO))
    if one.text is not None:
        ways.append(Compare("!=", one.text, _EMPTY))
    ways += [there(one.instant), there(one.duration)]
    if one.items is not None:
        ways += [condition for condition, _ in one.items]
    return AnyOf(tuple(way for way in ways if way != NEVER))


def chosen(test: Predicate, then: Piece, otherwise: Piece) -> Piece:
    """Raises InvalidInput where one of the two is a list."""
    if then.items is not None or otherwise.items is not None:
        raise InvalidInput("a list can be a test, but no result")
    other = Not(test)
    return Piece(
        number=_either(test, then.number, otherwise.number),
        text=_either(test, then.text, otherwise.text),
        spelled=_either(test, then.spelled, otherwise.spelled),
        instant=_either(test, then.instant, otherwise.instant),
        duration=_either(test, then.duration, otherwise.duration),
        true=AnyOf((AllOf((test, then.true)), AllOf((other, otherwise.true)))),
        false=AnyOf((AllOf((test, then.false)), AllOf((other, otherwise.false)))),
        joined=then.joined or otherwise.joined,
    )


def _either(
    test: Predicate, then: Expression | None, otherwise: Expression | None
) -> Expression | None:
    if then is not None:
        return Case(((test, then),), otherwise)
    return None if otherwise is None else Case(((Not(test), otherwise),))


def computed(operation: Operation, left: Piece, right: Piece) -> Piece:
    """Null unless both are numbers, or texts that spell one."""
    a, b = left.numeric, right.numeric
    return NULL if a is None or b is None else Piece(number=Arithmetic(operation, a, b))


def extreme(comparison: Comparison, left: Piece, right: Piece) -> Piece:
    """The lesser or greater of two numbers, null unless both are."""
    a, b = left.numeric, right.numeric
    if a is None or b is None:
        return NULL
    return Piece(
        number=Case(((Compare(comparison, a, b), a), (Compare(comparison, b, a), b),
                     (Compare("=", a, b), a)))
    )  # fmt: skip


def ordered(comparison: Comparison, left: Piece, right: Piece) -> Predicate:
    """Two texts are compared as texts, all else as numbers; with null it is false."""
    ways: list[Predicate] = []
    if left.text is not None and right.text is not None:
        ways.append(Compare(comparison, left.text, right.text))
    ways += [*_as_times(comparison, left, right), *_as_numbers(comparison, left, right)]
    return AnyOf(tuple(ways))


def _as_numbers(comparison: Comparison, left: Piece, right: Piece) -> list[Predicate]:
    """The ways in which one is a number, and the other one is one or spells one."""
    ways: list[Predicate] = []
    if left.number is not None and (number := right.numeric) is not None:
        ways.append(Compare(comparison, left.number, number))
    if right.number is not None and left.text is not None:
        spelled = Piece(spelled=left.spelled, joined=left.joined).numeric
        if spelled is not None:
            ways.append(Compare(comparison, spelled, right.number))
    return ways


def _as_times(comparison: Comparison, left: Piece, right: Piece) -> list[Predicate]:
    """The ways in which both are instants, or both durations, which a text may say."""
    ways: list[Predicate] = []
    kinds = ((left.instant, right.instant, seconds_of_instant),
             (left.duration, right.duration, seconds_of_duration))  # fmt: skip
    for a, b, read in kinds:
        if a is not None or b is not None:
            a, b = a or _said(left, read), b or _said(right, read)  # noqa: PLW2901 - completed
            ways += [] if a is None or b is None else [Compare(comparison, a, b)]
    return ways


def _said(one: Piece, read: Callable[[str], Decimal]) -> Expression | None:
    """What a text of the rule says. Raises InvalidInput for a text that only the event knows."""
    if isinstance(one.text, Literal) and isinstance(one.text.value, str):
        return Literal(read(one.text.value))
    if one.text is not None:
        raise InvalidInput("a date is compared with dates, and with texts that the rule says")
    return None


def equal(left: Piece, right: Piece, *, strict: bool) -> Predicate:
    """Strictly of one type; else a number also equals a text that spells it."""
    ways: list[Predicate] = [
        AllOf((left.true, right.true)),
        AllOf((left.false, right.false)),
        AllOf((is_null(left), is_null(right))),
    ]
    if left.text is not None and right.text is not None:
        ways.append(Compare("=", left.text, right.text))
    ways += _as_times("=", left, right)
    if not strict:
        ways += _as_numbers("=", left, right)
    elif left.number is not None and right.number is not None:
        ways.append(Compare("=", left.number, right.number))
    return AnyOf(tuple(ways))


def is_null(one: Piece) -> Predicate:
    kinds = (one.number, one.text, one.instant, one.duration)
    return Not(AnyOf((*map(there, kinds), one.true, one.false)))


def text_form(one: Piece, null: Expression | None = _EMPTY) -> Expression:
    """As text, and what null is as text. Raises InvalidInput for a date or a duration."""
    if one.instant is not None or one.duration is not None:
        raise InvalidInput("a date or a duration cannot be made a text")
    ways: list[tuple[Predicate, Expression]] = []
    if one.text is not None:
        ways.append((there(one.text), one.text))
    if one.number is not None:
        ways.append((there(one.number), Joined((one.number,))))
    ways += [(one.true, Literal("true")), (one.false, Literal("false"))]
    return Case(tuple(ways), null)
