"""`filter[name][contains]=x` as predicates. All conditions of a list must hold."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.v3.parameters import wrong
from monometer.api.wire import STORABLE, Instant
from monometer.core.expression import (
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

LISTED_MAX = 100  # values of one operand

Operand = Annotated[str, Field(min_length=1), STORABLE]
UpperUlid = Annotated[Ulid, AfterValidator(str.upper)]

_ESCAPED = re.compile(r"\\([\\%_])")
_COMPARISONS: dict[str, Comparison] = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class StringFieldFilter(BaseModel):
    """Conditions on a text, all of which must hold. Texts are ordered by code point."""

    model_config = ConfigDict(extra="forbid")

    eq: Operand | None = None
    neq: Operand | None = None
    contains: Operand | None = Field(None, description="A part; the case of letters is all one.")
    ocontains: Operand | None = Field(None, description="One of several parts, by commas.")
    oeq: Operand | None = Field(None, description="One of several texts, by commas.")
    gt: Operand | None = None
    gte: Operand | None = None
    lt: Operand | None = None
    lte: Operand | None = None
    exists: bool | None = None


class ULIDFieldFilter(BaseModel):
    """Conditions on an id, which may be in either case: they are kept in upper case."""

    model_config = ConfigDict(extra="forbid")

    eq: UpperUlid | None = None
    oeq: Annotated[Operand, AfterValidator(str.upper)] | None = Field(
        None, description="One of several ids, by commas."
    )
    neq: UpperUlid | None = None


class DateTimeFieldFilter(BaseModel):
    """Conditions on an instant, all of which must hold."""

    model_config = ConfigDict(extra="forbid")

    eq: Instant | None = None
    lt: Instant | None = None
    lte: Instant | None = None
    gt: Instant | None = None
    gte: Instant | None = None


def _equals(value: Any) -> Any:
    """`filter[name]=x` is `filter[name][eq]=x`."""
    return {"eq": value} if isinstance(value, str) else value


StringFilter = Annotated[
    StringFieldFilter, BeforeValidator(_equals, json_schema_input_type=str | StringFieldFilter)
]
UlidFilter = Annotated[
    ULIDFieldFilter, BeforeValidator(_equals, json_schema_input_type=Ulid | ULIDFieldFilter)
]
InstantFilter = Annotated[
    DateTimeFieldFilter,
    BeforeValidator(_equals, json_schema_input_type=Instant | DateTimeFieldFilter),
]
FieldFilter: TypeAlias = StringFieldFilter | ULIDFieldFilter | DateTimeFieldFilter


def predicate_of(filters: dict[Expression, FieldFilter | None]) -> Predicate:
    """What the filters demand of the expressions that they stand beside.

    Raises InvalidParameters for a list of more than LISTED_MAX.
    """
    return AllOf(
        tuple(
            condition
            for on, filter_ in filters.items()
            if filter_ is not None
            for condition in _conditions(filter_, on)
        )
    )


def _conditions(filter_: FieldFilter, on: Expression) -> Iterator[Predicate]:
    for operator, operand in filter_.model_dump(exclude_none=True).items():
        match operator, operand:
            case "neq", str():
                yield Not(Compare("=", on, Literal(operand)))
            case "oeq", str():
                yield OneOf(on, tuple(listed(operand)))
            case "contains", str():
                yield _has_part(on, operand)
            case "ocontains", str():
                yield AnyOf(tuple(_has_part(on, one) for one in listed(operand)))
            case "exists", bool():
                present = Compare(">=", on, Literal(""))  # every text is, and nothing else
                yield present if operand else Not(present)
            case _, datetime():
                yield Compare(_COMPARISONS[operator], on, Literal(operand.astimezone(UTC)))
            case _:
                yield Compare(_COMPARISONS[operator], on, Literal(operand))


def listed(operand: str) -> list[str]:
    """What stands between the commas. Raises InvalidParameters for too much."""
    values = [value for value in operand.split(",") if value]
    if len(values) > LISTED_MAX:
        raise wrong("filter", f"must not list more than {LISTED_MAX} values", source="query")
    return values


def _has_part(on: Expression, text: str) -> Predicate:
    return Like(on, part_pattern(text), ignore_case=True)


def part_pattern(text: str) -> str:
    """The pattern of LIKE for texts that hold this one, in which no letter is special."""
    return "%{}%".format("".join(f"\\{one}" if one in "\\%_" else one for one in text))


def part_of(pattern: str) -> str | None:
    """The text whose `part_pattern` this is; None when it is that of no text."""
    text = _ESCAPED.sub(r"\1", pattern[1:-1])
    return text if text and part_pattern(text) == pattern else None
