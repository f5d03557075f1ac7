"""Consuming: whether an amount may be taken from an entitlement's credit, and what is left then."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from monometer.core.aggregation import Aggregation
from monometer.core.balance import Balance
from monometer.core.burndown import burn
from monometer.core.entitlement import Metered
from monometer.core.errors import FieldError, InvalidInput
from monometer.core.grant import Grant
from monometer.core.measuring import Answers
from monometer.core.minutes import down_to_minute
from monometer.core.numbers import EXACT
from monometer.core.phases import Plan, plan
from monometer.core.windows import MINUTE, Period

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a decision tells of a balance: after what was allowed, or as a denied one found it."""

    balance: Decimal
    usage: Decimal
    overage: Decimal
    total_available: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether `amount` was taken.

    `exceeds_limit`: credit does not cover all of it, which a soft limit bears. `standing` is None
    while the entitlement is not active; then nothing is allowed. `duplicate`: it was made earlier,
    for the same event.
    """

    allowed: bool
    amount: Decimal
    exceeds_limit: bool
    has_access: bool
    standing: Standing | None = None
    duplicate: bool = False


def consumable(terms: Metered, now: datetime) -> Period:
    """The times that consumed events may have: the usage period of `now` up to the running minute.

    Raises InvalidInput before measurement begins.
    """
    if now < terms.measure_from:
        raise InvalidInput(f"usage is measured from {terms.measure_from.isoformat()} on")
    start = terms.usage_periods.period_at(now).start
    return Period(start, down_to_minute(now) + MINUTE)


def check_time(times: Period, time: datetime) -> None:
    """Raises InvalidInput for a time that is not one of `consumable`."""
    if time >= times.end:
        message = "must not be later than the running minute"
    elif time < times.start:
        message = f"must not be before the usage period, which starts at {times.start.isoformat()}"
    else:
        return
    raise InvalidInput(f"time {message}", [FieldError(field="/time", message=message)])


def plan_to_consume(
    terms: Metered, grants: Iterable[Grant], aggregation: Aggregation, times: Period
) -> Plan:
    """The phases up to the end of the running minute, without what happens at that very instant.

    A value is told as of that end, when the next usage period may have begun. What is consumed in
    the running minute is paid by the one that it lies in.
    """
    minute = times.end - MINUTE
    planned = plan(terms, grants, aggregation, until=times.end, since=minute)
    ends = planned.phases[-1].start == times.end
    phases = planned.phases[:-1] if ends else planned.phases
    return replace(
        planned,
        phases=phases,
        pieces=planned.pieces[: len(phases)],
        closing=phases[-1].active,
        since=None,
        told=(),
    )


class Till:
    """Decides one after the other, each on what those before it have left.

    `answers` is the usage of each of `plan.periods`, of SUM or COUNT: a phase is one of them. What
    happens in the last phase, as nearly everything does, costs that phase only.
    """

    def __init__(self, plan: Plan, answers: Answers, *, is_soft_limit: bool) -> None:
        self._plan = plan
        self._answers = dict(answers)
        self._is_soft_limit = is_soft_limit
        self._starts = [phase.start for phase in plan.phases]
        self._last = self._last_phase()
        self._balance = burn(self._last, self._answers).balance

    def decide(self, time: datetime, amount: Decimal, *, keep: bool) -> Decision:
        """Allowed is what does not make the overage grow, and with a soft limit everything.

        `keep`: if it is allowed, those after it find it taken.
        """
        index = bisect_right(self._starts, time) - 1
        is_last = index == len(self._starts) - 1
        phase = Period(self._plan.pieces[index].start, self._plan.pieces[index].end)
        before = self._answers.get(phase, _ZERO)
        self._answers[phase] = EXACT.add(before, amount)
        after = burn(self._last if is_last else self._plan, self._answers).balance
        exceeds = after.overage > self._balance.overage
        allowed = self._is_soft_limit or not exceeds
        told = after if allowed else self._balance
        if allowed and keep:
            self._balance = after
            self._last = self._last if is_last else self._last_phase()
        else:
            self._answers[phase] = before
        return Decision(
            allowed=allowed,
            amount=amount,
            exceeds_limit=exceeds,
            has_access=self._is_soft_limit or told.total > 0,
            standing=_standing(told),
        )

    def _last_phase(self) -> Plan:
        """The plan of the last phase alone, on the balance that those before it leave."""
        *before, last = self._plan.phases
        if not before:
            return self._plan
        head = replace(
            self._plan, phases=tuple(before), pieces=self._plan.pieces[:-1], closing=last.active
        )
        return replace(
            self._plan,
            opening=burn(head, self._answers).balance,
            phases=(last,),
            pieces=(self._plan.pieces[-1]._replace(phase=0),),
        )


def _standing(balance: Balance) -> Standing:
    return Standing(
        balance=balance.total,
        usage=balance.usage,
        overage=balance.overage,
        total_available=balance.total_available,
    )
