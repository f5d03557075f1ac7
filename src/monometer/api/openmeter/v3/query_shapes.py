"""The shapes of a meter query in v3, and how a request becomes a UsageQuery."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from monometer.api.openmeter.filters import FilterString, check_size
from monometer.api.openmeter.filters import predicate_of as v1_predicate_of
from monometer.api.openmeter.v3.filters import Operand, part_pattern
from monometer.api.openmeter.v3.parameters import about, wrong
from monometer.api.wire import Instant, Text
from monometer.core import windows
from monometer.core.expression import AllOf, Compare, Expression, Literal, Not, Predicate
from monometer.core.meter import Meter
from monometer.core.usage import Axis, Tumbling, UsageQuery, Whole
from monometer.services.usage import order_problem

DIMENSIONS_MAX = 100
FILTERS_MAX = 10
VALUES_MAX = 100
CONDITIONS_MAX = 10


class MeterQueryGranularity(StrEnum):
    MINUTE = "PT1M"
    HOUR = "PT1H"
    DAY = "P1D"
    MONTH = "P1M"


Values = Annotated[list[Operand], Field(min_length=1, max_length=VALUES_MAX)]
Conditions = Annotated[list["QueryFilterString"], Field(min_length=1, max_length=CONDITIONS_MAX)]


class QueryFilterString(BaseModel):
    """A condition on a dimension: at most one operator."""

    model_config = ConfigDict(extra="forbid")

    eq: Operand | None = None
    neq: Operand | None = Field(None, description="Takes events without the property, too.")
    in_: Values | None = Field(None, alias="in")
    nin: Values | None = None
    contains: Operand | None = Field(None, description="A part, letters in this very case.")
    ncontains: Operand | None = None
    and_: Conditions | None = Field(None, alias="and")
    or_: Conditions | None = Field(None, alias="or")


class QueryFilterStringMapItem(QueryFilterString):
    exists: bool | None = Field(None, description="Whether there is a value, and not an empty one.")


class MeterQueryFilters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dimensions: (
        Annotated[dict[Text, QueryFilterStringMapItem], Field(max_length=FILTERS_MAX)] | None
    ) = Field(
        None,
        description="Dimension → condition. `subject` and `customer_id` group by themselves, too.",
    )


class MeterQueryRequestV3(BaseModel):
    """A question about a meter's usage. An empty one asks for the total of all time."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "from": "2026-01-01T00:00:00Z",
                    "to": "2026-02-01T00:00:00Z",
                    "granularity": "P1D",
                    "time_zone": "America/New_York",
                    "group_by_dimensions": ["model"],
                    "filters": {"dimensions": {"type": {"in": ["input", "output"]}}},
                }
            ]
        },
    )

    from_: Instant | None = Field(None, alias="from", description="Included.")
    to: Instant | None = Field(None, description="Excluded.")
    granularity: MeterQueryGranularity | None = Field(
        None, description="One row a window of this length; else one in all."
    )
    time_zone: Text = Field("UTC", description="IANA zone that windows are aligned to.")
    group_by_dimensions: Annotated[list[Text], Field(max_length=DIMENSIONS_MAX)] | None = Field(
        None, description="Dimensions of the meter, `subject`, or `customer_id`."
    )
    filters: MeterQueryFilters | None = None


class MeterQueryRowV3(BaseModel):
    value: str = Field(pattern=r"^\-?[0-9]+(\.[0-9]+)?$", description="With all its digits.")
    from_: Instant = Field(alias="from")
    to: Instant = Field(description="Excluded.")
    dimensions: dict[str, str] = Field(
        description="Those grouped by, `subject` and `customer_id` among them."
    )


class MeterQueryResultV3(BaseModel):
    """Windows without events have no row. Rows are ordered by window, subject and dimensions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "data": [
                        {
                            "value": "1250.5",
                            "from": "2026-01-01T00:00:00-05:00",
                            "to": "2026-01-02T00:00:00-05:00",
                            "dimensions": {"subject": "customer-1", "model": "gpt-4"},
                        }
                    ]
                }
            ]
        }
    )

    from_: Instant | None = Field(None, alias="from")
    to: Instant | None = None
    data: list[MeterQueryRowV3]


def customers_from_wire(wire: MeterQueryRequestV3) -> tuple[str, ...] | None:
    """Ids of the customers asked for; None for everybody's usage. Raises InvalidParameters."""
    return _any_of("customer_id", _filters(wire).get("customer_id"))


