"""JSON-logic run as it is read, on plain values: an oracle for the compiled one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from monometer.core.numbers import EXACT, number_of_text, plain, quotient

Data = Mapping[str, Any]


def truthy(value: Any) -> bool:
    return bool(value)


def number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return None
    return number_of_text(value) if isinstance(value, str) else value


def run(  # noqa: C901, PLR0912 - an arm for each operator
    rule: Any, data: Data, element: Any = None, *, inside: bool = False
) -> Any:
    """What the rule comes to on `data`, or on `element` inside a rule about one."""
    if isinstance(rule, list):
        return [run(one, data, element, inside=inside) for one in rule]
    if not isinstance(rule, dict):
        return rule
    [(operator, given)] = rule.items()
    rules = given if isinstance(given, list) else [given]

    def value(n: int) -> Any:
        return run(rules[n], data, element, inside=inside)

    if operator == "var":
        found = element if inside else looked_up(data, rules[0])
        return value(1) if found is None and len(rules) > 1 else found
    if operator in {"if", "?:"}:
        for at in range(0, len(rules) - 1, 2):
            if truthy(value(at)):
                return value(at + 1)
        return value(len(rules) - 1) if len(rules) % 2 else None
    if operator in {"and", "or"}:
        values = [value(n) for n in range(len(rules))]
        wanted = operator == "or"
        return next((one for one in values if truthy(one) is wanted), values[-1])
    if operator in {"map", "filter", "some", "all", "none"}:
        elements = value(0) if isinstance(rules[0], list) else [value(0)]
        results = [run(rules[1], data, one, inside=True) for one in elements]
        passed = [truthy(one) for one in results]
        match operator:
            case "map":
                return results
            case "filter":
                return [one for one, good in zip(elements, passed, strict=True) if good]
            case "some":
                return any(passed)
            case "all":
                return bool(passed) and all(passed)
        return not any(passed)
    if operator in TIMES:
        return of_times(operator, [value(n) for n in range(len(rules))])
    if operator == "missing":
        return [name for name in rules if looked_up(data, name) in (None, "")]
    return applied(operator, [value(n) for n in range(len(rules))])


def looked_up(data: Data, name: str) -> Any:
    if name in {"accountId", "timestamp"}:
        return data[name]
    kind, _, key = name.partition(".")
    found = data.get(kind, {}).get(key)
    return number(found) if kind == "attributes" else found


@dataclass(frozen=True, order=True)
class Instant:
    seconds: Decimal


@dataclass(frozen=True, order=True)
class Duration:
    seconds: Decimal


TIMES = {"date", "date.add", "date.sub", "duration.of", "duration.between", "duration.as"}
_UNITS = {"MILLIS": "0.001", "SECONDS": "1", "MINUTES": "60", "HOURS": "3600", "DAYS": "86400"}
_ISO = {"P1D": "86400", "PT36H": "129600", "PT0.5S": "0.5", "-PT1M": "-60", "P2W": "1209600"}


def instant_of(text: str) -> Instant:
    at = datetime.fromisoformat(text)
    since = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return Instant(Decimal(since // timedelta(microseconds=1)) / 1_000_000)


def of_times(operator: str, values: Sequence[Any]) -> Any:
    first: Any
    first, *rest = [
        Duration(Decimal(_ISO[one])) if isinstance(one, str) and one in _ISO else one
        for one in values
    ]
    if operator == "duration.of":
        amount = number(first)
        unit = Decimal(_UNITS[str(rest[0])])
        return None if amount is None else Duration(EXACT.multiply(amount, unit))
    if operator == "duration.as" and first is None:
        return None
    if operator == "duration.as":
        if rest[0] == "MILLIS":
            return EXACT.multiply(first.seconds, Decimal(1000))
        return quotient(first.seconds, Decimal(_UNITS[str(rest[0])]))
    first = instant_of(first) if isinstance(first, str) else first
    if operator == "date":
        return first
    if operator == "duration.between":
        end = instant_of(rest[0]) if isinstance(rest[0], str) else rest[0]
        return Duration(EXACT.subtract(end.seconds, first.seconds))
    by = rest[0].seconds if operator == "date.add" else -rest[0].seconds
    return Instant(EXACT.add(first.seconds, by))


def part(text: str, start: Decimal, length: Decimal | None = None) -> str:
    begin = int(start) if start >= 0 else max(len(text) + int(start), 0)
    if length is None:
        return text[begin:]
    end = begin + int(length) if length >= 0 else len(text) + int(length)
    return text[begin : max(end, begin)]


def applied(operator: str, values: Sequence[Any]) -> Any:  # noqa: C901 - an arm for each
    match operator:
        case "!":
            return not truthy(values[0])
        case "!!":
            return truthy(values[0])
        case "==" | "!=":
            return equal(values[0], values[1], strict=False) is (operator == "==")
        case "===" | "!==":
            return equal(values[0], values[1], strict=True) is (operator == "===")
        case "<" | "<=" | ">" | ">=":
            return all(ordered(operator, left, right) for left, right in pairwise(values))
        case "in":
            needle, hay = values
            if isinstance(hay, list):
                return any(equal(needle, one, strict=True) for one in hay)
            return isinstance(hay, str) and isinstance(needle, str) and needle in hay
        case "cat":
            return "".join(map(text, values))
        case "substr":
            return None if values[0] is None else part(text(values[0]), *values[1:])
    numbers = [number(one) for one in values]
    known = [one for one in numbers if one is not None]
    if len(known) < len(numbers):
        return None
    return computed(operator, known)


def computed(operator: str, numbers: Sequence[Decimal]) -> Decimal | None:
    first, *rest = numbers
    match operator:
        case "+" | "*":
            for one in rest:
                first = EXACT.add(first, one) if operator == "+" else EXACT.multiply(first, one)
            return first
        case "-":
            return EXACT.subtract(first, rest[0]) if rest else EXACT.subtract(Decimal(0), first)
        case "/":
            return quotient(first, rest[0])
        case "%":
            return EXACT.remainder(first, rest[0]) if rest[0] else None
        case "min":
            return min(numbers)
    return max(numbers)


def alike(left: Any, right: Any) -> tuple[Any, Any]:
    """A text beside an instant or a duration is one."""
    if isinstance(left, Duration) and isinstance(right, str):
        return left, Duration(Decimal(_ISO[right]))
    if isinstance(left, Instant) and isinstance(right, str):
        return left, instant_of(right)
    if isinstance(right, Instant) and isinstance(left, str):
        return instant_of(left), right
    return left, right


def equal(left: Any, right: Any, *, strict: bool) -> bool:
    left, right = alike(left, right)
    if isinstance(left, Instant | Duration) or isinstance(right, Instant | Duration):
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    if isinstance(left, str) is isinstance(right, str):
        return bool(left == right)
    return not strict and number(left) is not None and number(left) == number(right)


def ordered(operator: str, left: Any, right: Any) -> bool:
    left, right = alike(left, right)
    if isinstance(left, Instant | Duration) or isinstance(right, Instant | Duration):
        left, right = (left, right) if type(left) is type(right) else (None, None)
    elif not (isinstance(left, str) and isinstance(right, str)):
        left, right = number(left), number(right)
    if left is None or right is None:
        return False
    match operator:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
    return bool(left >= right)


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return value if isinstance(value, str) else plain(value)
