"""The connection pool, and the one place where a driver's error becomes a kind of failure."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal, TypeAlias, cast

import asyncpg
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from monometer.core.errors import InvalidInput, Unavailable

Isolation: TypeAlias = Literal["READ COMMITTED", "REPEATABLE READ"]

CONNECT_TIMEOUT_S = 10
# The database ends a statement by itself at its timeout. One that says nothing for so long after
# that is stopped, or unreachable: nobody waits for it any longer.
SILENT_DATABASE_S = 5

# A reader of a streamed answer who stalls for this long loses it, and its connection comes back.
STALLED_READER_S = 300


def create_engine(
    database_url: str, *, connections_max: int, wait_s: float, statement_timeout_s: float
) -> AsyncEngine:
    """A pool of at most `connections_max`; a caller waits `wait_s` for one, then Unavailable."""
    engine = create_async_engine(
        database_url,
        pool_size=connections_max,
        max_overflow=0,
        pool_timeout=wait_s,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": statement_timeout_s + SILENT_DATABASE_S,
            "server_settings": {
                "application_name": "monometer",
                "timezone": "UTC",
                "jit": "off",  # costs more than it gains on these queries
                # A watermark far to the right and one far to the left want different plans.
                "plan_cache_mode": "force_custom_plan",
                "synchronous_commit": "on",  # what is acknowledged is on disk
                "statement_timeout": f"{round(statement_timeout_s * 1000)}",
                "idle_in_transaction_session_timeout": f"{STALLED_READER_S * 1000}",
            },
        },
    )
    listen(engine.sync_engine, "checkout", _refuse_unfit)
    return engine


def _refuse_unfit(adapted: Any, _record: object, _proxy: object) -> None:
    """Nobody is handed a connection that is closed, or in a transaction: the pool opens another.

    The driver knows by itself that its connection was closed. Asking the database, as the pool's
    own check does, takes three round trips each time.
    """
    driver = adapted.driver_connection
    if driver.is_closed() or driver.is_in_transaction():
        raise DisconnectionError


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, *, isolation: Isolation = "READ COMMITTED"
) -> AsyncIterator[AsyncConnection]:
    """A connection inside a transaction: committed at the end, rolled back on an error."""
    with translated():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level=isolation)
            async with connection.begin():
                yield connection


@asynccontextmanager
async def driver_connection(
    engine: AsyncEngine,
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """The driver's own connection, of the pool, for COPY; each statement commits by itself."""
    with translated():
        async with engine.connect() as connection:
            yield await driver_of(connection)


async def driver_of(connection: AsyncConnection) -> "asyncpg.Connection[asyncpg.Record]":
    """The driver's own connection, in the transaction that the first statement has begun."""
    raw = await connection.get_raw_connection()
    return cast("asyncpg.Connection[asyncpg.Record]", raw.driver_connection)


def ensure_committed(driver: "asyncpg.Connection[asyncpg.Record]") -> None:
    """After a statement that is to commit by itself. Raises Unavailable, and ends the connection.

    A BEGIN that somebody gave up waiting for may have been carried out after all. What follows on
    that connection is then part of a transaction that nobody will commit.
    """
    if driver.is_in_transaction():
        driver.terminate()
        raise Unavailable("the database connection was in an unknown state; try again")


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection that may not write."""
    with translated():
        async with engine.connect() as connection:
            yield await connection.execution_options(postgresql_readonly=True)


@asynccontextmanager
async def asking(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for statements that need each other as little as those of two connections.

    Each is a transaction by itself, so BEGIN and ROLLBACK need no round trips.
    """
    with translated():
        async with engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection that may not write, and whose statements all see one state of the database."""
    with translated():
        async with engine.connect() as connection:
            yield await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )


@contextmanager
def translated() -> Iterator[None]:
    """Raises InvalidInput or Unavailable where the driver raised its own; passes on the rest."""
    try:
        yield
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        kind = kind_of(error)
        if kind is None:
            raise
        raise kind from error
    except UnicodeEncodeError as error:  # a lone surrogate: legal in Python and JSON, in no UTF-8
        raise InvalidInput("a text cannot be stored by the database") from error
    except (PoolTimeout, TimeoutError) as error:
        raise Unavailable("the database did not answer in time") from error
    except OSError as error:
        raise Unavailable("the database cannot be reached") from error


def kind_of(error: Exception) -> InvalidInput | Unavailable | None:
    """The kind of failure a driver's error stands for, by SQLSTATE class; None for a defect."""
    driver_error = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(driver_error, "sqlstate", None) or ""
    cause = getattr(driver_error, "__cause__", None)
    if state == "57014":
        return Unavailable("the statement took too long; ask for less at once")
    if state[:2] in {"22", "54"} or isinstance(cause or driver_error, asyncpg.exceptions.DataError):
        return InvalidInput("a value cannot be stored or compared by the database")
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    # 08 connection, 28 login, 3D no such database, 40 rollback (deadlock), 53 resources,
    # 55 not ready, 57 stopping, 58 system
    if lost or state[:2] in {"08", "28", "3D", "40", "53", "55", "57", "58"}:
        return Unavailable("the database is not available; try again")
    if isinstance(cause or driver_error, asyncpg.InterfaceError):
        return Unavailable("the database connection was lost; try again")
    return None
