"""Expressions as data: what a meter takes from an event, and which events it takes.

Frozen values with exactly two readers: `core/evaluation.py` and `store/expression_sql.py`.
A property test keeps them equal. Each node has one type: text, number, boolean or instant; None
means "no value", and every comparison with None is false.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal as OneOfNames
from typing import TypeAlias

from monometer.core.errors import InvalidInput
from monometer.core.jsonpath import Path

AttributeName: TypeAlias = OneOfNames[
    "id", "source", "type", "subject", "time", "ingested_at", "stored_at"
]
Comparison: TypeAlias = OneOfNames["=", "!=", "<", "<=", ">", ">="]
Operation: TypeAlias = OneOfNames["+", "-", "*", "/", "%"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One of the event's own members: text, or an instant for the three times."""

    name: AttributeName


@dataclass(frozen=True, slots=True)
class Member:
    """Text or an instant of a resource that is listed, such as a meter's name. No event has it."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """Text form of the scalar at `path`: a number plainly written, true, false, or the string.

    `missing` stands for a property that is absent, null, an object or an array.
    """

    path: Path
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """The number at `path`; a string that spells one counts when `strings` is true."""

    path: Path
    strings: bool = True


@dataclass(frozen=True, slots=True)
class Boolean:
    """The JSON boolean at `path`, and nothing that merely looks like one."""

    path: Path


@dataclass(frozen=True, slots=True)
class Kind:
    """JSON type at `path`: string, number, boolean, null, object, array; None when absent."""

    path: Path


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | Decimal | bool | datetime


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Exact, but for `/`, which is cut to 20 places. None when an operand is, or for x / 0."""

    operation: Operation
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Epoch:
    """Seconds from 1970 to an instant, a number: rounded down to `whole` ones, or exact."""

    of: "Expression"
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Joined:
    """The text forms of its parts, one after another; None when a part is. No part is an instant.

    Of one part, it makes text of a number or a boolean.
    """

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a text, by code points: from `start`, below zero counted from the end.

    `length` below zero leaves so many out at the end; None leaves out none.
    """

    of: "Expression"
    start: int
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """The first branch whose predicate holds, else `otherwise`; branches share one type."""

    branches: tuple[tuple["Predicate", "Expression"], ...]
    otherwise: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class Compare:
    """Both sides have one type. Text is ordered by code point. False when a side is None."""

    comparison: Comparison
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class OneOf:
    of: "Expression"
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Like:
    r"""SQL LIKE over text: `%` any run, `_` any one character, `\` makes the next one literal.

    `ignore_case` folds ASCII letters only, which every database and locale agree on.
    Raises InvalidInput for a pattern that ends in a lone backslash.
    """

    of: "Expression"
    pattern: str
    ignore_case: bool = False

    def __post_init__(self) -> None:
        backslashes = len(self.pattern) - len(self.pattern.rstrip("\\"))
        if backslashes % 2:
            raise InvalidInput("filter is invalid: pattern ends in a lone backslash")


def containing(of: "Expression", part: str, *, ignore_case: bool = False) -> Like:
    """Whether `part` stands anywhere in the text, character by character."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Like(of, f"%{escaped}%", ignore_case)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one holds; with none at all, true."""

    of: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one holds; with none at all, false."""

    of: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Not:
    of: "Predicate"


Expression: TypeAlias = (
    Attribute
    | Member
    | Text
    | Number
    | Boolean
    | Kind
    | Literal
    | Arithmetic
    | Epoch
    | Joined
    | Slice
    | Case
)
Predicate: TypeAlias = Compare | OneOf | Like | AllOf | AnyOf | Not

EVERYTHING = AllOf(())


def leaves(of: Expression | Predicate) -> Iterator[Expression]:
    """What an expression or predicate reads of an event, in the largest pieces: no literals."""
    match of:
        case Literal():
            return
        case Arithmetic(_, left, right) | Compare(_, left, right):
            yield from leaves(left)
            yield from leaves(right)
        case Case(branches, otherwise):
            for test, result in branches:
                yield from leaves(test)
                yield from leaves(result)
            if otherwise is not None:
                yield from leaves(otherwise)
        case (
            OneOf(inner, _) | Like(inner, _, _) | Not(inner) | Epoch(inner, _) | Slice(inner, _, _)
        ):
            yield from leaves(inner)
        case AllOf(parts) | AnyOf(parts) | Joined(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield of
