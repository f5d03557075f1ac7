"""Consuming one after the other is what a whole run, made anew for each, would have decided."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.property.entitlements import LAST, Engine, at, cases
from tests.support.minute_oracle import Case, Standing, minutes

from monometer.core.aggregation import Aggregation
from monometer.core.consumption import Till, consumable, plan_to_consume

ASKED = st.lists(st.tuples(st.integers(0, LAST), st.integers(0, 80)), min_size=1, max_size=12)


def at_the_end_of(minute: int, case: Case) -> Standing:
    in_order = replace(case, used=tuple(sorted(case.used)))
    return list(minutes(in_order, minute))[-1][1]


@given(case=cases(kinds=("SUM",)), now=st.integers(360, LAST - 1), asked=ASKED)
def test_decisions_are_those_of_a_run_made_anew_for_each(
    case: Case, now: int, asked: list[tuple[int, int]]
) -> None:
    engine = Engine(case)
    times = consumable(engine.terms, at(now) + timedelta(seconds=30))
    planned = plan_to_consume(engine.terms, engine.grants, Aggregation.SUM, times)
    used = replace(case, used=tuple(one for one in case.used if at(one[0]) < times.end))
    till = Till(
        planned,
        {period: Engine(used).usage(period) for period in planned.periods},
        is_soft_limit=False,
    )
    overage = at_the_end_of(now, used).overage
    for minute, amount in asked:
        if not times.start <= at(minute) < times.end:
            continue
        tried = replace(used, used=(*used.used, (minute, amount)))
        after = at_the_end_of(now, tried)
        decision = till.decide(at(minute), Decimal(amount), keep=True)
        assert decision.allowed is (after.overage <= overage)
        if decision.allowed:
            used, overage = tried, after.overage
        stands = at_the_end_of(now, used)
        assert decision.standing is not None
        assert decision.standing.balance == sum(stands.balances.values())
        assert decision.standing.overage == stands.overage
