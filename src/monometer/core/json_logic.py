"""JSON-logic, compiled: a rule becomes an expression or a predicate over events.

A rule sees `attributes` (numbers) and `dimensions` (texts) by name, in the singular too; all of the
event's `data`; and its `accountId` and `id`. So what a rule means is said in one place, and SQL and
the reference fold both run it. Source: Togai's usage meters, jsonlogic.com.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from typing import TypeAlias

from monometer.core.errors import InvalidInput
from monometer.core.event import Json
from monometer.core.expression import (
    AllOf,
    AnyOf,
    Case,
    Compare,
    Expression,
    Literal,
    Not,
    Predicate,
    containing,
)
from monometer.core.logic_digits import Rulers
from monometer.core.logic_operators import OPERATORS, nth
from monometer.core.logic_times import TIME_OPERATORS
from monometer.core.logic_values import (
    ALWAYS,
    NEVER,
    Items,
    Piece,
    boolean,
    chosen,
    computed,
    equal,
    is_null,
    ordered,
    text_form,
    truthy,
)
from monometer.core.logic_variables import constant, of_event
from monometer.core.logic_weight import Scales
from monometer.core.numbers import number_of_text, storable

DEPTH_MAX = 20
LEVELS_MAX = 2 * DEPTH_MAX + 2  # an operation is an object and the array of what it is given
TEXT_CHARS_MAX = 1_500

Rule: TypeAlias = Json

_SURROGATE = re.compile("[\ud800-\udfff]")
_TOO_DEEP = f"a rule must not be nested deeper than {DEPTH_MAX} levels"


def parse(text: str) -> Rule:
    """Raises InvalidInput for what is no JSON, is too long or too deep, or holds odd numbers."""
    if len(text) > TEXT_CHARS_MAX:
        raise InvalidInput(f"a rule must not be longer than {TEXT_CHARS_MAX} characters")
    try:
        rule: Rule = json.loads(
            text, parse_float=_number, parse_int=_number, parse_constant=_number,
            object_pairs_hook=_operation,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"a rule is not valid JSON: {error}") from None
    _check(rule)
    return rule


def _check(rule: Rule) -> None:
    """Raises InvalidInput for texts that cannot be kept, and for too many levels."""
    level: list[Rule] = [rule]
    for _ in range(LEVELS_MAX):
        for one in level:
            texts = one if isinstance(one, dict) else [one]
            if any(isinstance(text, str) and "\0" in text for text in texts):
                raise InvalidInput("a rule must not contain a NUL character")
            if any(isinstance(text, str) and _SURROGATE.search(text) for text in texts):
                raise InvalidInput("a rule must not contain a lone surrogate")
        inside = [one.values() if isinstance(one, dict) else one for one in level
                  if isinstance(one, dict | list)]  # fmt: skip
        level = [one for values in inside for one in values]
        if not level:
            return
    raise InvalidInput(_TOO_DEEP)


def _number(text: str) -> Decimal:
    number = number_of_text(text)
    if number is None or not storable(number):
        raise ValueError(f"{text[:50]} is no number that can be kept")
    return number


def _operation(members: list[tuple[str, Json]]) -> dict[str, Json]:
    if len(members) != 1:
        raise InvalidInput("a rule is an operation: an object with one member")
    return dict(members)


def predicate_of(rule: Rule) -> Predicate:
    """Whether what the rule comes to is truthy. Raises InvalidInput."""
    return truthy(_Compiler().piece(rule, None))


def number_of(rule: Rule) -> Expression:
    """The number that the rule comes to, None for anything else.

    Raises InvalidInput, also for a rule that comes to a number on no event.
    """
    numeric = _Compiler().piece(rule, None).numeric
    if numeric is None:
        raise InvalidInput("a rule that comes to no number, whatever the event, measures nothing")
    return numeric


def text_of(rule: Rule) -> Expression:
    """The text form of what the rule comes to, None for null. Raises InvalidInput for a list."""
    piece = _Compiler().piece(rule, None)
    if piece.items is not None:
        raise InvalidInput("a list has no text")
    return text_form(piece, None)


class _Compiler:
    """One rule. `at` is the element of a list that a rule inside `map` and its like is about."""

    def __init__(self) -> None:
        self._scales = Scales()
        self._rulers = Rulers()
        self._depth = 0

    def piece(self, rule: Rule, at: "Scope | None") -> Piece:
        if isinstance(rule, list):
            return Piece(items=tuple((ALWAYS, self.piece(one, at)) for one in rule))
        if not isinstance(rule, dict):
            return constant(rule)
        [(operator, given)] = rule.items()
        arguments: list[Json] = given if isinstance(given, list) else [given]
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise InvalidInput(_TOO_DEEP)
        found = self._apply(operator, arguments, at)
        self._depth -= 1
        return self._bounded(found)

    def _bounded(self, piece: Piece) -> Piece:
        """Raises InvalidInput for one that is too heavy, or whose numbers may be too long."""
        self._scales.weigh(piece)
        self._rulers.check(piece)
        return piece

    def _apply(self, operator: str, arguments: list[Json], at: "Scope | None") -> Piece:
        if operator == "var":
            return self._variable(arguments, at)
        if operator in {"missing", "missing_some"}:
            return self._missing(operator, arguments, at)
        if operator in _OVER_ITEMS:
            return self._over_items(operator, arguments, at)
        pieces = [self.piece(one, at) for one in arguments]
        if operator == "merge":
            return Piece(items=tuple(item for one in pieces for item in _items_of(one)))
        if operator == "in":
            return _in(nth(pieces, 0, operator), nth(pieces, 1, operator))
        if any(one.items is not None for one in pieces) and operator not in _TESTING:
            raise InvalidInput(f"a list cannot be used with {operator!r}")
        apply = OPERATORS.get(operator) or TIME_OPERATORS.get(operator)
        if apply is None:
            raise InvalidInput(f"unknown operator {operator[:50]!r}")
        return apply(pieces)

    def _variable(self, arguments: list[Json], at: "Scope | None") -> Piece:
        name = arguments[0] if arguments else ""
        if not isinstance(name, str):
            raise InvalidInput("var needs the name of a variable, as a text")
        found = of_event(name) if at is None else at.get(name)
        if found is None:
            raise InvalidInput(f"there is no variable {name[:50]!r} here")
        if len(arguments) > 1:
            return chosen(is_null(found), self.piece(arguments[1], at), found)
        return found

    def _missing(self, operator: str, arguments: list[Json], at: "Scope | None") -> Piece:
        """Of `missing_some` the names that are missing, if fewer are there than are needed."""
        needed = 0
        if operator == "missing_some":
            number, names = arguments if len(arguments) == 2 else (None, None)  # noqa: PLR2004
            if not isinstance(number, Decimal) or number % 1 or not isinstance(names, list):
                raise InvalidInput("missing_some needs a whole number and a list of names")
            needed, arguments = int(number), names
        elif len(arguments) == 1 and isinstance(arguments[0], list):
            arguments = arguments[0]
        gone = [(_is_missing(self._variable([one], at)), constant(one)) for one in arguments]
        if operator == "missing_some":
            enough = _at_least(needed, [Not(condition) for condition, _ in gone])
            gone = [(AllOf((Not(enough), condition)), name) for condition, name in gone]
        return Piece(items=tuple(gone))

    def _over_items(self, operator: str, arguments: list[Json], at: "Scope | None") -> Piece:
        if len(arguments) != (3 if operator == "reduce" else 2):
            raise InvalidInput(f"{operator!r} has too few arguments, or too many")
        items = _items_of(self.piece(arguments[0], at))

        def about(one: Piece) -> Piece:
            return self.piece(arguments[1], {"": one})

        match operator:
            case "map":
                return Piece(items=tuple((condition, about(one)) for condition, one in items))
            case "filter":
                kept = ((AllOf((condition, truthy(about(one)))), one) for condition, one in items)
                return Piece(items=tuple(kept))
            case "reduce":
                total = self.piece(arguments[2], at)
                for condition, one in items:
                    scope = {"current": one, "accumulator": total}
                    following = chosen(condition, self.piece(arguments[1], scope), total)
                    total = self._bounded(following)
                return total
        some = AnyOf(tuple(AllOf((condition, truthy(about(one)))) for condition, one in items))
        if operator == "some":
            return boolean(some)
        if operator == "none":
            return boolean(Not(some))
        every = AllOf(tuple(AnyOf((Not(c), truthy(about(one)))) for c, one in items))
        return boolean(AllOf((every, AnyOf(tuple(condition for condition, _ in items)))))


Scope: TypeAlias = Mapping[str, Piece]
# Of these a list may be the test, as `missing` is in most rules; never the result.
_TESTING = frozenset({"!", "!!", "if", "?:", "and", "or", "log"})
_OVER_ITEMS = frozenset({"map", "filter", "reduce", "some", "none", "all"})


def _items_of(one: Piece) -> Items:
    return one.items if one.items is not None else ((ALWAYS, one),)


def _is_missing(one: Piece) -> Predicate:
    """Null, or the empty text."""
    empty = [] if one.text is None else [Compare("=", one.text, Literal(""))]
    return AnyOf((is_null(one), *empty))


def _at_least(needed: int, conditions: list[Predicate]) -> Predicate:
    if needed <= 0:
        return ALWAYS
    if not conditions:
        return NEVER
    one, zero = Literal(Decimal(1)), Literal(Decimal(0))
    counts = (Piece(number=Case(((condition, one),), zero)) for condition in conditions)
    total = reduce(lambda left, right: computed("+", left, right), counts)
    return ordered(">=", total, Piece(number=Literal(Decimal(needed))))


def _in(needle: Piece, haystack: Piece) -> Piece:
    if haystack.items is not None:
        if needle.items is not None:
            raise InvalidInput("a list is in no list")
        ways = (AllOf((c, equal(needle, one, strict=True))) for c, one in haystack.items)
        return boolean(AnyOf(tuple(ways)))
    if haystack.text is None:
        return boolean(NEVER)
    if not isinstance(needle.text, Literal) or not isinstance(needle.text.value, str):
        raise InvalidInput("in looks for a text that is written in the rule, or in a list")
    return boolean(containing(haystack.text, needle.text.value))
