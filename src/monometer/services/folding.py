"""Keeps projections up: one task that folds what was stored, for every live meter.

Several servers may run it at once. It decides nothing about answers: without it, or after a crash
in the middle of a fold, queries read more rows and answer the same.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.errors import DomainError
from monometer.core.feature import Feature
from monometer.core.meter import Meter
from monometer.store import cohorts, features, meters, projections
from monometer.store.arrangement import arrange
from monometer.store.cohorts import Cohort, Pulse
from monometer.store.engine import reading, transaction
from monometer.store.fold import fold
from monometer.store.restored import renumber

log = structlog.get_logger()

PAUSE_S = 0.25
FAILED_PAUSE_S = 2.0
REPORT_EVERY = timedelta(seconds=1)
ARRANGE_EVERY = timedelta(minutes=1)
REST = timedelta(seconds=0.2)  # of the leader, whichever server folded it
UNWANTED_FOR = timedelta(hours=1)  # an older server beside us may still want what we do not

EVENTS_MIN, EVENTS_MAX = 1_000, 100_000  # in one transaction
SHORT_S, LONG_S = 0.2, 0.6  # transactions of a fold ought to last so long


@dataclass(frozen=True, slots=True)
class FoldReport:
    """Cells kept, events not folded yet, and for how long the oldest has waited."""

    cells: int
    tail_events: int
    lag_s: float


class Folder:
    """Start it, and stop it: stopping waits for the fold in flight. `told` hears of the tail."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        now: Callable[[], datetime],
        told: Callable[[FoldReport], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._now = now
        self._told = told
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._wanted: dict[projections.Key, projections.Wanted] = {}
        self._of_each: dict[str, tuple[object, list[projections.Wanted]]] = {}
        self._seen: tuple[str, str] | None = None
        self._arranged_at = self._reported_at = datetime.min.replace(tzinfo=UTC)
        self._events_max = EVENTS_MAX
        self._tail = self._backlog = True

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="folder")

    async def stop(self) -> None:
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = 0.0 if await self.round() else PAUSE_S
            except DomainError as error:
                log.info("fold.failed", reason=error.message)
                pause = FAILED_PAUSE_S
            except Exception:
                log.exception("fold.failed")
                pause = FAILED_PAUSE_S
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    async def round(self) -> bool:
        """Do what there is to do, in bounded steps. Returns whether there is more to do at once."""
        pulse = await self._pulse()
        if self._is_out_of_date(pulse):
            await self._arrange()
            pulse = await self._pulse()
        if not pulse.cohorts:  # somebody has dropped them all this very moment
            return True
        more = await self._clear_up(pulse)
        leader, *late = pulse.cohorts
        behind = pulse.newest is not None and pulse.newest >= leader.watermark
        if behind and (self._backlog or leader.rested >= REST):
            self._backlog = await self._fold(leader, None)
            more |= self._backlog
        if late:  # the last one joins the one before it
            more |= await self._fold(late[-1], pulse.cohorts[-2])
        self._tail |= behind or bool(late)
        await self._report()
        return more

    async def _pulse(self) -> Pulse:
        async with reading(self._engine) as connection:
            return await cohorts.pulse(connection)

    def _is_out_of_date(self, pulse: Pulse) -> bool:
        foreign = not all(one.ours for one in pulse.cohorts)
        changed = (pulse.meters, pulse.projections) != self._seen
        late = self._now() - self._arranged_at >= ARRANGE_EVERY
        return changed or foreign or late or not pulse.cohorts

    async def _arrange(self) -> None:
        """Make what is wanted and does not exist, drop what nobody has wanted for a while."""
        now = self._now()
        async with transaction(self._engine) as connection:
            before = await cohorts.pulse(connection)
            self._want(await meters.all_live(connection), await features.all_used(connection))
            await arrange(connection, self._wanted)
            await projections.drop_unwanted(connection, now - UNWANTED_FOR)
            after = await cohorts.pulse(connection)
        self._seen = (before.meters, after.projections)
        self._arranged_at, self._tail = now, True

    def _want(self, live: Iterable[Meter], used: Iterable[Feature]) -> None:
        """What a meter wants takes long to find out, and changes with the meter alone.

        A feature asks for subjects only, and with filters for cells of its own.
        """
        known, self._of_each = self._of_each, {}
        for meter in live:
            stamp = meter.updated_at
            before, wanted = known.get(meter.id, (None, []))
            if before != stamp:
                wanted = projections.wanted_for(meter.namespace, meter.measure())
            self._of_each[meter.id] = stamp, wanted
        for feature in used:
            changed = feature.updated_at, feature.meter and feature.meter.updated_at
            before, wanted = known.get(feature.id, (None, []))
            measure = None if before == changed else feature.measure()
            if measure is not None:
                wanted = projections.wanted_for_subjects(feature.namespace, measure)
            self._of_each[feature.id] = changed, wanted
        self._wanted = {each.key: each for _, all_ in self._of_each.values() for each in all_}

    async def _clear_up(self, pulse: Pulse) -> bool:
        """What a drop and what a restore have left behind. Returns whether there was anything."""
        if pulse.dropped:
            async with transaction(self._engine) as connection:
                await projections.delete_dropped_cells(connection)
        if pulse.foreign:
            async with transaction(self._engine) as connection:
                await renumber(connection)
        return pulse.dropped or pulse.foreign

    async def _fold(self, one: Cohort, onto: Cohort | None) -> bool:
        """Returns whether there is more to fold. Keeps transactions short, whatever events cost."""
        began = time.monotonic()
        try:
            async with transaction(self._engine, isolation="REPEATABLE READ") as connection:
                folded = await fold(
                    connection, one, onto, self._wanted, events_max=self._events_max
                )
        except DomainError:
            self._events_max = max(self._events_max // 2, EVENTS_MIN)
            raise
        took = time.monotonic() - began
        if took > LONG_S:
            self._events_max = max(self._events_max // 2, EVENTS_MIN)
        elif took < SHORT_S:
            self._events_max = min(self._events_max * 2, EVENTS_MAX)
        if folded is not None and folded.set_aside:
            log.info("fold.set_aside", projections=folded.set_aside)
        return folded is not None and folded.more

    async def _report(self) -> None:
        """At most every second, and not again once there is nothing left to fold."""
        now = self._now()
        if not self._tail or now - self._reported_at < REPORT_EVERY:
            return
        async with reading(self._engine) as connection:
            lag = await cohorts.lag(connection)
        waited_s = 0.0 if lag.oldest is None else (now - lag.oldest).total_seconds()
        self._told(FoldReport(lag.cells, lag.tail_events, max(waited_s, 0.0)))
        self._reported_at, self._tail = now, lag.tail_events > 0
