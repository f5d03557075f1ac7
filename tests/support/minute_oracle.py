"""What entitlements come to, worked out minute by minute from plain numbers.

It shares no code and no idea with the engine: no phases, no plan, no shortcuts. Instants are whole
minutes since an arbitrary zero.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Lot:
    """A grant."""

    name: str
    amount: int
    priority: int
    start: int
    lasts_hours: int | None
    recurs: tuple[int, int] | None  # every so many minutes, counted from
    rollover: tuple[int, int]
    void: int | None
    created: int

    @property
    def expiry(self) -> int | None:
        return None if self.lasts_hours is None else self.start + 60 * self.lasts_hours

    def lives(self, minute: int) -> bool:
        ends = [end for end in (self.expiry, self.void) if end is not None]
        return self.start <= minute and all(minute < end for end in ends)

    def begins(self, minute: int) -> bool:
        if minute == self.start:
            return True
        return self.recurs is not None and (minute - self.recurs[1]) % self.recurs[0] == 0


@dataclass(frozen=True, slots=True)
class HandReset:
    at: int
    keep_anchor: bool
    preserve: bool


@dataclass(frozen=True, slots=True)
class Case:
    """An entitlement with all that happens to it. `used` has (minute, value) in order of time."""

    kind: str  # SUM, UNIQUE_COUNT or LATEST
    measured_from: int
    every: int
    anchor: int
    preserve: bool
    resets: tuple[HandReset, ...]
    lots: tuple[Lot, ...]
    used: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Standing:
    """`counted` is all that was used since measurement began; of a level, what it was at last."""

    balances: dict[str, int] = field(default_factory=dict)
    overage: int = 0
    usage: int = 0
    burnt: int = 0
    counted: int = 0


def walk(case: Case, until: int) -> Iterator[Standing]:
    """What stands at each minute from the start of measurement to `until`."""
    return (at for at, _ in minutes(case, until))


def minutes(case: Case, until: int) -> Iterator[tuple[Standing, Standing]]:
    """The same, and what stands at the end of each minute, when its usage is paid."""
    now = Standing()
    anchor = case.anchor
    seen: set[int] = set()
    for minute in range(case.measured_from, until + 1):
        alive = [lot for lot in sorted(case.lots, key=_turn) if lot.lives(minute)]
        now.balances = {lot.name: now.balances.get(lot.name, 0) for lot in alive}
        by_hand = [reset for reset in case.resets if reset.at == minute]
        if minute > case.measured_from and (by_hand or (minute - anchor) % case.every == 0):
            anchor = minute if by_hand and not by_hand[0].keep_anchor else anchor
            _reset(now, alive, preserve=by_hand[0].preserve if by_hand else case.preserve)
            seen.clear()
        for lot in alive:
            if lot.begins(minute) or minute == case.measured_from:
                now.balances[lot.name] = lot.amount
        _pay(now, alive, case)
        before = replace(now, balances=dict(now.balances))
        for _, value in (one for one in case.used if one[0] == minute):
            _use(now, case, value, seen)
        now.counted = now.usage if case.kind == "LATEST" else now.counted
        _pay(now, alive, case)
        yield before, replace(now, balances=dict(now.balances))


def _turn(lot: Lot) -> tuple[int, bool, int, int, str]:
    return lot.priority, lot.expiry is None, lot.expiry or 0, lot.created, lot.name


def _reset(now: Standing, alive: list[Lot], *, preserve: bool) -> None:
    for lot in alive:
        least, most = lot.rollover
        now.balances[lot.name] = min(most, max(least, now.balances[lot.name]))
    now.overage = now.overage if preserve else 0
    now.usage = now.burnt = 0


def _use(now: Standing, case: Case, value: int, seen: set[int]) -> None:
    if case.kind == "LATEST":
        now.usage = value
        return
    amount = value if case.kind == "SUM" else int(value not in seen)
    seen.add(value)
    now.usage += amount
    now.overage += amount
    now.counted += amount


def _pay(now: Standing, alive: list[Lot], case: Case) -> None:
    if case.kind == "LATEST":  # the level takes its place anew
        now.balances = {lot.name: lot.amount for lot in alive}
        now.overage, now.burnt = now.usage, 0
    for lot in alive:
        paid = min(now.balances[lot.name], now.overage)
        now.balances[lot.name] -= paid
        now.overage -= paid
        now.burnt += paid
