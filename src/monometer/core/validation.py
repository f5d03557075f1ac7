"""What today's meters have to say about an event: the messages of the event list."""

from collections.abc import Sequence
from decimal import Decimal

from monometer.core import jsonpath
from monometer.core.aggregation import Aggregation
from monometer.core.evaluation import Absent, Facts, find, holds, number
from monometer.core.meter import Meter

_INFINITY = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})


def problems(facts: Facts, meters: Sequence[Meter]) -> list[str]:
    """One message for each meter of the event's type that cannot use it, or that there is none.

    `meters` are the live meters of the namespace. Wording: OpenMeter's, which clients show.
    """
    of_type = [meter for meter in meters if _concerns(facts, meter)]
    if not of_type:
        return [f"no meter found for event type: {facts.event.type}"]
    messages = (_problem(facts, meter) for meter in of_type)
    return [f"invalid event: {message}" for message in messages if message is not None]


def _concerns(facts: Facts, meter: Meter) -> bool:
    if meter.event_type not in {None, facts.event.type}:
        return False
    return meter.definition is None or holds(meter.measure().where, facts)


def _problem(facts: Facts, meter: Meter) -> str | None:
    """Of a defined meter there is none: it takes only what it can use."""
    if meter.value_property is None or meter.definition is not None:
        return None
    if isinstance(facts.data, Absent | None):
        return "null and missing value property"
    value = find(jsonpath.parse(meter.value_property), facts.data)
    match value:
        case Absent():
            return f'missing value property: "{meter.value_property}"'
        case None:
            return "value cannot be null"
        case dict():
            return "unsupported value property type: map[string]interface {}"
        case list():
            return "unsupported value property type: []interface {}"
        case Decimal():
            return None
    if meter.aggregation is Aggregation.UNIQUE_COUNT:
        return None  # any scalar can be told from another
    if isinstance(value, bool):
        return "unsupported value property type: bool"
    return _number_problem(value)


def _number_problem(text: str) -> str | None:
    if number(text, strings=True) is not None:
        return None
    if text.lower() == "nan":
        return "value cannot be NaN"
    if text.lower() in _INFINITY:
        return "value cannot be infinity"
    return f"value cannot be parsed as float64: {text}"
