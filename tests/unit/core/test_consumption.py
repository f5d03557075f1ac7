"""What is allowed, one decision after the other: a table of cases, each with a limit and a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monometer.core.aggregation import Aggregation
from monometer.core.consumption import Till, check_time, consumable, plan_to_consume
from monometer.core.entitlement import Metered
from monometer.core.errors import InvalidInput
from monometer.core.grant import Expiration, ExpirationUnit, Grant
from monometer.core.numbers import plain
from monometer.core.recurrence import Recurrence, parse_interval

DAY = datetime(2024, 1, 10, tzinfo=UTC)


def at(text: str) -> datetime:
    """A time of the day, as 09:30 or 09:30:15."""
    return datetime.fromisoformat(f"2024-01-10T{text}+00:00")


def grant(name: str, amount: int, start: str = "00:00", hours: int | None = None) -> Grant:
    return Grant(
        id=name,
        entitlement_id="e",
        amount=Decimal(amount),
        priority=0,
        effective_at=at(start),
        expiration=None if hours is None else Expiration(ExpirationUnit.HOUR, hours),
        min_rollover=Decimal(amount),
        max_rollover=Decimal(amount),
        created_at=DAY,
        updated_at=DAY,
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """Usage periods of twelve hours. `used` and `asked` are (time, amount); amounts are decimal."""

    now: str = "09:30:20"
    grants: Sequence[Grant] = (grant("A", 10),)
    soft: bool = False
    preserve: bool = False
    used: Sequence[tuple[str, str]] = ()
    asked: Sequence[tuple[str, str]]
    told: str
    """For each asked: + or -, the balance and the overage told with it."""


CASES = {
    "down to the last unit": Case(
        asked=[("09:30", "4"), ("09:30", "6"), ("09:30", "1")], told="+6/0 +0/0 -0/0"
    ),
    "a smaller one still fits": Case(
        asked=[("09:30", "11"), ("09:30", "10")], told="-10/0 +0/0"
    ),
    "exactly": Case(
        asked=[("09:30", "9.9"), ("09:30", "0.10000000001"), ("09:30", "0.1")],
        told="+0.1/0 -0.1/0 +0/0",
    ),
    "nothing without grants": Case(
        grants=(), asked=[("09:30", "1"), ("09:30", "0")], told="-0/0 +0/0"
    ),
    "overage that is there stays, and nothing makes it grow": Case(
        used=[("08:00", "15")], asked=[("09:30", "0"), ("09:30", "0.1")], told="+0/5 -0/5"
    ),
    "a soft limit takes all": Case(
        soft=True, asked=[("09:30", "8"), ("09:30", "8")], told="+2/0 +0/6"
    ),
    "corrections make room": Case(
        used=[("08:00", "10"), ("09:00", "-3")], asked=[("09:30", "4"), ("09:30", "3")],
        told="-3/0 +0/0",
    ),
    "usage of the running minute counts, later in it too": Case(
        used=[("09:30:59", "8")], asked=[("09:30:10", "3"), ("09:30:59.999999", "2")],
        told="-2/0 +0/0",
    ),
    "late usage is paid by what was there then": Case(
        grants=(grant("A", 10, hours=2), grant("B", 5, start="09:00")),
        asked=[("01:00", "10"), ("09:30", "5"), ("01:00", "1")], told="+5/0 +0/0 -0/0",
    ),
    "late usage beyond it is a debt that later credit pays": Case(
        grants=(grant("A", 10, hours=2), grant("B", 5, start="09:00")),
        asked=[("01:00", "12"), ("09:30", "4"), ("09:30", "3")], told="+3/0 -3/0 +0/0",
    ),
    "late usage between two credits": Case(
        grants=(grant("A", 10, hours=2), grant("B", 5, start="09:00")),
        asked=[("05:00", "6"), ("05:00", "5"), ("09:30", "1")], told="-5/0 +0/0 -0/0",
    ),
    "the last minute of a usage period is paid by it, not by the next": Case(
        now="11:59:30", used=[("08:00", "9")], asked=[("11:59:30", "2"), ("11:59:30", "1")],
        told="-1/0 +0/0",
    ),
    "a grant of the next minute pays nothing yet": Case(
        grants=(grant("A", 1), grant("B", 5, start="09:31")),
        asked=[("09:30", "2"), ("09:30", "1")], told="-1/0 +0/0",
    ),
    "a grant that ends with the running minute pays in it": Case(
        now="01:59:30", grants=(grant("A", 10, hours=2),),
        asked=[("01:59", "10"), ("01:59", "1")], told="+0/0 -0/0",
    ),
    "the first minute of a usage period has its credit": Case(
        now="12:00:00", used=[("08:00", "10")], asked=[("12:00", "10"), ("12:00:59", "1")],
        told="+0/0 -0/0",
    ),
    "preserved overage is paid first": Case(
        now="13:00:00", preserve=True, used=[("08:00", "14")],
        asked=[("13:00", "7"), ("13:00", "6")], told="-6/0 +0/0",
    ),
}  # fmt: skip


def till(case: Case) -> Till:
    terms = Metered(
        usage_period=Recurrence(parse_interval("PT12H"), DAY),
        measure_from=DAY,
        is_soft_limit=case.soft,
        preserve_overage_at_reset=case.preserve,
    )
    times = consumable(terms, at(case.now))
    planned = plan_to_consume(terms, case.grants, Aggregation.SUM, times)
    used = [(at(time), Decimal(amount)) for time, amount in case.used]
    answers = {
        period: sum((n for time, n in used if period.start <= time < period.end), Decimal(0))
        for period in planned.periods
    }
    for time, _ in case.asked:
        check_time(times, at(time))
    return Till(planned, answers, is_soft_limit=case.soft)


def told(case: Case, one: Till, *, keep: bool = True) -> list[str]:
    decisions = [one.decide(at(time), Decimal(n), keep=keep) for time, n in case.asked]
    return [
        f"{'+' if d.allowed else '-'}{plain(d.standing.balance)}/{plain(d.standing.overage)}"
        for d in decisions
        if d.standing is not None
    ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_decisions_are_those_of_the_table(case: Case) -> None:
    assert told(case, till(case)) == case.told.split()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_not_kept_changes_nothing_for_those_after_it(case: Case) -> None:
    one = till(case)
    told(case, one, keep=False)
    assert told(case, one) == case.told.split()


TERMS = Metered(usage_period=Recurrence(parse_interval("PT12H"), DAY), measure_from=DAY)


@pytest.mark.parametrize(
    ("now", "first", "end"),
    [("09:30:20", "00:00", "09:31"), ("09:30", "00:00", "09:31"), ("12:00", "12:00", "12:01")],
)
def test_times_are_of_the_usage_period_up_to_the_running_minute(
    now: str, first: str, end: str
) -> None:
    times = consumable(TERMS, at(now))
    check_time(times, at(first))
    check_time(times, at(end) - timedelta(microseconds=1))
    with pytest.raises(InvalidInput, match="later than the running minute"):
        check_time(times, at(end))
    with pytest.raises(InvalidInput, match="before the usage period"):
        check_time(times, at(first) - timedelta(microseconds=1))


def test_nothing_is_consumed_before_measurement() -> None:
    with pytest.raises(InvalidInput, match="usage is measured from"):
        consumable(TERMS, DAY - timedelta(seconds=1))
