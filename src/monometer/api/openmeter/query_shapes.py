"""The shapes of a meter query on the wire, and how a request becomes a UsageQuery."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from monometer.api.openmeter.filters import FilterString, check_size, predicate_of
from monometer.api.wire import Instant, Text, Value
from monometer.core import windows
from monometer.core.errors import InvalidInput, NotFound
from monometer.core.expression import AllOf, Attribute, Predicate
from monometer.core.meter import Meter
from monometer.core.usage import Axis, Tumbling, UsageQuery, Whole
from monometer.services.usage import order_problem

ITEMS_MAX = 100


class WindowSize(StrEnum):
    """The sizes that this dialect knows."""

    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    MONTH = "MONTH"


_EXAMPLE: dict[str, Any] = {
    "from": "2026-01-01T00:00:00Z",
    "to": "2026-02-01T00:00:00Z",
    "windowSize": "DAY",
    "windowTimeZone": "America/New_York",
    "groupBy": ["model"],
    "filterGroupBy": {"type": ["input", "output"]},
}

Texts = Annotated[list[Text], Field(max_length=ITEMS_MAX)]


class MeterQueryRequest(BaseModel):
    """A question about a meter's usage. An empty one asks for the total of all time."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    clientId: str | None = Field(
        None, min_length=1, max_length=36, description="Accepted and not used."
    )
    from_: Instant | None = Field(None, alias="from", description="Included.")
    to: Instant | None = Field(None, description="Excluded.")
    windowSize: WindowSize | None = Field(None, description="One row a window; else one in all.")
    windowTimeZone: Text = Field("UTC", description="IANA zone that windows are aligned to.")
    subject: Texts | None = Field(None, description="Only these subjects, and grouped by subject.")
    filterCustomerId: Texts | None = Field(
        None, description="Only these customers, and grouped by customer."
    )
    filterGroupBy: dict[Text, list[Text]] | None = Field(
        None, description="Only these values of a group key."
    )
    advancedMeterGroupByFilters: dict[Text, FilterString] | None = Field(
        None, description="A condition on a group key; not together with filterGroupBy."
    )
    groupBy: Texts | None = Field(
        None, description="Group keys of the meter, `subject`, or `customer_id`."
    )


class MeterQueryRow(BaseModel):
    value: Value
    windowStart: Instant
    windowEnd: Instant = Field(description="Excluded.")
    subject: str | None = Field(description="Null unless grouped by subject.")
    customerId: str | None = Field(None, description="Only when grouped by customer.")
    groupBy: dict[str, str | None] = Field(description="Values of the group keys asked for.")


class MeterQueryResult(BaseModel):
    """Windows without events have no row. Rows are ordered by window, subject and group."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "windowSize": "DAY",
                    "data": [
                        {
                            "value": 1250.5,
                            "windowStart": "2026-01-01T00:00:00-05:00",
                            "windowEnd": "2026-01-02T00:00:00-05:00",
                            "subject": "customer-1",
                            "groupBy": {"model": "gpt-4"},
                        }
                    ],
                }
            ]
        }
    )

    from_: Instant | None = Field(None, alias="from")
    to: Instant | None = None
    windowSize: WindowSize | None = None
    data: list[MeterQueryRow]


def groups_from_wire(wire: MeterQueryRequest, meter: Meter) -> list[str]:
    """What to group by, each once, in the order asked for. Raises InvalidInput."""
    groups = list(dict.fromkeys(wire.groupBy or ()))
    for group in groups:
        if group not in meter.group_by and group not in {"subject", "customer_id"}:
            raise InvalidInput(f"invalid group by: {group}")
    return groups


def query_from_wire(
    wire: MeterQueryRequest, meter: Meter, attribution: Mapping[str, str] | None = None
) -> UsageQuery:
    """Checks in the order that clients know: groups, customers, zone, filters, the rest at once.

    `attribution` has every subject of the customers of `filterCustomerId`, each with its customer;
    without one, no customer is known. Raises InvalidInput, and NotFound for a customer.
    """
    groups = groups_from_wire(wire, meter)
    if wire.filterCustomerId and attribution is None:
        raise NotFound(f"customer with id {wire.filterCustomerId[0]} not found")
    axis = _axis(wire)
    filters = _filters(wire, meter)
    problems = [*_problems(wire, groups), *_problems_of_filters(filters)]
    if problems:
        raise InvalidInput("\n".join(problems))
    return UsageQuery(
        namespace=meter.namespace,
        measure=meter.measure(),
        axis=axis,
        start=wire.from_,
        end=wire.to,
        subjects=_subjects(wire, attribution),
        where=_where(filters, meter),
        by_subject=wire.subject is not None or "subject" in groups,
        attribution=attribution,
        group_by=tuple(group for group in groups if group in meter.group_by),
    )


def _subjects(
    wire: MeterQueryRequest, attribution: Mapping[str, str] | None
) -> tuple[str, ...] | None:
    """Those asked for, of the customers asked for; None takes every subject."""
    if attribution is None:
        return tuple(wire.subject) if wire.subject else None
    return tuple(one for one in wire.subject or attribution if one in attribution)


def _axis(wire: MeterQueryRequest) -> Axis:
    windows.zone(wire.windowTimeZone)
    if wire.windowSize is None:
        return Whole()
    return Tumbling(windows.WindowSize(wire.windowSize), wire.windowTimeZone)


def _filters(wire: MeterQueryRequest, meter: Meter) -> Mapping[str, FilterString]:
    """The filter of each group key, of whichever kind. Values without any are no filter."""
    values = {key: found for key, found in (wire.filterGroupBy or {}).items() if found}
    advanced = wire.advancedMeterGroupByFilters or {}
    if values and advanced:
        raise InvalidInput(
            "advanced meter group by filters and filter group by cannot be used together"
        )
    unknown = next((key for key in wire.filterGroupBy or () if key not in meter.group_by), None)
    if unknown is not None:
        raise InvalidInput(f"invalid group by filter: {unknown}")
    return advanced or {
        key: FilterString.model_construct(in_=found) for key, found in values.items()
    }


def _problems(wire: MeterQueryRequest, groups: Sequence[str]) -> Iterator[str]:
    order = order_problem(wire.from_, wire.to)
    if order is not None:
        yield order
    if "customer_id" in groups and not wire.filterCustomerId:
        yield "customer filter is required with customer_id group by"
    if wire.subject and "" in wire.subject:
        yield "subject cannot be empty"


def _problems_of_filters(filters: Mapping[str, FilterString]) -> Iterator[str]:
    for filter_ in filters.values():
        try:
            predicate_of(filter_, Attribute("subject"))  # a filter is right or wrong on any text
        except InvalidInput as error:
            yield error.message


def _where(filters: Mapping[str, FilterString], meter: Meter) -> Predicate:
    check_size(filters.values())
    groups = meter.measure().groups
    unknown = next((key for key in filters if key not in groups), None)
    if unknown is not None:
        raise InvalidInput(f"meter does not have group by: {unknown}")
    return AllOf(tuple(predicate_of(one, groups[key]) for key, one in filters.items()))
