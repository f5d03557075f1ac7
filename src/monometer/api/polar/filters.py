"""What a Polar meter counts, on the wire: a filter tree and an aggregation."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StrictBool, StrictStr

from monometer.api.wire import STORABLE
from monometer.core import jsonpath
from monometer.core.aggregation import Aggregation as CoreAggregation
from monometer.core.definition import POLAR
from monometer.core.errors import FieldError, InvalidInput
from monometer.core.jsonpath import STEPS_MAX
from monometer.core.meter import Meter

VALUE_CHARS_MAX = 1_000
PROPERTY_CHARS_MAX = 1_000
INTEGER_MIN, INTEGER_MAX = -(2**31), 2**31 - 1
CLAUSES_MAX = 500  # in a whole tree
DEPTH_MAX = 100

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "like", "not_like"]


def _property(name: str) -> str:
    name = name.removeprefix("metadata.")
    if name.count(".") >= STEPS_MAX:
        raise ValueError(f"must not have more than {STEPS_MAX} parts")
    return name


def _integral(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be an integer")  # noqa: TRY004 - pydantic's way
    return value


Property = Annotated[
    str,
    Field(min_length=1, max_length=PROPERTY_CHARS_MAX),
    STORABLE,
    AfterValidator(_property),
]
Integer = Annotated[int, Field(ge=INTEGER_MIN, le=INTEGER_MAX), BeforeValidator(_integral)]
String = Annotated[StrictStr, Field(max_length=VALUE_CHARS_MAX), STORABLE]


class PolarFilterClause(BaseModel):
    """A condition on one property; the JSON type of `value` counts."""

    property: Property
    operator: Operator
    value: String | StrictBool | Integer


class PolarFilter(BaseModel):
    """Clauses and further filters, of which all or any must hold; without any, everything."""

    conjunction: Literal["and", "or"]
    clauses: "list[PolarFilterClause | PolarFilter]"


class CountAggregation(BaseModel):
    func: Literal["count"] = "count"


class PropertyAggregation(BaseModel):
    func: Literal["sum", "max", "min", "avg"]
    property: Property


class UniqueAggregation(BaseModel):
    func: Literal["unique"] = "unique"
    property: Property


Aggregation = Annotated[
    CountAggregation | PropertyAggregation | UniqueAggregation, Field(discriminator="func")
]


def definition_from_wire(filter_: PolarFilter, aggregation: Aggregation) -> dict[str, Any]:
    """Raises InvalidInput for a filter of too many clauses, or nested too deeply."""
    ensure_small(filter_, "/filter")
    return {
        "dialect": POLAR,
        "filter": filter_.model_dump(),
        "aggregation": aggregation.model_dump(),
    }


def ensure_small(filter_: PolarFilter, field: str) -> None:
    """Raises InvalidInput, naming `field`."""
    clauses, depth = _size(filter_)
    if clauses > CLAUSES_MAX or depth > DEPTH_MAX:
        message = f"must not have more than {CLAUSES_MAX} clauses or {DEPTH_MAX} levels"
        raise InvalidInput(message, [FieldError(field=field, message=message)])


def _size(filter_: PolarFilter) -> tuple[int, int]:
    sizes = [_size(one) if isinstance(one, PolarFilter) else (1, 0) for one in filter_.clauses]
    deepest = max((depth for _, depth in sizes), default=0)
    return sum(clauses for clauses, _ in sizes), deepest + 1


_FUNCTIONS = {
    CoreAggregation.COUNT: "count", CoreAggregation.SUM: "sum", CoreAggregation.AVG: "avg",
    CoreAggregation.MIN: "min", CoreAggregation.MAX: "max", CoreAggregation.UNIQUE_COUNT: "unique",
}  # fmt: skip
SAYABLE = tuple(_FUNCTIONS)  # LATEST is not


def filter_to_wire(meter: Meter) -> Mapping[str, Any]:
    """As it was written; of a meter that was made elsewhere, as much as a filter can say."""
    written = meter.written_in(POLAR)
    if written is not None:
        filter_: Mapping[str, Any] = written["filter"]
        return filter_
    clauses: list[dict[str, Any]] = []
    if meter.event_type is not None:
        clauses.append({"property": "name", "operator": "eq", "value": meter.event_type})
    if meter.event_from is not None:
        seconds = int(meter.event_from.timestamp())
        clauses.append({"property": "timestamp", "operator": "gte", "value": seconds})
    return {"conjunction": "and", "clauses": clauses}


def aggregation_to_wire(meter: Meter) -> Mapping[str, Any]:
    written = meter.written_in(POLAR)
    if written is not None:
        aggregation: Mapping[str, Any] = written["aggregation"]
        return aggregation
    func = _FUNCTIONS[meter.aggregation]
    if meter.aggregation is CoreAggregation.COUNT:
        return {"func": func}
    return {"func": func, "property": _dotted(meter.value_property)}


def _dotted(value_property: str | None) -> str:
    """A JSONPath of plain members as Polar writes it; any other as it is."""
    if value_property is None:
        return "$"
    steps = jsonpath.parse(value_property).steps
    plain = bool(steps) and all(isinstance(step, str) and "." not in step for step in steps)
    return ".".join(map(str, steps)) if plain else value_property
