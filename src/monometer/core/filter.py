"""Filters: conditions on one text as JSON says them, `{"$in": ["a", "b"]}`, and as predicates.

Kept as they were written, where they are kept: by features.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from monometer.core.errors import InvalidInput
from monometer.core.expression import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Expression,
    Like,
    Literal,
    Not,
    OneOf,
    Predicate,
)

DEPTH_MAX = 32
OPERATORS_MAX = 100

# An operator → its operand: a text or an instant, texts for $in and $nin, filters for $and and $or.
Filter: TypeAlias = Mapping[str, Any]

_COMPARISONS: dict[str, Comparison] = {
    "$eq": "=", "$ne": "!=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<=",
}  # fmt: skip


def predicate_of(filter_: Filter, on: Expression, *, depth_max: int = DEPTH_MAX) -> Predicate:
    """What `filter_` demands of `on`. `depth_max` counts the levels of `$and` and `$or`.

    Raises InvalidInput for two operators in one object, an empty operand, too deep a nesting and
    more than OPERATORS_MAX operators.
    """
    check_size([filter_])
    return _predicate(filter_, on, depth_max)


def check_size(filters: Iterable[Filter]) -> None:
    """Raises InvalidInput for more than OPERATORS_MAX operators in all filters together."""
    if sum(1 for filter_ in filters for _ in _operators(filter_)) > OPERATORS_MAX:
        raise InvalidInput(f"filter is invalid: more than {OPERATORS_MAX} operators")


def _operators(filter_: Filter) -> Iterator[str]:
    for operator, operand in filter_.items():
        yield operator
        if operator in {"$and", "$or"}:
            for child in operand:
                yield from _operators(child)


def _predicate(filter_: Filter, on: Expression, depth: int) -> Predicate:
    if not filter_:
        return EVERYTHING
    if len(filter_) > 1:
        raise InvalidInput("filter is invalid: multiple operators are set")
    ((operator, operand),) = filter_.items()
    if operator in {"$and", "$or"}:
        if depth == 0:
            raise InvalidInput("filter complexity exceeds maximum allowed depth")
        children = tuple(_predicate(child, on, depth - 1) for child in operand)
        return AllOf(children) if operator == "$and" else AnyOf(children)
    if operand == "" or (isinstance(operand, list) and "" in operand):
        raise InvalidInput("filter is invalid: format mismatch")
    return _comparison(operator, operand, on)


def _comparison(operator: str, operand: object, on: Expression) -> Predicate:
    match operator, operand:
        case "$in", list():
            return OneOf(on, tuple(operand))
        case "$nin", list():
            return Not(OneOf(on, tuple(operand)))
        case "$like" | "$ilike", str():
            return Like(on, operand, ignore_case=operator == "$ilike")
        case "$nlike" | "$nilike", str():
            return Not(Like(on, operand, ignore_case=operator == "$nilike"))
        case _, str():
            return Compare(_COMPARISONS[operator], on, Literal(operand))
        case _, datetime():
            return Compare(_COMPARISONS[operator], on, Literal(operand.astimezone(UTC)))
        case _:
            raise AssertionError(operator)
