"""Filter objects (`{"$eq": "x"}`) as predicates, for events and for meters' groups alike."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from monometer.api.problems import MalformedRequest
from monometer.api.wire import Instant, Text
from monometer.core.errors import FieldError, InvalidInput
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

_COMPARISONS: dict[str, Comparison] = {
    "$eq": "=", "$ne": "!=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<=",
}  # fmt: skip


def _operator(name: str) -> str:
    return "$" + to_camel(name.rstrip("_"))


class _Filter(BaseModel):
    """At most one operator; none at all takes everything."""

    model_config = ConfigDict(alias_generator=_operator, validate_by_alias=True)


class FilterString(_Filter):
    """A condition on a text. Comparisons are by code point; `$like` knows `%` and `_`."""

    eq: Text | None = None
    ne: Text | None = None
    in_: list[Text] | None = None
    nin: list[Text] | None = None
    like: Text | None = None
    nlike: Text | None = None
    ilike: Text | None = None
    nilike: Text | None = None
    gt: Text | None = None
    gte: Text | None = None
    lt: Text | None = None
    lte: Text | None = None
    and_: "list[FilterString] | None" = None
    or_: "list[FilterString] | None" = None


class FilterTime(_Filter):
    """A condition on an instant."""

    gt: Instant | None = None
    gte: Instant | None = None
    lt: Instant | None = None
    lte: Instant | None = None
    and_: "list[FilterTime] | None" = None
    or_: "list[FilterTime] | None" = None


ULID_PATTERN = r"^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"
Ulid = Annotated[str, Field(pattern=ULID_PATTERN)]


class FilterIDExact(_Filter):
    in_: list[Ulid] | None = None


Filter: TypeAlias = FilterString | FilterTime
Shape = TypeVar("Shape")


def predicate_of(filter_: Filter, on: Expression, *, depth_max: int = DEPTH_MAX) -> Predicate:
    """What `filter_` demands of `on`. `depth_max` counts the levels of `$and` and `$or`.

    Raises InvalidInput for two operators in one object, an empty operand, too deep a nesting and
    more than OPERATORS_MAX operators.
    """
    check_size([filter_])
    return _predicate(filter_, on, depth_max)


def check_size(filters: Iterable[Filter]) -> None:
    """Raises InvalidInput for more than OPERATORS_MAX operators in all filters of a request."""
    if sum(1 for filter_ in filters for _ in _operators(filter_)) > OPERATORS_MAX:
        raise InvalidInput(f"filter is invalid: more than {OPERATORS_MAX} operators")


def _given(filter_: Filter) -> list[tuple[str, object]]:
    return [
        (_operator(name), value)
        for name in type(filter_).model_fields
        if (value := getattr(filter_, name)) is not None
    ]


def _operators(filter_: Filter) -> Iterator[str]:
    for operator, operand in _given(filter_):
        yield operator
        if operator in {"$and", "$or"}:
            assert isinstance(operand, list)  # noqa: S101 - the model says so
            for child in operand:
                yield from _operators(child)


def _predicate(filter_: Filter, on: Expression, depth: int) -> Predicate:
    given = _given(filter_)
    if not given:
        return EVERYTHING
    if len(given) > 1:
        raise InvalidInput("filter is invalid: multiple operators are set")
    ((operator, operand),) = given
    if operator in {"$and", "$or"}:
        if depth == 0:
            raise InvalidInput("filter complexity exceeds maximum allowed depth")
        assert isinstance(operand, list)  # noqa: S101 - the model says so
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


def of_json_parameter(name: str, text: str, adapter: TypeAdapter[Shape]) -> Shape:
    """A query parameter that holds JSON text. Raises MalformedRequest naming the parameter."""
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = str(first["msg"]).removeprefix("Value error, ")
        message = f"{place}: {reason}" if place else reason
        field = FieldError(field=name, message=message)
        detail = f'parameter "{name}" in query has an error: {message}'
        raise MalformedRequest(detail, [field]) from None
