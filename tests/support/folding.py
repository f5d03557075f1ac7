"""Folding step by step, for tests that decide when."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.meter import Measure
from monometer.store import cohorts, projections
from monometer.store.arrangement import arrange
from monometer.store.engine import reading, transaction
from monometer.store.fold import Folded, fold

HORIZON_S = 60
EVENTS_MAX = 10_000


class Folds:
    """Folds of what a test wants: in its database nothing else is wanted."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.wanted: dict[projections.Key, projections.Wanted] = {}

    async def want(self, namespace: str, *measures: Measure) -> None:
        """Have projections for these measures too."""
        for measure in measures:
            for one in projections.wanted_for(namespace, measure):
                self.wanted[one.key] = one
        async with transaction(self._engine) as connection:
            await arrange(connection, self.wanted)

    async def cohorts(self) -> list[cohorts.Cohort]:
        """Those that are folded, the leader first."""
        async with reading(self._engine) as connection:
            return list((await cohorts.pulse(connection)).cohorts)

    async def step(self, number: int = 0, *, events_max: int = EVENTS_MAX) -> Folded | None:
        """Fold one cohort once, as far as the one before it or the horizon."""
        known = await self.cohorts()
        one, onto = known[number], known[number - 1] if number else None
        async with transaction(self._engine, isolation="REPEATABLE READ") as connection:
            return await fold(connection, one, onto, self.wanted, events_max=events_max)

    async def wait(self) -> None:
        """Until all that is committed by now can be folded.

        The horizon is one of the whole cluster, where other tests write too: wait until whatever
        was being written has ended.
        """
        async with asyncio.timeout(HORIZON_S), self._engine.connect() as connection:
            now = await connection.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())"))
            until = {"until": now.scalar_one()}
            passed = text("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= CAST(:until AS xid8)")
            while not (await connection.execute(passed, until)).scalar_one():  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)

    async def all(self) -> None:
        """Fold all that is committed by now, into one cohort."""
        await self.wait()
        while (folded := await self.step()) and folded.more:
            pass
        while late := len(await self.cohorts()) - 1:
            await self.step(late)


async def fold_all(engine: AsyncEngine, namespace: str, *measures: Measure) -> None:
    """Fold what these measures take of all that is committed by now."""
    folds = Folds(engine)
    await folds.want(namespace, *measures)
    await folds.all()
