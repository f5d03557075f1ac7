"""What a plan asks for, how little of the past it needs, and what it refuses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monometer.core import history
from monometer.core import windows as windows_of_time
from monometer.core.aggregation import Aggregation
from monometer.core.balance import Balance
from monometer.core.burndown import burn
from monometer.core.entitlement import Metered
from monometer.core.errors import InvalidInput
from monometer.core.grant import Grant
from monometer.core.history import WINDOWS_MAX, windows_between
from monometer.core.origin import BURNS_MAX, PHASES_MAX
from monometer.core.phases import TOLD_BALANCES_MAX, plan
from monometer.core.recurrence import Recurrence, parse_interval
from monometer.core.windows import Period, WindowSize


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


START = utc("2024-01-01T00:00")
MONTHLY = Metered(usage_period=Recurrence(parse_interval("MONTH"), START), measure_from=START)
HOURLY = replace(MONTHLY, usage_period=Recurrence(parse_interval("PT1H"), START))
YEARLY = replace(MONTHLY, usage_period=Recurrence(parse_interval("YEAR"), START))


def grant(name: str = "g", at: datetime = START, most: int = 0, recurs: str = "") -> Grant:
    return Grant(
        id=name, entitlement_id="e", amount=Decimal(100), priority=0, effective_at=at,
        recurrence=Recurrence(parse_interval(recurs), at) if recurs else None,
        max_rollover=Decimal(most), created_at=START, updated_at=START,
    )  # fmt: skip


def periods(*bounds: str) -> tuple[Period, ...]:
    return tuple(
        Period(utc(start), utc(end)) for start, end in (bound.split("..") for bound in bounds)
    )


CUT_IN_TWO = [grant(), grant("later", utc("2024-01-10T00:00"))]


@pytest.mark.parametrize("aggregation", [Aggregation.SUM, Aggregation.COUNT])
def test_amounts_are_asked_for_phase_by_phase(aggregation: Aggregation) -> None:
    planned = plan(MONTHLY, CUT_IN_TWO, aggregation, until=utc("2024-01-20T00:00"))
    assert planned.periods == periods(
        "2024-01-01T00:00..2024-01-10T00:00", "2024-01-10T00:00..2024-01-20T00:00"
    )


@pytest.mark.parametrize("aggregation", [Aggregation.UNIQUE_COUNT, Aggregation.LATEST])
def test_values_and_levels_are_asked_for_from_the_start_of_the_usage_period(
    aggregation: Aggregation,
) -> None:
    planned = plan(MONTHLY, CUT_IN_TWO, aggregation, until=utc("2024-01-20T00:00"))
    assert planned.periods == periods(
        "2024-01-01T00:00..2024-01-10T00:00", "2024-01-01T00:00..2024-01-20T00:00"
    )


def test_values_of_a_run_that_goes_on_are_told_apart_from_those_before() -> None:
    opening = Balance(at=utc("2024-01-15T00:00"))
    planned = plan(
        MONTHLY, [], Aggregation.UNIQUE_COUNT, until=utc("2024-01-20T00:00"), opening=opening
    )
    assert planned.periods == periods(
        "2024-01-01T00:00..2024-01-15T00:00", "2024-01-01T00:00..2024-01-20T00:00"
    )


def test_period_without_usage_may_be_absent_from_the_answers() -> None:
    planned = plan(MONTHLY, CUT_IN_TWO, Aggregation.SUM, until=utc("2024-01-20T00:00"))
    assert burn(planned, {}).balance.total == 200


def test_nothing_before_a_reset_that_forgets_is_asked_for() -> None:
    planned = plan(MONTHLY, [grant()], Aggregation.SUM, until=utc("2029-06-20T00:00"))
    assert planned.periods == periods("2029-06-01T00:00..2029-06-20T00:00")


@pytest.mark.parametrize(
    ("terms", "most"), [(replace(MONTHLY, preserve_overage_at_reset=True), 0), (MONTHLY, 50)]
)
def test_what_a_reset_remembers_is_asked_for(terms: Metered, most: int) -> None:
    until = utc("2024-03-20T00:00")
    planned = plan(terms, [grant(most=most)], Aggregation.SUM, until=until)
    assert len(planned.periods) == 3


def test_a_balance_saves_what_was_before_it() -> None:
    until = utc("2024-03-20T00:00")
    opening = Balance(at=utc("2024-03-10T00:00"), grants={"g": Decimal(7)})
    planned = plan(MONTHLY, [grant(most=50)], Aggregation.SUM, until=until, opening=opening)
    assert planned.periods == periods("2024-03-10T00:00..2024-03-20T00:00")
    assert burn(planned, {}).balance.total == 7


def test_a_balance_from_after_the_question_is_of_no_use() -> None:
    opening = Balance(at=utc("2024-03-25T00:00"))
    until = utc("2024-03-20T00:00")
    planned = plan(MONTHLY, [], Aggregation.SUM, until=until, opening=opening)
    assert planned.opening.at < until


def test_centuries_of_hourly_periods_that_forget_cost_nothing() -> None:
    planned = plan(HOURLY, [grant()], Aggregation.SUM, until=utc("9998-01-01T00:30"))
    assert len(planned.phases) == 1


@pytest.mark.parametrize(
    ("terms", "grants"),
    [
        (HOURLY, [grant(most=50)]),
        (replace(YEARLY, preserve_overage_at_reset=True), [grant(recurs="PT1H")]),
    ],
)
def test_too_many_phases_are_refused(terms: Metered, grants: list[Grant]) -> None:
    with pytest.raises(InvalidInput, match=str(PHASES_MAX)):
        plan(terms, grants, Aggregation.SUM, until=utc("2033-01-01T00:00"))


def test_too_many_grants_in_phases_are_refused() -> None:
    grants = [grant(f"g{number}", most=50, recurs="P9DT1H") for number in range(500)]
    with pytest.raises(InvalidInput, match=str(BURNS_MAX)):
        plan(YEARLY, grants, Aggregation.SUM, until=utc("9998-01-01T00:00"))
    daily = [grant(most=50, recurs="DAY"), *(grant(f"g{n}", most=50) for n in range(500))]
    with pytest.raises(InvalidInput, match=str(BURNS_MAX)):
        plan(MONTHLY, daily, Aggregation.SUM, until=utc("2036-01-01T00:00"))


def test_largest_plan_is_burnt() -> None:
    until = START + timedelta(hours=PHASES_MAX - 2)
    planned = plan(HOURLY, [grant(most=50)], Aggregation.SUM, until=until)
    assert PHASES_MAX - 2 <= len(planned.phases) <= PHASES_MAX
    assert burn(planned, {period: Decimal("0.001") for period in planned.periods})


def test_history_of_too_many_balances_is_refused() -> None:
    grants = [grant("g", recurs="PT1H"), *(grant(f"h{number}") for number in range(900))]
    until = START + timedelta(hours=1_200)
    plan(YEARLY, grants, Aggregation.SUM, since=until - timedelta(hours=1_000), until=until)
    with pytest.raises(InvalidInput, match=str(TOLD_BALANCES_MAX)):
        plan(YEARLY, grants, Aggregation.SUM, since=START, until=until)


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        (START - timedelta(minutes=1), START, "from"),
        (START + timedelta(days=1), START, "to"),
    ],
)
def test_range_before_measurement_or_reversed_is_refused(
    since: datetime, until: datetime, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan(MONTHLY, [], Aggregation.SUM, since=since, until=until)
    assert [problem.field for problem in refused.value.fields] == [field]


def test_windows_follow_the_calendar_of_their_zone() -> None:
    windows = windows_between(
        utc("2024-03-10T12:00"), utc("2024-03-11T12:00"), WindowSize.DAY, "America/New_York",
        measure_from=START,
    )  # fmt: skip
    assert windows == periods(  # the clocks go forward
        "2024-03-10T05:00..2024-03-11T04:00", "2024-03-11T04:00..2024-03-12T04:00"
    )


def test_windows_that_start_before_measurement_are_left_out() -> None:
    measure_from = utc("2024-03-10T12:30")
    windows = windows_between(
        measure_from, utc("2024-03-10T13:10"), WindowSize.HOUR, "UTC", measure_from=measure_from
    )
    assert windows == periods("2024-03-10T13:00..2024-03-10T14:00")


def test_time_before_measurement_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[datetime] = []

    def next_start(start: datetime, size: WindowSize, in_zone: ZoneInfo) -> datetime:
        looked_at.append(start)
        return windows_of_time.next_start(start, size, in_zone)

    monkeypatch.setattr(history, "next_start", next_start)
    before, end = START - timedelta(days=1), START + timedelta(minutes=2)
    windows = windows_between(before, end, WindowSize.MINUTE, "UTC", measure_from=START)
    assert [window.start for window in windows] == looked_at == [START, end - timedelta(minutes=1)]


def test_windows_are_bounded() -> None:
    last = START + timedelta(minutes=WINDOWS_MAX)
    assert len(windows_between(START, last, WindowSize.MINUTE, "UTC", measure_from=START)) == 10_000
    with pytest.raises(InvalidInput, match=str(WINDOWS_MAX)):
        windows_between(
            START, last + timedelta(minutes=1), WindowSize.MINUTE, "UTC", measure_from=START
        )
    with pytest.raises(InvalidInput, match="unknown time zone"):
        windows_between(START, last, WindowSize.DAY, "Mars/Olympus", measure_from=START)


@pytest.mark.parametrize("until", ["0001-01-01T00:00", "9999-12-31T23:59:59.999999"])
@pytest.mark.parametrize("aggregation", [Aggregation.SUM, Aggregation.LATEST])
def test_any_instant_can_be_asked_for(until: str, aggregation: Aggregation) -> None:
    planned = plan(MONTHLY, [grant()], aggregation, until=utc(until))
    assert burn(planned, {}).balance.total in {0, 100}


def test_numbers_beyond_any_context_stay_exact() -> None:
    tiny = Decimal("1e-900")
    planned = plan(MONTHLY, [grant()], Aggregation.SUM, until=utc("2024-01-02T00:00"))
    balance = burn(planned, {planned.periods[0]: tiny}).balance
    assert balance.total == Decimal("99." + "9" * 900)
    assert balance.total_available == 100
