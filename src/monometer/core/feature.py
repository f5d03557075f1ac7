"""A feature: what customers are given access to, and which usage counts against it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from monometer.core.aggregation import Aggregation
from monometer.core.errors import InvalidInput
from monometer.core.expression import AllOf, Literal
from monometer.core.filter import Filter, check_size, predicate_of
from monometer.core.meter import KEY_CHARS_MAX, KEY_PATTERN, Measure, Metadata, Meter

# Usage of these adds up over periods, or is a level: what a balance can be made of.
AGGREGATIONS = (
    Aggregation.SUM, Aggregation.COUNT, Aggregation.UNIQUE_COUNT, Aggregation.LATEST,
)  # fmt: skip

TOKEN_TYPES = (
    "input", "output", "cache_read", "cache_write", "reasoning", "request", "response",
)  # fmt: skip

_KEY = re.compile(KEY_PATTERN)
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.IGNORECASE)
_AMOUNT = re.compile(r"[0-9]{1,100}(\.[0-9]{1,100})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature as it is kept. `key` is unique among those of a namespace that are not archived.

    `filters` are by group key of the meter; an event must pass all of them. `unit_cost` is kept
    as it was written: it never changes a balance.
    """

    namespace: str
    id: str
    key: str
    name: str
    description: str | None
    meter: Meter | None
    filters: Mapping[str, Filter]
    unit_cost: Mapping[str, Any] | None
    metadata: Metadata | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None

    def measure(self) -> Measure | None:
        """The usage that counts: the meter's, of events that pass the filters.

        A group key that the meter has lost meanwhile, which only a feature that nobody uses any
        more can know, reads as one without a value.
        """
        if self.meter is None:
            return None
        measure = self.meter.measure()
        conditions = tuple(
            predicate_of(one, measure.groups.get(name, Literal("")))
            for name, one in sorted(self.filters.items())
        )
        return (
            replace(measure, where=AllOf((measure.where, *conditions))) if conditions else measure
        )


def is_id(text: str) -> bool:
    """Whether it looks like an id, in any case. No key of a feature does."""
    return _ULID.fullmatch(text) is not None


def validate_key(key: str) -> None:
    """Raises InvalidInput for what is no key, or could be taken for an id."""
    if not _KEY.fullmatch(key) or len(key) > KEY_CHARS_MAX:
        raise InvalidInput(f"invalid feature key: {key} does not match {KEY_PATTERN}")
    if is_id(key):
        raise InvalidInput("Feature key cannot be a valid ULID")


def validate_meter(meter: Meter) -> None:
    """Raises InvalidInput for a meter that no feature can have."""
    if meter.aggregation not in AGGREGATIONS:
        raise InvalidInput(
            f"meter {meter.key}'s aggregation is {meter.aggregation} but features can only be "
            f"created for {', '.join(AGGREGATIONS)}"
        )


def validate_filters(meter: Meter | None, filters: Mapping[str, Filter]) -> None:
    """Raises InvalidInput for a filter on no group key of the meter, and for a wrong filter."""
    for name, one in filters.items():
        if meter is None or name not in meter.group_by:
            raise InvalidInput(
                f"invalid filters for feature: {name} is not a group key of its meter"
            )
        if not one:
            raise InvalidInput(f"invalid filters for feature: {name} has no operator")
        predicate_of(one, Literal(""))
    check_size(filters.values())


def validate_unit_cost(meter: Meter | None, cost: Mapping[str, Any]) -> None:
    """Raises InvalidInput. `cost` has the wire's members, of the right types."""
    if cost["type"] == "manual":
        if not _AMOUNT.fullmatch(cost["amount"]):
            raise InvalidInput("invalid unit cost: amount must be a decimal number, 0 or greater")
        return
    if meter is None:
        raise InvalidInput("invalid unit cost: type llm needs a meter")
    for name in ("provider", "model", "tokenType"):
        _validate_either(meter, cost, name)


def _validate_either(meter: Meter, cost: Mapping[str, Any], name: str) -> None:
    fixed, dimension = cost.get(name), cost.get(f"{name}Property")
    if bool(fixed) == bool(dimension):
        raise InvalidInput(f"invalid unit cost: exactly one of {name} and {name}Property is needed")
    if dimension and dimension not in meter.group_by:
        raise InvalidInput(f"invalid unit cost: {dimension} is not a group key of its meter")
    if fixed and name == "tokenType" and fixed not in TOKEN_TYPES:
        raise InvalidInput(f"invalid unit cost: tokenType must be one of {', '.join(TOKEN_TYPES)}")
