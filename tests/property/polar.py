"""Polar's meters, told a second time and plainly: what the core is held to.

Nothing here knows of the core's expressions, windows or folds: a filter is walked over the event
itself, a bucket is a local date, and every function is a line of Python.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from monometer.core.event import Event, Json, parse_json
from monometer.core.numbers import plain

Bucket: TypeAlias = tuple[int, ...]

_ORDER = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b, "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b,
}  # fmt: skip


def matches(tree: Mapping[str, Any], event: Event) -> bool:
    if "clauses" not in tree:
        return _clause(tree["property"], tree["operator"], tree["value"], event)
    found = [matches(part, event) for part in tree["clauses"]]
    return (any if tree["conjunction"] == "or" else all)(found) or not found


def _clause(name: str, operator: str, value: str | int, event: Event) -> bool:
    own: Mapping[str, str | int] = {
        "name": event.type,
        "source": "user",
        "timestamp": int((event.time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() // 1),
    }
    if name in own:
        if type(value) is not type(own[name]):
            return False
        return _compare(operator, own[name], value, str(own[name]), str(value))
    stored = look_up(name, event)
    as_text = "ft"[value] if isinstance(value, bool) else str(value)
    match stored:
        case bool():
            text = "true" if stored else "false"
            return _compare(
                operator, stored, value if isinstance(value, bool) else None, text, as_text
            )
        case str():
            return _compare(operator, stored, as_text, stored, as_text)
        case Decimal():
            number = None if isinstance(value, str) else Decimal(value)
            return _compare(operator, stored, number, plain(stored), as_text)
        case _:
            return False


def _compare(operator: str, stored: Any, value: Any, text: str, part: str) -> bool:
    if operator == "like":
        return part in text
    if operator == "not_like":
        return part not in text
    return value is not None and bool(_ORDER[operator](stored, value))


_NOT_THERE: Any = object()


def look_up(name: str, event: Event) -> Json:
    at: Json = None if event.data is None else parse_json(event.data)
    for step in name.split("."):
        at = at.get(step, _NOT_THERE) if isinstance(at, dict) else _NOT_THERE
    return at


def value_of(aggregation: Mapping[str, Any], event: Event) -> Any:
    """What an event adds to the meter, None when it is none of the meter's."""
    func, name = aggregation["func"], aggregation.get("property", "")
    if func == "count":
        return True
    stored = look_up(name, event)
    if func == "unique":
        # An event without a value is one of the meter's all the same, to those who count people.
        scalar = stored is not _NOT_THERE and not isinstance(stored, list | dict)
        return (type(stored).__name__, stored) if scalar else (_NOT_THERE,)
    if name == "timestamp":
        return Decimal((event.time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1))
    if name in {"name", "source"} or isinstance(stored, bool) or not isinstance(stored, Decimal):
        return None
    return stored


def folded(func: str, values: Sequence[Any]) -> Fraction:
    if func == "unique":
        return Fraction(len({value for value in values if value != (_NOT_THERE,)}))
    if not values or func == "count":
        return Fraction(len(values))
    numbers = [Fraction(value) for value in values]
    if func == "avg":
        return sum(numbers, Fraction(0)) / len(numbers)
    return (
        sum(numbers, Fraction(0))
        if func == "sum"
        else max(numbers)
        if func == "max"
        else min(numbers)
    )


def bucket(at: datetime, interval: str, zone: ZoneInfo) -> Bucket:
    local = at.astimezone(zone)
    match interval:
        case "hour":
            offset = local.utcoffset() or timedelta()
            return (*local.timetuple()[:4], int(offset.total_seconds()))
        case "day":
            return local.timetuple()[:3]
        case "week":
            return local.isocalendar()[:2]
        case "month":
            return local.timetuple()[:2]
    return local.timetuple()[:1]


def quantities(
    meter: Mapping[str, Any],
    events: Iterable[Event],
    *,
    points: Sequence[datetime],
    interval: str,
    zone: ZoneInfo,
    across: str | None,
) -> tuple[list[Fraction], Fraction]:
    """The quantity of each point, and the total."""
    func = meter["aggregation"]["func"]
    people: dict[Bucket, dict[str, list[Any]]] = {bucket(at, interval, zone): {} for at in points}
    for event in events:
        value = value_of(meter["aggregation"], event)
        place = bucket(event.time, interval, zone)
        if matches(meter["filter"], event) and value is not None and place in people:
            people[place].setdefault(event.subject, []).append(value)
    every = {place: [v for values in of.values() for v in values] for place, of in people.items()}
    found = {
        place: folded(func, every[place])
        if across is None
        else folded(across, [folded(func, values) for values in of.values()])
        for place, of in people.items()
    }
    everything = [value for values in every.values() for value in values]
    known = [found[place] for place, values in every.items() if values]
    if func in {"avg", "unique"}:
        total = folded(func, everything)
    else:
        total = folded({"count": "sum"}.get(func, func), known)
    return [found[bucket(at, interval, zone)] for at in points], total
