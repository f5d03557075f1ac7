from datetime import timedelta
from decimal import Decimal
from functools import reduce

import pytest
from tests.support.events import NOON

from monometer.core.aggregation import MONOIDS, Aggregation, Rank
from monometer.core.evaluation import Value


def rank(*, time: int = 0, stored_at: int = 0, id_: str = "", source: str = "") -> Rank:
    return NOON + timedelta(seconds=time), NOON + timedelta(seconds=stored_at), id_, source


def folded(aggregation: Aggregation, *events: tuple[Value, Rank]) -> Decimal | None:
    monoid = MONOIDS[aggregation]
    states = (monoid.lift(value, rank) for value, rank in events)
    answer: Decimal | None = monoid.finish(reduce(monoid.merge, states, monoid.empty))
    return answer


@pytest.mark.parametrize(
    ("aggregation", "answer"),
    [
        (Aggregation.SUM, "6.3"),
        (Aggregation.COUNT, "5"),  # events, not values
        (Aggregation.AVG, "2.1"),
        (Aggregation.MIN, "-1.7"),
        (Aggregation.MAX, "5"),
        (Aggregation.LATEST, "3"),
    ],
)
def test_numbers_are_folded_and_events_without_one_add_none(
    aggregation: Aggregation, answer: str
) -> None:
    values = [None, Decimal("-1.7"), Decimal(5), Decimal(3), None]
    events = [(value, rank(time=i)) for i, value in enumerate(values)]
    assert folded(aggregation, *events) == Decimal(answer)


@pytest.mark.parametrize(
    ("aggregation", "answer"),
    [
        *[(one, None) for one in Aggregation if "COUNT" not in one],
        (Aggregation.COUNT, 2),
        (Aggregation.UNIQUE_COUNT, 0),
    ],
)
def test_without_any_value_only_counting_has_an_answer(
    aggregation: Aggregation, answer: int | None
) -> None:
    assert folded(aggregation, (None, rank(time=1)), (None, rank(time=2))) == answer


def test_unique_count_tells_texts_apart() -> None:
    texts = ["1", "1.0", "", " ", "a", "A", "a", None]
    events = [(text, rank(time=i)) for i, text in enumerate(texts)]
    assert folded(Aggregation.UNIQUE_COUNT, *events) == 6


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        (rank(time=1), rank(time=0, stored_at=9, id_="z")),
        (rank(stored_at=1), rank(stored_at=0, id_="z")),
        (rank(id_="b"), rank(id_="a", source="z")),
        (rank(id_="b"), rank(id_="B")),  # by code point
        (rank(source="b"), rank(source="a")),
    ],
)
def test_latest_is_by_time_then_time_of_storing_then_id_then_source(
    later: Rank, earlier: Rank
) -> None:
    one, two = (Decimal(1), later), (Decimal(2), earlier)
    assert folded(Aggregation.LATEST, one, two) == 1
    assert folded(Aggregation.LATEST, two, one) == 1


def test_latest_is_the_latest_event_that_has_a_value() -> None:
    assert folded(Aggregation.LATEST, (Decimal(1), rank(time=1)), (None, rank(time=2))) == 1


def test_sums_are_exact() -> None:
    tenths = [(Decimal("0.1"), rank())] * 10
    assert folded(Aggregation.SUM, *tenths) == 1
    far_apart = [(Decimal("1e999"), rank()), (Decimal("1e-1000"), rank())]
    assert str(folded(Aggregation.SUM, *far_apart)) == "1" + "0" * 999 + "." + "0" * 999 + "1"
