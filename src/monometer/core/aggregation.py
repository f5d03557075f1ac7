"""The seven aggregations as monoids: partial results add up, in any order and any grouping.

`merge` is associative and commutative with `empty` as identity. The same law allows windows,
parallel scans and stored partial results; a property test holds it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar

from monometer.core.evaluation import Value
from monometer.core.numbers import EXACT, mean

State = TypeVar("State")


class Aggregation(StrEnum):
    SUM = "SUM"
    COUNT = "COUNT"
    AVG = "AVG"
    MIN = "MIN"
    MAX = "MAX"
    UNIQUE_COUNT = "UNIQUE_COUNT"
    LATEST = "LATEST"


# Orders events of one meter totally, so that the latest one is never arbitrary: time, then the
# time it was stored, then id and source, which are unique together.
Rank: TypeAlias = tuple[datetime, datetime, str, str]


@dataclass(frozen=True, slots=True)
class Monoid(Generic[State]):
    """`lift` takes an event's value (None when it has none) and rank; `finish` may have no answer.

    A group whose `finish` is None has no row.
    """

    empty: State
    lift: Callable[[Value, Rank], State]
    merge: Callable[[State, State], State]
    finish: Callable[[State], Decimal | None]


def _decimal(value: Value) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def _either(
    choose: Callable[[Decimal, Decimal], Decimal],
) -> Callable[[Decimal | None, Decimal | None], Decimal | None]:
    def merge(a: Decimal | None, b: Decimal | None) -> Decimal | None:
        return b if a is None else a if b is None else choose(a, b)

    return merge


def _over(choose: Callable[[Decimal, Decimal], Decimal]) -> Monoid[Decimal | None]:
    return Monoid(None, lambda value, _: _decimal(value), _either(choose), lambda state: state)


_Mean: TypeAlias = tuple[Decimal, int]
_Latest: TypeAlias = tuple[Rank, Decimal] | None

COUNT: Monoid[int] = Monoid(0, lambda _value, _rank: 1, int.__add__, Decimal)
SUM = _over(EXACT.add)
MIN = _over(min)
MAX = _over(max)
AVG: Monoid[_Mean] = Monoid(
    (Decimal(0), 0),
    lambda value, _: (Decimal(0), 0) if _decimal(value) is None else (value, 1),  # type: ignore[return-value, arg-type]
    lambda a, b: (EXACT.add(a[0], b[0]), a[1] + b[1]),
    lambda state: mean(*state) if state[1] else None,
)
UNIQUE_COUNT: Monoid[frozenset[Value]] = Monoid(
    frozenset(),
    lambda value, _: frozenset() if value is None else frozenset({value}),
    frozenset.union,
    lambda state: Decimal(len(state)),
)
LATEST: Monoid[_Latest] = Monoid(
    None,
    lambda value, rank: None if _decimal(value) is None else (rank, value),  # type: ignore[return-value, arg-type]
    lambda a, b: b if a is None else a if b is None else max(a, b, key=lambda state: state[0]),
    lambda state: None if state is None else state[1],
)

# The states differ from one to the next, and only the monoid itself looks inside its state.
MONOIDS: Mapping[Aggregation, Monoid[Any]] = {
    Aggregation.SUM: SUM,
    Aggregation.COUNT: COUNT,
    Aggregation.AVG: AVG,
    Aggregation.MIN: MIN,
    Aggregation.MAX: MAX,
    Aggregation.UNIQUE_COUNT: UNIQUE_COUNT,
    Aggregation.LATEST: LATEST,
}
