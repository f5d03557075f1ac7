"""Filter trees: clauses about an event's properties, joined by `and` and `or`.

A clause compares by the JSON type of what is stored, and what is not there it never matches.
Source: Polar's meters.
"""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from monometer.core.expression import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Attribute,
    Boolean,
    Compare,
    Comparison,
    Epoch,
    Expression,
    Joined,
    Kind,
    Literal,
    Not,
    Number,
    OneOf,
    Predicate,
    Text,
    containing,
)
from monometer.core.jsonpath import Path

# {"conjunction": "and" | "or", "clauses": [tree or {"property", "operator", "value"}, …]}
FilterTree: TypeAlias = Mapping[str, Any]
Scalar: TypeAlias = str | int | bool

NOTHING = AnyOf(())
TYPE = Attribute("type")
SOURCE_CLASS = Literal("user")  # of every event that somebody sent; there are no others here
TIME = Epoch(Attribute("time"))

_COMPARISONS: Mapping[str, Comparison] = {
    "eq": "=", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=",
}  # fmt: skip
_SCALARS = ("string", "number", "boolean")


def predicate_of(tree: FilterTree) -> Predicate:
    """What the tree demands of an event; without clauses, nothing."""
    parts = tuple(
        predicate_of(part)
        if "clauses" in part
        else clause(part["property"], part["operator"], part["value"])
        for part in tree["clauses"]
    )
    if not parts:
        return EVERYTHING
    return AllOf(parts) if tree["conjunction"] == "and" else AnyOf(parts)


def clause(name: str, operator: str, value: Scalar) -> Predicate:
    """`name`, `source` and `timestamp` are the event's own, every other property is in its data.

    Those three match no value of another type than theirs, whatever the operator.
    """
    if name in {"name", "source"}:
        own = TYPE if name == "name" else SOURCE_CLASS
        return _of_text(own, operator, value) if isinstance(value, str) else NOTHING
    if name == "timestamp":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return _of_time(operator, int(value)) if whole else NOTHING
    return _of_data(path_of(name), operator, value)


def path_of(name: str) -> Path:
    """Dots descend into objects. Raises InvalidInput for too many of them."""
    return Path(tuple(name.split(".")))


def text_values(wanted: Mapping[str, Collection[str]]) -> Predicate:
    """Top-level members of the data whose text form is one of those given; dots mean nothing."""
    return AllOf(
        tuple(OneOf(Text(Path((name,))), tuple(values)) for name, values in wanted.items())
    )


def conjuncts(predicate: Predicate) -> Iterator[Predicate]:
    """Those that must all hold for `predicate` to hold."""
    match predicate:
        case AllOf(parts) | AnyOf((_,) as parts):
            for part in parts:
                yield from conjuncts(part)
        case _:
            yield predicate


def _of_text(own: Expression, operator: str, value: str) -> Predicate:
    if operator in _COMPARISONS:
        return Compare(_COMPARISONS[operator], own, Literal(value))
    return _like(own, operator, value)


def _of_time(operator: str, value: int) -> Predicate:
    if operator in _COMPARISONS:
        return Compare(_COMPARISONS[operator], TIME, Literal(Decimal(value)))
    return _like(Joined((TIME,)), operator, str(value))


def _of_data(path: Path, operator: str, value: Scalar) -> Predicate:
    if operator not in _COMPARISONS:
        there = OneOf(Kind(path), _SCALARS)
        return AllOf((there, _like(Text(path), operator, _text_form(value))))
    comparison = _COMPARISONS[operator]
    is_text = Compare("=", Kind(path), Literal("string"))
    as_text = Compare(comparison, Text(path), Literal(_text_form(value)))
    ways: list[Predicate] = [AllOf((is_text, as_text))]
    if not isinstance(value, str):
        number = Number(path, strings=False)
        ways.append(Compare(comparison, number, Literal(Decimal(value))))
    if isinstance(value, bool):
        ways.append(Compare(comparison, Boolean(path), Literal(value)))
    return AnyOf(tuple(ways))


def _like(text: Expression, operator: str, part: str) -> Predicate:
    like = containing(text, part)
    return like if operator == "like" else Not(like)


def _text_form(value: Scalar) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)
