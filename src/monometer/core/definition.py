"""What a meter takes, as a dialect richer than OpenMeter's says it.

A definition is kept as it was written, together with the name of its dialect, and is read here:
`READERS` has one function for each such dialect. A meter of OpenMeter has none; its columns are all
there is to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from monometer.core import jsonpath
from monometer.core.aggregation import Aggregation
from monometer.core.clauses import NOTHING, TIME, TYPE, conjuncts, path_of, predicate_of
from monometer.core.expression import (
    AllOf,
    Case,
    Compare,
    Expression,
    Joined,
    Kind,
    Literal,
    Number,
    OneOf,
    Predicate,
    Text,
)
from monometer.core.jsonpath import Path
from monometer.core.logic_values import there
from monometer.core.usage_meter import rules_of

Definition: TypeAlias = Mapping[str, Any]  # "dialect", and whatever that dialect has to say


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """What a definition comes to.

    `event_type` None takes every type. `value_property` is the JSONPath of `value` for those who
    know nothing else, None where it is no path.
    """

    aggregation: Aggregation
    event_type: str | None
    where: Predicate
    value: Expression | None
    value_property: str | None


def read(definition: Definition) -> Defined:
    """Raises InvalidInput for one that its dialect allows and we cannot carry out."""
    return READERS[definition["dialect"]](definition)


POLAR = "polar"

_FUNCTIONS = {
    "count": Aggregation.COUNT, "sum": Aggregation.SUM, "avg": Aggregation.AVG,
    "min": Aggregation.MIN, "max": Aggregation.MAX, "unique": Aggregation.UNIQUE_COUNT,
}  # fmt: skip


def _polar(definition: Definition) -> Defined:
    """`filter` is a tree of clauses, `aggregation` a function and the property it is over.

    Numbers are JSON numbers: an event with anything else there is none of the meter's.
    """
    aggregation = _FUNCTIONS[definition["aggregation"]["func"]]
    wanted = predicate_of(definition["filter"])
    if aggregation is Aggregation.COUNT:
        return _defined(aggregation, wanted, None, None)
    property_: str = definition["aggregation"]["property"]
    path = path_of(property_)
    if aggregation is Aggregation.UNIQUE_COUNT:
        return _defined(aggregation, wanted, distinct(path), path)
    if property_ == "timestamp":
        return _defined(aggregation, wanted, TIME, None)
    if property_ in {"name", "source"}:
        return _defined(aggregation, NOTHING, Literal(Decimal(0)), None)
    is_number = Compare("=", Kind(path), Literal("number"))
    return _defined(aggregation, AllOf((wanted, is_number)), Number(path, strings=False), path)


TOGAI = "togai"


def _togai(definition: Definition) -> Defined:
    """`schema` names the event type, `filters` texts that attributes or dimensions must have.

    The one of `computations` that there may be has a `matcher` and, for SUM, the `computation`:
    JSON-logic. An event counts if it came within one of the `active` periods, half-open pairs of
    RFC 3339 texts, the last of which may have no end.
    """
    rules = rules_of(definition)
    counted = () if rules.units is None else (there(rules.units),)
    return Defined(
        aggregation=Aggregation(definition["aggregation"]),
        event_type=definition["schema"],
        where=AllOf((rules.passes, *counted)),
        value=rules.units,
        value_property=None if rules.path is None else jsonpath.spelled(rules.path),
    )


READERS: Mapping[str, Callable[[Definition], Defined]] = {POLAR: _polar, TOGAI: _togai}


def distinct(path: Path) -> Expression:
    """Text that differs for scalars of different types, too: `1` and `"1"`, `null` and `"null"`."""
    kind = Kind(path)
    return Case(
        (
            (Compare("=", kind, Literal("string")), Joined((Literal('"'), Text(path)))),
            (OneOf(kind, ("number", "boolean")), Text(path)),
            (Compare("=", kind, Literal("null")), kind),
        )
    )


def _defined(
    aggregation: Aggregation, wanted: Predicate, value: Expression | None, path: Path | None
) -> Defined:
    """A type that is demanded in any case becomes the meter's event type."""
    parts = list(conjuncts(wanted))
    event_type = next(filter(None, map(_demanded_type, parts)), None)
    if event_type is not None:
        parts.remove(Compare("=", TYPE, Literal(event_type)))
    return Defined(
        aggregation=aggregation,
        event_type=event_type,
        where=AllOf(tuple(parts)),
        value=value,
        value_property=None if path is None else jsonpath.spelled(path),
    )


def _demanded_type(predicate: Predicate) -> str | None:
    match predicate:
        case Compare("=", left, Literal(str() as name)) if left == TYPE:
            return name
    return None
