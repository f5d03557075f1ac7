"""Burning: usage taken from grants, phase by phase. What is left is the balance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from monometer.core.balance import Balance, Segment, WindowUsage
from monometer.core.grant import Grant
from monometer.core.history import Standing, window_usages
from monometer.core.measuring import Answers, usages_of
from monometer.core.numbers import EXACT
from monometer.core.phases import Phase, Plan

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burndown:
    """`balance` stands at the plan's end: `until`, or the end of the last window if that is later.

    `segments` and `windows` are those that the plan tells.
    """

    balance: Balance
    segments: tuple[Segment, ...]
    windows: tuple[WindowUsage, ...]


def burn(plan: Plan, answers: Answers) -> Burndown:
    """What becomes of the grants. `answers` tells the usage of each of `plan.periods`; absent is 0.

    The order of usage inside a phase changes nothing: a phase knows only its sum, or its level.
    """
    measured = usages_of(plan.pieces, plan.aggregation, answers)
    with localcontext(EXACT):
        run = _Run(plan)
        for phase, usage in zip(plan.phases, _phase_usages(plan, measured), strict=True):
            run.enter(phase)
            run.spend(phase, usage)
        run.keep(plan.closing)
        return Burndown(
            balance=Balance(
                at=plan.phases[-1].end,
                grants=run.balances,
                owed=run.owed,
                usage=run.usage,
                burnt=run.burnt,
            ),
            segments=tuple(run.segments),
            windows=window_usages(plan, measured, run.standings),
        )


def _phase_usages(plan: Plan, measured: Sequence[Decimal]) -> Iterator[Decimal]:
    usages = [_ZERO] * len(plan.phases)
    for piece, usage in zip(plan.pieces, measured, strict=True):
        before = _ZERO if plan.is_level else usages[piece.phase]
        usages[piece.phase] = before + usage
    return iter(usages)


class _Run:
    """What changes from phase to phase. Arithmetic is exact while `burn` lasts."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.balances = dict(plan.opening.grants)
        self.active: tuple[Grant, ...] | None = None
        self.owed = plan.opening.owed
        self.usage = plan.opening.usage
        self.burnt = plan.opening.burnt
        self.segments: list[Segment] = []
        self.standings: list[Standing] = []

    def keep(self, active: tuple[Grant, ...]) -> None:
        """Grants that are active no longer lose what they had; new ones have nothing yet."""
        if active is self.active:
            return
        self.active = active
        self.balances = {grant.id: self.balances.get(grant.id, _ZERO) for grant in active}

    def enter(self, phase: Phase) -> None:
        """What happens at the start of a phase: grants end, a reset, grants begin or recur."""
        self.keep(phase.active)
        if phase.reset:
            for grant in phase.active:
                self.balances[grant.id] = grant.rolled_over(self.balances[grant.id])
            self._start_over(self.owed if phase.reset.preserve_overage else _ZERO)
        for grant in phase.active:
            if grant.id in phase.fills or self.plan.is_level:
                self.balances[grant.id] = grant.amount
        if self.plan.is_level:
            self._start_over(_ZERO)
        if phase.reset:
            before = dict(self.balances)
            taken = self._settle(phase.active)
            if self._tells(phase, reset=True):
                self._tell(phase, before, taken, _ZERO, reset=True)

    def _start_over(self, owed: Decimal) -> None:
        self.owed, self.usage, self.burnt = max(owed, _ZERO), _ZERO, _ZERO

    def spend(self, phase: Phase, usage: Decimal) -> None:
        """Charge a phase's usage, and what is owed from before."""
        if self.plan.windows:
            self.standings.append(Standing.of(self.balances, phase.active, self.owed))
        tells = self._tells(phase)
        before = dict(self.balances) if tells else {}
        self.usage += usage
        self.owed += usage
        taken = self._settle(phase.active)
        if tells:
            self._tell(phase, before, taken, usage)

    def _settle(self, active: Sequence[Grant]) -> dict[str, Decimal]:
        """Pay what is owed out of the grants, in order. Returns what each has paid.

        Owed below zero, after corrections, goes back in reverse order, up to each grant's amount.
        """
        taken: dict[str, Decimal] = {}
        for grant in active if self.owed > 0 else reversed(active):
            if self.owed == 0:
                break
            balance = self.balances[grant.id]
            room = max(grant.amount - balance, _ZERO)
            part = max(-room, min(balance, self.owed))
            if part:
                taken[grant.id] = part
                self.balances[grant.id] = balance - part
                self.owed -= part
                self.burnt += part
        return taken

    def _tells(self, phase: Phase, *, reset: bool = False) -> bool:
        since, until = self.plan.since, self.plan.until
        if since is None:
            return False
        return since < phase.start <= until if reset else since <= phase.start <= phase.end <= until

    def _tell(
        self,
        phase: Phase,
        before: dict[str, Decimal],
        taken: dict[str, Decimal],
        usage: Decimal,
        *,
        reset: bool = False,
    ) -> None:
        self.segments.append(
            Segment(
                start=phase.start,
                end=phase.start if reset else phase.end,
                is_reset=reset,
                usage=usage,
                overage=max(self.owed, _ZERO),
                grants_at_start={name: before.get(name, _ZERO) for name in self.plan.told},
                grants_at_end={name: self.balances.get(name, _ZERO) for name in self.plan.told},
                burnt=tuple(
                    (grant.id, taken.get(grant.id, _ZERO))
                    for grant in phase.active
                    if before[grant.id] or grant.id in taken
                ),
            )
        )
