"""After the violence: answers from cells and answers from rows equal what was sent."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.chaos.ledger import Ledger
from tests.chaos.oracle import check, check_answers, sources
from tests.chaos.questions import METERS
from tests.chaos.run import Run
from tests.chaos.servers import POLL_S, WAIT_S, ServerProcess
from tests.chaos.traffic import Traffic

from monometer import embedded
from monometer.store import projections
from monometer.store.cells import Kind
from monometer.store.engine import create_engine
from monometer.store.projections import Status

FROM_CELLS = {"cells by group", "cells by subject"}
FROM_ROWS = {"events"}


@asynccontextmanager
async def compared(traffic: Traffic, server: ServerProcess, run: Run) -> AsyncIterator[None]:
    """Clients send while the block runs, which hurts something and waits for its recovery.

    At its end every event that was ever sent is acknowledged, and the answers equal the ledger
    three times: from cells and a tail of rows, from cells that hold every event, from rows alone.
    The database is the embedded one in the run's directory.
    """
    async with AsyncExitStack() as stack:
        async with traffic.flowing(run.seed):
            await traffic.moves(WAIT_S)
            yield
            database = await stack.enter_async_context(_connection(run))
            await _hold_folding_back(database)
            await _more_is_stored(run.ledger)
        assert run.ledger.acknowledged == run.ledger.sent.keys(), "acknowledged, but for some"
        run.ledger.figures["tail"] = await _partly_folded(database, len(run.ledger.sent))
        assert await sources(server.url, run.ledger) == FROM_CELLS
        events = await check(server.url, run.ledger)
        await database.rollback()  # lets the fold go on
        run.ledger.figures["cells"] = await _folded(database, len(events))
        assert await sources(server.url, run.ledger) == FROM_CELLS
        await check_answers(server.url, run.ledger, events)
        url = database.engine.url.render_as_string(hide_password=False)
        with ServerProcess(run.directory, database_url=url, projections="false") as plain:
            await plain.ready()
            assert await sources(plain.url, run.ledger) == FROM_ROWS
            await check_answers(plain.url, run.ledger, events)


@asynccontextmanager
async def _connection(run: Run) -> AsyncIterator[AsyncConnection]:
    share = await asyncio.to_thread(embedded.start, run.directory)
    engine = create_engine(share.url, connections_max=1, wait_s=WAIT_S, statement_timeout_s=WAIT_S)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
        await asyncio.to_thread(share.stop)


async def _hold_folding_back(database: AsyncConnection) -> None:
    """Nothing stored from now on is folded: the horizon waits for this transaction, open and idle.

    So there is a tail, however quick the fold is.
    """
    await database.execute(text("SELECT pg_current_xact_id()"))


async def _more_is_stored(ledger: Ledger) -> None:
    """Return when an event is acknowledged that nobody had sent before."""
    sent = len(ledger.sent)
    deadline = time.monotonic() + WAIT_S
    while len(ledger.acknowledged) <= sent:
        assert time.monotonic() < deadline, "nothing more is acknowledged"
        await asyncio.sleep(POLL_S)


async def _partly_folded(database: AsyncConnection, stored: int) -> int:
    """Return how many events are not folded; every projection holds some, and none holds all."""
    most = max(one.events for one in await _projections(database, lambda one: one.events > 0))
    assert most < stored, "there is no tail"
    return stored - most


async def _folded(database: AsyncConnection, stored: int) -> int:
    """Return how many cells there are when every projection holds every event, each once."""
    kept = await _projections(database, lambda one: one.events >= stored)
    assert {one.events for one in kept} == {stored}, "an event was folded twice"
    return sum(one.cells for one in kept)


async def _projections(database: AsyncConnection, are: Callable[[Status], bool]) -> list[Status]:
    """Those of all meters, once all of them are so."""
    deadline = time.monotonic() + WAIT_S
    while True:
        kept = await projections.statuses(database)
        if len(kept) == len(METERS) * len(Kind) and all(are(one) for one in kept):
            return kept
        folded = [(str(one.kind), one.watermark, one.events) for one in kept]
        assert time.monotonic() < deadline, f"folding stands still at {folded}"
        await asyncio.sleep(POLL_S)
