"""Questions nobody would ask by hand: expressions, predicates and queries at random."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from hypothesis import strategies as st
from tests.property.hostile import FAR, KEYS, NUMERIC_STRINGS, SUBJECTS, texts
from tests.support.events import NOON

from monometer.core.aggregation import Aggregation
from monometer.core.event import TIME_END
from monometer.core.expression import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Arithmetic,
    Attribute,
    Boolean,
    Case,
    Compare,
    Epoch,
    Expression,
    Joined,
    Kind,
    Like,
    Literal,
    Not,
    Number,
    OneOf,
    Predicate,
    Slice,
    Text,
)
from monometer.core.feature import AGGREGATIONS
from monometer.core.jsonpath import Each, Path, Step, parse
from monometer.core.meter import Measure
from monometer.core.usage import Axis, PeriodsQuery, Tumbling, UsageQuery, Whole
from monometer.core.windows import Period, WindowSize

# What is inside what: an operation in an operation, since a product's digits double each time.
DEPTH = 2

T = TypeVar("T")
Draw = st.DrawFn
Make = Callable[[Draw, int], Expression]

COMPARISONS: Sequence[Any] = ("=", "!=", "<", "<=", ">", ">=")
OPERATIONS: Sequence[Any] = ("+", "-", "*", "/", "%")
TEXT_ATTRIBUTES: Sequence[Any] = ("id", "source", "type", "subject")
INSTANT_ATTRIBUTES: Sequence[Any] = ("time", "ingested_at", "stored_at")

PATHS = [
    *["$.v"] * 12,
    *["$.g"] * 6,
    "$",
    "$.v[0]",
    "$.g[*]",
    "$.g[1]",
    "$.v.g",
    "$.g[*].v",
    "$.g[*][*]",
]
steps: st.SearchStrategy[Step] = st.one_of(
    st.sampled_from(KEYS), st.sampled_from([0, 1, 999_999_999]), st.just(Each())
)

literal_texts = st.sampled_from([*SUBJECTS, *NUMERIC_STRINGS, "string", "number"]) | texts
literal_numbers = st.sampled_from(
    [Decimal(n) for n in ("0", "-0", "1", "1.0", "2", "-3", "0.1", "1e3", "1e-3", "1e999")]
) | st.decimals(-100, 100, places=2)
literal_instants = st.sampled_from(FAR) | st.timedeltas(
    timedelta(days=-4_000), timedelta(days=4_000)
).map(lambda delta: NOON + delta)
pattern_parts = st.sampled_from(
    ["%", "_", "\\%", "\\_", "\\\\", "\\a", "A", "a", "n", "É", "\n", "."]
) | literal_texts.map(lambda text: text.replace("\\", "\\\\"))


LENGTHS = st.sampled_from([timedelta(minutes=n) for n in (1, 59, 60, 61, 600, 31 * 24 * 60)])


def _pick(draw: Draw, *options: T) -> T:
    return draw(st.sampled_from(options))


def _seldom(draw: Draw) -> bool:
    """Few conditions at once, or no event would be left to fold."""
    return _pick(draw, *[False] * 4, True)


def spelled(path: Sequence[Step]) -> str:
    """A JSONPath in brackets, which can say every step."""
    return "$" + "".join(
        "[*]" if isinstance(step, Each)
        else f"[{step}]" if isinstance(step, int)
        else '["' + step.replace("\\", "\\\\").replace('"', '\\"') + '"]'
        for step in path
    )  # fmt: skip


def _path(draw: Draw) -> Path:
    if draw(st.integers(0, 3)):
        return parse(_pick(draw, *PATHS))
    path = draw(st.lists(steps, max_size=3))
    parsed = parse(spelled(path))
    assert parsed.steps == tuple(path)
    return parsed


def _text(draw: Draw, depth: int) -> Expression:
    inner = ["case", "joined", "slice"] * depth
    match _pick(draw, "path", "path", "path", "attribute", "kind", "literal", *inner):
        case "path":
            return Text(_path(draw), draw(st.none() | literal_texts))
        case "attribute":
            return Attribute(_pick(draw, *TEXT_ATTRIBUTES))
        case "kind":
            return Kind(_path(draw))
        case "literal":
            return Literal(draw(literal_texts))
        case "joined":
            return _joined(draw, depth - 1)
        case "slice":
            length = draw(st.none() | st.integers(-3, 3))
            return Slice(_text(draw, depth - 1), draw(st.integers(-3, 3)), length)
        case _:
            return _case(draw, depth - 1, _text)


def _joined(draw: Draw, depth: int) -> Expression:
    parts = (_pick(draw, _text, _number, _boolean) for _ in range(draw(st.integers(0, 3))))
    return Joined(tuple(part(draw, depth) for part in parts))


def _number(draw: Draw, depth: int) -> Expression:
    inner = ["arithmetic", "arithmetic", "case", "epoch"] * depth
    match _pick(draw, "path", "path", "literal", *inner):
        case "path":
            return Number(_path(draw), draw(st.booleans()))
        case "literal":
            return Literal(draw(literal_numbers))
        case "arithmetic":
            operation = _pick(draw, *OPERATIONS)
            return Arithmetic(operation, _number(draw, depth - 1), _number(draw, depth - 1))
        case "epoch":
            return Epoch(_instant(draw, depth - 1), draw(st.booleans()))
        case _:
            return _case(draw, depth - 1, _number)


def _boolean(draw: Draw, depth: int) -> Expression:
    match _pick(draw, "path", "path", "literal", *["case"] * depth):
        case "path":
            return Boolean(_path(draw))
        case "literal":
            return Literal(draw(st.booleans()))
        case _:
            return _case(draw, depth - 1, _boolean)


def _instant(draw: Draw, depth: int) -> Expression:
    match _pick(draw, "attribute", "literal", *["case"] * (depth > 0)):
        case "attribute":
            return Attribute(_pick(draw, *INSTANT_ATTRIBUTES))
        case "literal":
            return Literal(draw(literal_instants))
        case _:
            return _case(draw, depth - 1, _instant)


def _case(draw: Draw, depth: int, result: Make) -> Expression:
    tests = range(draw(st.integers(1, 2)))
    branches = tuple((_predicate(draw, depth), result(draw, depth)) for _ in tests)
    return Case(branches, result(draw, depth) if draw(st.booleans()) else None)


def _predicate(draw: Draw, depth: int) -> Predicate:
    inner = ["all", "any", "not"] * depth
    match _pick(draw, "text", "number", "boolean", "instant", "one of", "like", *inner):
        case "one of":
            return OneOf(_text(draw, depth), tuple(draw(st.lists(literal_texts, max_size=3))))
        case "like":
            pattern = "".join(draw(st.lists(pattern_parts, max_size=4)))
            return Like(_text(draw, depth), pattern, draw(st.booleans()))
        case "all":
            return AllOf(_predicates(draw, depth - 1))
        case "any":
            return AnyOf(_predicates(draw, depth - 1))
        case "not":
            return Not(_predicate(draw, depth - 1))
        case sides:
            of = {"text": _text, "number": _number, "boolean": _boolean, "instant": _instant}[sides]
            return Compare(_pick(draw, *COMPARISONS), of(draw, depth), of(draw, depth))


def _predicates(draw: Draw, depth: int) -> tuple[Predicate, ...]:
    return tuple(_predicate(draw, depth) for _ in range(draw(st.integers(0, 3))))


@st.composite
def expressions(draw: Draw) -> Expression:
    of = _pick(draw, _text, _text, _number, _number, _number, _boolean, _instant)
    return of(draw, DEPTH)


@st.composite
def predicates(draw: Draw) -> Predicate:
    return _predicate(draw, DEPTH)


def _value(draw: Draw, aggregation: Aggregation) -> Expression | None:
    match aggregation:
        case Aggregation.COUNT:
            return None
        case Aggregation.UNIQUE_COUNT:
            return _text(draw, DEPTH) if _seldom(draw) else Text(parse("$.v"))
        case _:
            return _number(draw, DEPTH) if _seldom(draw) else Number(parse("$.v"))


def _group(draw: Draw) -> Expression:
    """Text that is never None."""
    match _pick(draw, "path", "path", "path", "attribute", "literal"):
        case "path":
            return Text(_path(draw), draw(literal_texts | st.just("")))
        case "attribute":
            return Attribute(_pick(draw, *TEXT_ATTRIBUTES))
        case _:
            return Literal(draw(literal_texts))


def _where(draw: Draw) -> Predicate:
    return _predicate(draw, DEPTH) if _seldom(draw) else EVERYTHING


def _measure(
    draw: Draw,
    moments: st.SearchStrategy[datetime],
    aggregations: Sequence[Aggregation] = tuple(Aggregation),
) -> Measure:
    aggregation = _pick(draw, *aggregations)
    return Measure(
        aggregation=aggregation,
        event_type=_pick(draw, None, None, "call", "call", "other"),
        value=_value(draw, aggregation),
        groups={name: _group(draw) for name in "abc"[: _pick(draw, 0, 0, 0, 1, 2, 3)]},
        where=_where(draw),
        event_from=draw(moments) if _seldom(draw) else None,
    )


# Customers own several subjects, some of which no event has.
attributions = st.dictionaries(
    st.sampled_from([*SUBJECTS, "nobody"]),
    st.sampled_from(["c", "C", "é", "", "\uffff"]),
    max_size=8,
)


@st.composite
def queries(
    draw: Draw, namespace: str, zone: str, moments: st.SearchStrategy[datetime]
) -> UsageQuery:
    measure = _measure(draw, moments)
    sizes: Sequence[Axis] = [Tumbling(size, zone) for size in WindowSize]
    names = draw(st.permutations(sorted(measure.groups)))
    return UsageQuery(
        namespace=namespace,
        measure=measure,
        axis=_pick(draw, Whole(), Whole(), *sizes),
        start=draw(moments) if _seldom(draw) else None,
        end=draw(moments) if _seldom(draw) else None,
        subjects=_pick(draw, *[None] * 6, (), ("ann",), tuple(SUBJECTS[::2])),
        where=_where(draw),
        by_subject=_seldom(draw),
        attribution=draw(attributions) if _seldom(draw) else None,
        group_by=tuple(names[: draw(st.integers(0, len(names)))]),
    )


@st.composite
def period_queries(
    draw: Draw, namespace: str, moments: st.SearchStrategy[datetime]
) -> PeriodsQuery:
    """Of up to six periods, short and long ones, that may overlap and repeat."""
    periods = []
    for _ in range(draw(st.integers(0, 6))):
        start, end = sorted([draw(moments), draw(moments)])
        if start == end or _pick(draw, True, False):
            end = min(start, TIME_END - timedelta(days=40)) + draw(LENGTHS)
            start = min(start, end - timedelta(minutes=1))
        periods.append(Period(start, end))
    return PeriodsQuery(
        namespace=namespace,
        measure=_measure(draw, moments, AGGREGATIONS),
        subjects=_pick(draw, ("ann",), tuple(SUBJECTS[::2]), tuple(SUBJECTS), ()),
        periods=tuple(periods),
    )