def query_from_wire(
    wire: MeterQueryRequestV3, meter: Meter, attribution: Mapping[str, str] | None
) -> UsageQuery:
    """`attribution` has every subject of the customers asked for, each with its customer.

    Raises InvalidParameters for what the meter does not have, or what contradicts itself.
    """
    groups = list(dict.fromkeys(wire.group_by_dimensions or ()))
    for index, group in enumerate(groups):
        field = f"group_by_dimensions.{index}"
        if group not in {"subject", "customer_id", *meter.group_by}:
            raise wrong(field, f"the meter has no dimension {group}")
        if group == "customer_id" and attribution is None:
            raise wrong(field, "needs a filter of the dimension customer_id")
    filters = _filters(wire)
    subjects = _any_of("subject", filters.pop("subject", None))
    filters.pop("customer_id", None)
    where = _where(filters, meter)
    problem = order_problem(wire.from_, wire.to)
    if problem is not None:
        raise wrong("from", problem)
    return UsageQuery(
        namespace=meter.namespace,
        measure=meter.measure(),
        axis=_axis(wire),
        start=wire.from_,
        end=wire.to,
        subjects=_subjects(subjects, attribution),
        where=where,
        by_subject=subjects is not None or "subject" in groups,
        attribution=attribution,
        group_by=tuple(group for group in groups if group in meter.group_by),
    )


def _filters(wire: MeterQueryRequestV3) -> dict[str, QueryFilterStringMapItem]:
    return dict((wire.filters and wire.filters.dimensions) or {})


def _subjects(
    asked: tuple[str, ...] | None, attribution: Mapping[str, str] | None
) -> tuple[str, ...] | None:
    """Those asked for, of the customers asked for; None takes every subject."""
    if attribution is None:
        return asked
    return tuple(one for one in attribution if asked is None or one in asked)


def _axis(wire: MeterQueryRequestV3) -> Axis:
    with about("time_zone"):
        windows.zone(wire.time_zone)
    if wire.granularity is None:
        return Whole()
    return Tumbling(windows.WindowSize(wire.granularity.name), wire.time_zone)


def _any_of(dimension: str, filter_: QueryFilterString | None) -> tuple[str, ...] | None:
    """The values of a dimension that every meter has, which takes no other operators."""
    if filter_ is None:
        return None
    match filter_.model_dump(by_alias=True, exclude_none=True):
        case {"eq": str(value), **others} if not others:
            return (value,)
        case {"in": list(values), **others} if not others:
            return tuple(values)
    raise wrong(f"filters.dimensions.{dimension}", "must be one `eq` or one `in`")


def _where(filters: Mapping[str, QueryFilterStringMapItem], meter: Meter) -> Predicate:
    groups = meter.measure().groups
    with about("filters.dimensions"):
        check_size(filter_string_of(one) for one in filters.values())
    conditions: list[Predicate] = []
    for dimension, filter_ in filters.items():
        field = f"filters.dimensions.{dimension}"
        if dimension not in groups:
            raise wrong(field, f"the meter has no dimension {dimension}")
        with about(field):
            conditions.append(_condition(filter_, groups[dimension], field))
    return AllOf(tuple(conditions))


def _condition(filter_: QueryFilterStringMapItem, on: Expression, field: str) -> Predicate:
    if filter_.exists is None:
        return v1_predicate_of(filter_string_of(filter_), on)
    if len(filter_.model_dump(exclude_none=True)) > 1:
        raise wrong(field, "must have one operator")
    absent = Compare("=", on, Literal(""))
    return Not(absent) if filter_.exists else absent


def filter_string_of(wire: QueryFilterString) -> FilterString:
    """The same condition in the words of the first version, which has none for `exists`."""
    return FilterString.model_construct(
        eq=wire.eq,
        ne=wire.neq,
        in_=wire.in_,
        nin=wire.nin,
        like=None if wire.contains is None else part_pattern(wire.contains),
        nlike=None if wire.ncontains is None else part_pattern(wire.ncontains),
        and_=None if wire.and_ is None else [filter_string_of(one) for one in wire.and_],
        or_=None if wire.or_ is None else [filter_string_of(one) for one in wire.or_],
    )
