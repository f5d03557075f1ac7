"""Random entitlements of a day, as cases of the oracle and as values of the engine."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from tests.support.minute_oracle import Case, HandReset, Lot

from monometer.core.aggregation import Aggregation
from monometer.core.balance import Balance
from monometer.core.burndown import Burndown, burn
from monometer.core.entitlement import Metered
from monometer.core.grant import Expiration, ExpirationUnit, Grant
from monometer.core.phases import Plan, plan
from monometer.core.recurrence import Interval, Recurrence
from monometer.core.usage_periods import Reset
from monometer.core.windows import Period

ZERO = datetime(2024, 2, 28, tzinfo=UTC)  # a leap day follows
LAST = 24 * 60
MINUTES = st.integers(0, LAST)
# Round instants coincide, and that is where rules meet.
INSTANTS = st.one_of(MINUTES, st.integers(0, LAST // 120).map(lambda n: n * 120))
STEPS = st.one_of(st.sampled_from([60, 120, 240, 480, 720, 10_000]), st.integers(60, 1_000))


@st.composite
def lots(draw: st.DrawFn) -> tuple[Lot, ...]:
    return tuple(
        Lot(
            name=f"g{number}",
            amount=draw(st.integers(1, 60)),
            priority=draw(st.integers(0, 2)),
            start=draw(INSTANTS),
            lasts_hours=draw(st.none() | st.sampled_from([1, 2, 4, 8, 12])),
            recurs=draw(st.none() | st.tuples(STEPS, INSTANTS)),
            rollover=draw(
                st.sampled_from([(0, 0), (0, 1000), (20, 20), (0, 20), (5, 30), (30, 5)])
            ),
            void=draw(st.none() | INSTANTS),
            created=draw(st.integers(0, 1)),
        )
        for number in range(draw(st.integers(0, 4)))
    )


@st.composite
def cases(draw: st.DrawFn, kinds: tuple[str, ...] = ("SUM", "UNIQUE_COUNT", "LATEST")) -> Case:
    kind = draw(st.sampled_from(kinds))
    measured_from = draw(st.integers(0, 3).map(lambda n: n * 120))
    values = st.integers(0, 4) if kind == "UNIQUE_COUNT" else st.integers(0, 80)
    resets = st.builds(HandReset, INSTANTS, st.booleans(), st.booleans())
    by_minute = {reset.at: reset for reset in draw(st.lists(resets, max_size=3))}
    return Case(
        kind=kind,
        measured_from=measured_from,
        every=draw(STEPS),
        anchor=draw(INSTANTS),
        preserve=draw(st.booleans()),
        resets=tuple(one for at, one in sorted(by_minute.items()) if at > measured_from),
        lots=draw(lots()),
        used=tuple(sorted(draw(st.lists(st.tuples(INSTANTS, values), max_size=12)))),
    )


def at(minute: int) -> datetime:
    return ZERO + timedelta(minutes=minute)


def every(minutes: int, anchor: int) -> Recurrence:
    return Recurrence(Interval(0, minutes, f"PT{minutes}M"), at(anchor))


def grant_of(lot: Lot) -> Grant:
    hours = lot.lasts_hours
    return Grant(
        id=lot.name,
        entitlement_id="e",
        amount=Decimal(lot.amount),
        priority=lot.priority,
        effective_at=at(lot.start),
        expiration=None if hours is None else Expiration(ExpirationUnit.HOUR, hours),
        recurrence=None if lot.recurs is None else every(*lot.recurs),
        min_rollover=Decimal(lot.rollover[0]),
        max_rollover=Decimal(lot.rollover[1]),
        voided_at=None if lot.void is None else at(lot.void),
        created_at=at(lot.created),
        updated_at=at(lot.created),
    )


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine's side of a case."""

    case: Case

    @property
    def terms(self) -> Metered:
        case = self.case
        return Metered(
            usage_period=every(case.every, case.anchor),
            measure_from=at(case.measured_from),
            preserve_overage_at_reset=case.preserve,
            resets=tuple(
                Reset(at=at(one.at), retain_anchor=one.keep_anchor, preserve_overage=one.preserve)
                for one in case.resets
            ),
        )

    @property
    def grants(self) -> list[Grant]:
        return [grant_of(lot) for lot in self.case.lots]

    def plan(
        self,
        until: datetime,
        since: datetime | None = None,
        windows: tuple[Period, ...] = (),
        opening: Balance | None = None,
    ) -> Plan:
        aggregation = Aggregation(self.case.kind)
        return plan(
            self.terms, self.grants, aggregation,
            until=until, since=since, windows=windows, opening=opening,
        )  # fmt: skip

    def burn(self, planned: Plan) -> Burndown:
        return burn(planned, {period: self.usage(period) for period in planned.periods})

    def balance(self, minute: int, opening: Balance | None = None) -> Balance:
        return self.burn(self.plan(at(minute), opening=opening)).balance

    def history(self, since: int, until: int, windows: tuple[Period, ...] = ()) -> Burndown:
        return self.burn(self.plan(at(until), since=at(since), windows=windows))

    def usage(self, period: Period) -> Decimal:
        values = [v for minute, v in self.case.used if period.start <= at(minute) < period.end]
        match self.case.kind:
            case "UNIQUE_COUNT":
                return Decimal(len(set(values)))
            case "LATEST":
                return Decimal(values[-1] if values else 0)
            case _:
                return Decimal(sum(values))
