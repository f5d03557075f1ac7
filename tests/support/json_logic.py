"""JSON-logic run as it is read, on plain values: an oracle for the compiled one."""

from collections.abc import Mapping, Sequence
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
    if operator == "missing":
        return [name for name in rules if looked_up(data, name) in (None, "")]
    return applied(operator, [value(n) for n in range(len(rules))])


def looked_up(data: Data, name: str) -> Any:
    if name == "accountId":
        return data[name]
    kind, _, key = name.partition(".")
    found = data.get(kind, {}).get(key)
    return number(found) if kind == "attributes" else found


def applied(operator: str, values: Sequence[Any]) -> Any:
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


def equal(left: Any, right: Any, *, strict: bool) -> bool:
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    if isinstance(left, str) is isinstance(right, str):
        return bool(left == right)
    return not strict and number(left) is not None and number(left) == number(right)


def ordered(operator: str, left: Any, right: Any) -> bool:
    if not (isinstance(left, str) and isinstance(right, str)):
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
