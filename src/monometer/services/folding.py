"""Keeps projections up: one task that folds what was stored, for every live meter.

Several servers may run it at once. It decides nothing about answers: without it, or after a crash
in the middle of a fold, queries read more rows and answer the same.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.errors import DomainError
from monometer.store import meters, projections
from monometer.store.cells import Kind
from monometer.store.engine import reading, transaction
from monometer.store.projections import Status, Wanted

log = structlog.get_logger()

Key: TypeAlias = tuple[str, Kind, bytes]

BUSY_PAUSE_S = 0.05
IDLE_PAUSE_S = 0.25
FAILED_PAUSE_S = 2.0
UNWANTED_FOR = timedelta(hours=1)  # an older server beside us may still want what we do not


@dataclass(frozen=True, slots=True)
class FoldReport:
    """After a round: cells kept, events not folded yet, and for how long the oldest has waited."""

    cells: int
    tail_events: int
    lag_s: float


class Folder:
    """Start it, and stop it: stopping waits for the fold in flight. `told` hears of each round."""

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

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="folder")

    async def stop(self) -> None:
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = BUSY_PAUSE_S if await self.round() else IDLE_PAUSE_S
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
        """Fold once for every live meter. Returns whether there was anything to fold."""
        async with reading(self._engine) as connection:
            wanted = [
                one
                for meter in await meters.all_live(connection)
                for one in projections.wanted_for(meter.namespace, meter.measure())
            ]
            known = await projections.statuses(connection)
            newest = await projections.newest_transaction(connection)
        by_print = {(s.namespace, s.kind, s.fingerprint): s for s in known}
        unique = {(one.namespace, one.kind, one.fingerprint): one for one in wanted}
        await self._arrange(unique, by_print)
        folded = False
        for key, one in unique.items():
            status = by_print.get(key)
            behind = status is None or (newest is not None and newest >= status.watermark)
            if behind and not (status and status.sparse) and not self._stopping.is_set():
                folded |= await self._fold(one)
        self._told(await self._report())
        return folded

    async def _arrange(self, wanted: dict[Key, Wanted], known: dict[Key, Status]) -> None:
        """Make projections that are missing, drop those that no meter has wanted for a while."""
        missing = [one for key, one in wanted.items() if key not in known]
        long_ago = self._now() - UNWANTED_FOR
        unwanted = [
            s.id for key, s in known.items() if key not in wanted and s.folded_at < long_ago
        ]
        if missing or unwanted:
            async with transaction(self._engine) as connection:
                await projections.ensure(connection, missing)
                await projections.drop(connection, unwanted)

    async def _fold(self, wanted: Wanted) -> bool:
        async with transaction(self._engine, isolation="REPEATABLE READ") as connection:
            return await projections.fold(connection, wanted)

    async def _report(self) -> FoldReport:
        async with reading(self._engine) as connection:
            cells, tail, oldest = await projections.lag(connection)
        lag_s = 0.0 if oldest is None else (self._now() - oldest).total_seconds()
        return FoldReport(cells, tail, max(lag_s, 0.0))
