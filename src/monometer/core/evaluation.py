"""The reader of expressions in Python: slow, obvious, and the authority on what a node means."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any, TypeAlias, assert_never, cast

from monometer.core.event import Event, Json, StoredEvent, parse_json
from monometer.core.expression import (
    AllOf,
    AnyOf,
    Arithmetic,
    Attribute,
    Boolean,
    Case,
    Compare,
    Comparison,
    Epoch,
    Expression,
    Joined,
    Kind,
    Like,
    Literal,
    Member,
    Not,
    Number,
    OneOf,
    Operation,
    Predicate,
    Slice,
    Text,
)
from monometer.core.jsonpath import Each, Path, Step
from monometer.core.numbers import EXACT, number_of_text, plain, quotient

Value: TypeAlias = str | Decimal | bool | datetime | None


class Absent:
    """What a path leads to when there is nothing."""


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Facts:
    """What expressions are evaluated on: a stored event and its parsed data, if it has any."""

    event: Event
    stored_at: datetime
    data: Json | Absent


def facts_of(stored: StoredEvent) -> Facts:
    data = stored.event.data
    return Facts(stored.event, stored.stored_at, ABSENT if data is None else parse_json(data))


def find(path: Path, data: Json | Absent) -> Json | Absent:
    """The value at `path`; with `Each` in it, the first scalar in document order."""
    if not any(isinstance(step, Each) for step in path.steps):
        return _follow(path.steps, data)
    return next(_scalars(path.steps, data), ABSENT)


def _follow(steps: tuple[Step, ...], at: Json | Absent) -> Json | Absent:
    for step in steps:
        if isinstance(step, str) and isinstance(at, dict):
            at = at.get(step, ABSENT)
        elif isinstance(step, int) and isinstance(at, list):
            at = at[step] if step < len(at) else ABSENT
        else:
            return ABSENT
    return at


def _scalars(steps: tuple[Step, ...], at: Json | Absent) -> Iterator[Json]:
    if isinstance(at, Absent):
        return
    if not steps:
        if not isinstance(at, dict | list):
            yield at
        return
    if isinstance(steps[0], Each):
        for element in at if isinstance(at, list) else ():
            yield from _scalars(steps[1:], element)
    else:
        yield from _scalars(steps[1:], _follow(steps[:1], at))


def kind(value: Json | Absent) -> str | None:
    """PostgreSQL's `jsonb_typeof` of a value."""
    match value:
        case Absent():
            return None
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case Decimal():
            return "number"
        case list():
            return "array"
        case dict():
            return "object"


def text(value: Json | Absent) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case Decimal():
            return plain(value)
        case _:
            return None


def number(value: Json | Absent, *, strings: bool) -> Decimal | None:
    match value:
        case Decimal():
            return value
        case str() if strings:
            return number_of_text(value)
        case _:
            return None


def evaluate(expression: Expression, on: Facts) -> Value:  # noqa: C901, PLR0912 - a case a node
    match expression:
        case Attribute(name):
            return on.stored_at if name == "stored_at" else cast("Value", getattr(on.event, name))
        case Member():
            return None
        case Text(path, missing):
            found = text(find(path, on.data))
            return missing if found is None else found
        case Number(path, strings):
            return number(find(path, on.data), strings=strings)
        case Boolean(path):
            found_boolean = find(path, on.data)
            return found_boolean if isinstance(found_boolean, bool) else None
        case Kind(path):
            return kind(find(path, on.data))
        case Literal(value):
            return value
        case Arithmetic(operation, left, right):
            return _arithmetic(operation, evaluate(left, on), evaluate(right, on))
        case Epoch(of, whole):
            at = evaluate(of, on)
            return _seconds(at, whole=whole) if isinstance(at, datetime) else None
        case Joined(parts):
            texts = [_text_form(evaluate(part, on)) for part in parts]
            return None if None in texts else "".join(map(str, texts))
        case Slice(of, start, length):
            whole_text = evaluate(of, on)
            return _slice(whole_text, start, length) if isinstance(whole_text, str) else None
        case Case(branches, otherwise):
            chosen = next((result for test, result in branches if holds(test, on)), otherwise)
            return None if chosen is None else evaluate(chosen, on)
        case _:
            assert_never(expression)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS = 1_000_000


def _seconds(at: datetime, *, whole: bool) -> Decimal:
    microseconds = (at - _EPOCH) // _MICROSECOND
    if whole:
        return Decimal(microseconds // _MICROSECONDS)
    return EXACT.scaleb(Decimal(microseconds), -6)


def _slice(text: str, start: int, length: int | None) -> str:
    rest = text[max(len(text) + start, 0) if start < 0 else start :]
    if length is None or length >= 0:
        return rest[:length]
    return rest[: max(len(rest) + length, 0)]


def _text_form(value: Value) -> str | None:
    return None if isinstance(value, datetime) else text(value)


def _arithmetic(operation: Operation, left: Value, right: Value) -> Decimal | None:
    if not isinstance(left, Decimal) or not isinstance(right, Decimal):
        return None
    match operation:
        case "+":
            return EXACT.add(left, right)
        case "-":
            return EXACT.subtract(left, right)
        case "*":
            return EXACT.multiply(left, right)
        case "/":
            return quotient(left, right)
        case "%":
            return EXACT.remainder(left, right) if right else None


_COMPARE: dict[Comparison, Callable[[Any, Any], bool]] = {  # both sides have one type
    "=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip


def holds(predicate: Predicate, on: Facts) -> bool:
    match predicate:
        case Compare(comparison, left, right):
            a, b = evaluate(left, on), evaluate(right, on)
            return a is not None and b is not None and _COMPARE[comparison](a, b)
        case OneOf(of, values):
            return evaluate(of, on) in values
        case Like(of, pattern, ignore_case):
            value = evaluate(of, on)
            return isinstance(value, str) and _like(value, pattern, ignore_case=ignore_case)
        case AllOf(predicates):
            return all(holds(one, on) for one in predicates)
        case AnyOf(predicates):
            return any(holds(one, on) for one in predicates)
        case Not(negated):
            return not holds(negated, on)
        case _:
            assert_never(predicate)


def _like(value: str, pattern: str, *, ignore_case: bool) -> bool:
    parts = re.findall(r"\\(.)|(.)", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    regex = "".join(re.escape(literal) or wild.get(c, re.escape(c)) for literal, c in parts)
    flags = re.DOTALL | (re.IGNORECASE | re.ASCII if ignore_case else re.NOFLAG)
    return re.fullmatch(regex, value, flags) is not None
