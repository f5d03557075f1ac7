"""`monometer projections`: the cells that queries are answered from, in the settings' database."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.cli.errors import CliError
from monometer.cli.settings import database, read_settings
from monometer.cli.tables import print_table
from monometer.core.errors import DomainError
from monometer.store import projections
from monometer.store.engine import create_engine, transaction
from monometer.store.projections import Status

Result = TypeVar("Result")


def print_status(config: Path | None) -> None:
    """One line a projection."""
    rows = [_line(status) for status in _in_database(config, projections.statuses)]
    columns = ["namespace", "type", "by", "events", "cells", "watermark", "state", "folded"]
    print_table(columns, rows, right=["events", "cells", "watermark"])


def _line(status: Status) -> list[str]:
    state = "sparse: not kept" if status.sparse else "folding"
    state = "unwanted" if status.unwanted else state
    numbers = [str(status.events), str(status.cells), str(status.watermark)]
    folded = status.folded_at.isoformat(timespec="seconds")
    return [status.namespace, status.event_type, status.kind.value, *numbers, state, folded]


def drop_all(config: Path | None) -> int:
    """Drop every projection; a running server makes them again. Returns how many there were."""
    return _in_database(config, projections.drop_all)


def _in_database(
    config: Path | None, work: Callable[[AsyncConnection], Awaitable[Result]]
) -> Result:
    settings = read_settings(config)

    async def run(url: str) -> Result:
        engine = create_engine(
            url, connections_max=1, wait_s=settings.pool_wait_s, statement_timeout_s=3600
        )
        try:
            async with transaction(engine) as connection:
                return await work(connection)
        finally:
            await engine.dispose()

    with database(settings) as found:
        try:
            return asyncio.run(run(found.url))
        except DomainError as error:
            raise CliError(f"{found.place}: {error}") from error
