"""Usage read from PostgreSQL: the cells that serve, one statement, and its rows in batches."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.aggregation import Aggregation
from monometer.core.errors import InvalidInput
from monometer.core.numbers import mean
from monometer.core.usage import Tumbling, UsageQuery, UsageRow, period_of
from monometer.store.cell_source import source_for
from monometer.store.engine import driver_connection
from monometer.store.event_store import Reading
from monometer.store.explain import reading_of
from monometer.store.usage_statement import usage_parameters, usage_statement

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.cursor import Cursor

    Record: TypeAlias = asyncpg.Record

FETCH_ROWS = 2_000

# The columns of usage_select.
_TOTAL, _FIRST, _LAST, _VALUE, _COUNTED, _SUBJECT, _CUSTOMER, _GROUPS = range(8)


@asynccontextmanager
async def read_usage(
    engine: AsyncEngine, query: UsageQuery, *, rows_max: int, projections: bool
) -> AsyncIterator[AsyncIterator[Sequence[UsageRow]]]:
    """As EventStore.usage says. The connection is held until the answer has been read."""
    async with _snapshot(engine) as driver:
        source = await source_for(driver, query) if projections else None
        statement = usage_statement(query, source)
        values = usage_parameters(query, source, rows_max=rows_max)
        cursor = await driver.cursor(statement.text, *statement.arguments(values))
        first = await cursor.fetch(FETCH_ROWS)
        if first and first[0][_TOTAL] > rows_max:
            raise InvalidInput(
                f"the answer has more than {rows_max} rows; "
                "ask for a shorter period, larger windows or fewer groups"
            )
        yield _batches(query, first, cursor)


async def explain_usage(
    engine: AsyncEngine, query: UsageQuery, *, rows_max: int, projections: bool
) -> Reading:
    """Runs the statement, and answers what it read instead of its rows."""
    async with _snapshot(engine) as driver:
        source = await source_for(driver, query) if projections else None
        statement = usage_statement(query, source)
        values = usage_parameters(query, source, rows_max=rows_max)
        plans = await driver.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}", *statement.arguments(values)
        )
        return reading_of(plans, source.kind.value if source else None)


async def _batches(
    query: UsageQuery, records: "list[Record]", cursor: "Cursor[Record]"
) -> AsyncIterator[list[UsageRow]]:
    while records:
        yield _usage_rows(query, records)
        records = await cursor.fetch(FETCH_ROWS)


def _usage_rows(query: UsageQuery, records: "Iterable[Record]") -> list[UsageRow]:
    """In a tight loop: an answer may have a million rows."""
    windowed = isinstance(query.axis, Tumbling)
    averaged = query.measure.aggregation is Aggregation.AVG
    period, rows = None, []
    for record in records:
        first = record[_FIRST]
        # Rows come by window, and one period serves all rows of it.
        if period is None or not windowed or not period.start <= first < period.end:
            period = period_of(query, first, record[_LAST])
        value = Decimal(record[_VALUE])
        if averaged:
            value = mean(value, record[_COUNTED])
        rows.append(UsageRow(period, record[_SUBJECT], record[_GROUPS:], value, record[_CUSTOMER]))
    return rows


@asynccontextmanager
async def _snapshot(engine: AsyncEngine) -> "AsyncIterator[asyncpg.Connection[Record]]":
    """A connection that may not write, and whose statements all see one state of the database."""
    async with (
        driver_connection(engine) as driver,
        driver.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield driver
