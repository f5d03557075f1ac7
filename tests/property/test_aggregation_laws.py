"""The aggregations are commutative monoids: partial results add up in any order and grouping."""

from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.hostile import NUMBERS, texts
from tests.support.events import NOON

from monometer.core.aggregation import MONOIDS, Aggregation, Monoid, Rank
from monometer.core.evaluation import Value

EACH = pytest.mark.parametrize("aggregation", Aggregation)

_numbers = st.sampled_from([Decimal(number) for number in NUMBERS]) | st.decimals(
    -1000, 1000, places=3
)
_seconds = st.integers(0, 2).map(lambda seconds: NOON + timedelta(seconds=seconds))
_ids = st.sampled_from(["a", "b", "c", "d"])
# An event has its rank for itself: id and source are unique together.
_ranks: st.SearchStrategy[Rank] = st.tuples(_seconds, _seconds, _ids, _ids)


def _values(aggregation: Aggregation) -> st.SearchStrategy[Value]:
    of_aggregation = texts if aggregation is Aggregation.UNIQUE_COUNT else _numbers
    return st.none() | of_aggregation


def _states(aggregation: Aggregation, examples: st.DataObject, at_least: int = 0) -> list[Any]:
    monoid = MONOIDS[aggregation]
    events = st.tuples(_values(aggregation), _ranks)
    unique = st.lists(events, min_size=at_least, max_size=8, unique_by=lambda one: one[1][2:])
    return [monoid.lift(value, rank) for value, rank in examples.draw(unique)]


def _fold(monoid: Monoid[Any], states: list[Any]) -> Any:
    return reduce(monoid.merge, states, monoid.empty)


@EACH
@given(examples=st.data())
def test_merging_does_not_depend_on_grouping(
    aggregation: Aggregation, examples: st.DataObject
) -> None:
    merge = MONOIDS[aggregation].merge
    a, b, c, *_ = _states(aggregation, examples, at_least=3)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@EACH
@given(examples=st.data())
def test_merging_does_not_depend_on_order(
    aggregation: Aggregation, examples: st.DataObject
) -> None:
    merge = MONOIDS[aggregation].merge
    a, b, *_ = _states(aggregation, examples, at_least=2)
    assert merge(a, b) == merge(b, a)


@EACH
@given(examples=st.data())
def test_the_empty_state_changes_nothing(aggregation: Aggregation, examples: st.DataObject) -> None:
    monoid = MONOIDS[aggregation]
    (state, *_) = _states(aggregation, examples, at_least=1)
    assert monoid.merge(monoid.empty, state) == state == monoid.merge(state, monoid.empty)


@EACH
@given(examples=st.data())
def test_parts_fold_to_what_the_whole_folds_to(
    aggregation: Aggregation, examples: st.DataObject
) -> None:
    monoid = MONOIDS[aggregation]
    states = _states(aggregation, examples)
    cuts = sorted(examples.draw(st.lists(st.integers(0, len(states)), max_size=4)))
    parts = [states[a:b] for a, b in zip([0, *cuts], [*cuts, len(states)], strict=True)]
    shuffled = examples.draw(st.permutations(parts))
    in_parts = _fold(monoid, [_fold(monoid, part) for part in shuffled])
    assert monoid.finish(in_parts) == monoid.finish(_fold(monoid, states))
