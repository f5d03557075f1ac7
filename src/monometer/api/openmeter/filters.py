"""Filter objects (`{"$eq": "x"}`) as predicates, for events and for meters' groups alike."""

from collections.abc import Iterable
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from monometer.api.problems import MalformedRequest
from monometer.api.wire import Instant, Text
from monometer.core import filter as core_filter
from monometer.core.errors import FieldError
from monometer.core.expression import Expression, Predicate
from monometer.core.filter import DEPTH_MAX


def _operator(name: str) -> str:
    return "$" + to_camel(name.rstrip("_"))


class _Filter(BaseModel):
    """At most one operator; none at all takes everything."""

    model_config = ConfigDict(
        alias_generator=_operator, validate_by_alias=True, serialize_by_alias=True
    )


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


def filter_from_wire(wire: Filter) -> dict[str, Any]:
    """The operators that are set, as `core.filter` knows them."""
    return wire.model_dump(exclude_none=True)


def predicate_of(filter_: Filter, on: Expression, *, depth_max: int = DEPTH_MAX) -> Predicate:
    """What `filter_` demands of `on`. Raises InvalidInput as `core.filter` does."""
    return core_filter.predicate_of(filter_from_wire(filter_), on, depth_max=depth_max)


def check_size(filters: Iterable[Filter]) -> None:
    """Raises InvalidInput for too many operators in all filters of a request."""
    core_filter.check_size(filter_from_wire(filter_) for filter_ in filters)


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
