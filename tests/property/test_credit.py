"""Laws of the credit engine, over random grants, resets and usage."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, target
from hypothesis import strategies as st
from tests.property.entitlements import INSTANTS, LAST, ZERO, Engine, at, cases
from tests.support.minute_oracle import Case, Standing, walk

from monometer.core.balance import Balance
from monometer.core.history import windows_between
from monometer.core.windows import WindowSize

SUMS = cases(kinds=("SUM",))
LATER = INSTANTS.map(lambda minute: max(minute, 360))


def _minute(instant: datetime) -> int:
    return (instant - ZERO) // timedelta(minutes=1)


def _standing(balance: Balance) -> Standing:
    return Standing(
        {name: int(left) for name, left in balance.grants.items()},
        int(balance.overage),
        int(balance.usage),
        int(balance.burnt),
    )


@given(case=cases(), minutes=st.lists(LATER, min_size=4, max_size=16))
def test_every_balance_is_that_of_the_minute_by_minute_oracle(
    case: Case, minutes: list[int]
) -> None:
    standings = list(walk(case, LAST))
    for minute in minutes:
        expected = replace(standings[minute - case.measured_from], counted=0)
        assert _standing(Engine(case).balance(minute)) == expected, minute


@given(case=cases(), since=LATER, until=LATER)
def test_every_window_is_that_of_the_oracle(case: Case, since: int, until: int) -> None:
    since, until = sorted((since, until))
    measure_from = at(case.measured_from)
    windows = windows_between(
        at(since), at(until), WindowSize.HOUR, "UTC", measure_from=measure_from
    )
    told = Engine(case).history(since, until, windows).windows
    assert [one.period for one in told] == list(windows)
    standings = list(walk(case, LAST + 60))
    for one in told:
        start = _minute(one.period.start) - case.measured_from
        before, after = standings[start], standings[start + 60]
        counted_before = 0 if case.kind == "LATEST" else before.counted
        assert one.balance_at_start == sum(before.balances.values()), one
        assert one.usage == after.counted - counted_before, one


@given(case=cases(), middle=LATER, until=LATER)
def test_a_run_resumed_midway_is_one_run(case: Case, middle: int, until: int) -> None:
    middle, until = sorted((middle, until))
    engine = Engine(case)
    assert engine.balance(until, opening=engine.balance(middle)) == engine.balance(until)


@given(case=SUMS, until=LATER)
def test_order_of_usage_inside_a_phase_changes_nothing(case: Case, until: int) -> None:
    """All usage of a phase may as well have been at its very start."""
    engine = Engine(case)
    moved = []
    for phase in engine.plan(at(until)).phases:
        inside = [used for used in case.used if phase.start <= at(used[0]) < phase.end]
        moved += [(_minute(phase.start), value) for _, value in reversed(inside)]
    rearranged = Engine(replace(case, used=tuple(moved)))
    assert rearranged.balance(until) == engine.balance(until)


@given(case=cases(), until=LATER, data=st.data())
def test_order_of_grants_changes_nothing(case: Case, until: int, data: st.DataObject) -> None:
    shuffled = replace(case, lots=tuple(data.draw(st.permutations(case.lots))))
    assert Engine(shuffled).balance(until) == Engine(case).balance(until)


@given(case=cases(), minute=LATER)
def test_balance_and_overage_exclude_each_other(case: Case, minute: int) -> None:
    balance = Engine(case).balance(minute)
    assert all(left >= 0 for left in balance.grants.values())
    assert balance.overage == 0 or balance.total == 0
    assert balance.total_available == balance.burnt + balance.total


@given(case=SUMS, until=LATER)
def test_credit_is_conserved(case: Case, until: int) -> None:
    """Granted = left + used + expired + voided + forfeited, each for a reason of its own."""
    segments = Engine(case).history(case.measured_from, until).segments
    target(float(len(segments)))
    for lot in case.lots:
        granted = used = lost = left = 0
        filled = None
        for one in segments:
            start = _minute(one.start)
            found = int(one.grants_at_start.get(lot.name, Decimal(0)))
            if not lot.lives(start):  # expired, voided, or not there yet
                assert found == 0
                lost += left
            elif (lot.begins(start) or start == case.measured_from) and filled != start:
                assert found == lot.amount
                granted, lost, filled = granted + found, lost + left, start
            elif one.is_reset and filled != start:
                least, most = lot.rollover
                assert found == min(most, max(least, left))
                granted += max(found - left, 0)
                lost += max(left - found, 0)
            else:
                assert found == left
            paid = int(dict(one.burnt).get(lot.name, Decimal(0)))
            used += paid
            left = int(one.grants_at_end.get(lot.name, Decimal(0)))
            assert left == found - paid
        assert granted == left + used + lost


@given(case=SUMS, until=LATER)
def test_usage_is_paid_or_owed(case: Case, until: int) -> None:
    """Over segments: overage before + usage = paid + overage after, unless a reset drops it."""
    overage = Decimal(0)
    for one in Engine(case).history(case.measured_from, until).segments:
        paid = sum((part for _, part in one.burnt), Decimal(0))
        if one.is_reset and one.overage + paid == 0:
            overage = Decimal(0)
            continue
        assert overage + one.usage == paid + one.overage
        overage = one.overage


@given(case=cases(), since=LATER, until=LATER)
def test_segments_lie_end_to_end(case: Case, since: int, until: int) -> None:
    since, until = sorted((since, until))
    segments = Engine(case).history(since, until).segments
    ends = [at(since), *(one.end for one in segments)]
    assert [one.start for one in segments] == ends[:-1]
    assert ends[-1] == at(until)
