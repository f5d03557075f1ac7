"""Usage of many periods read from PostgreSQL: one statement, on a connection of the caller's.

No transaction is needed: the statement itself notices when a watermark has moved since it was
looked up, and is then asked again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ARRAY, LargeBinary, any_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.aggregation import Aggregation
from monometer.core.usage import PeriodsQuery
from monometer.core.windows import Period
from monometer.store.cells import CellSource, Kind, fingerprint, hours_within
from monometer.store.engine import driver_of
from monometer.store.horizon import usable
from monometer.store.periods_sql import BOUNDS, periods_select
from monometer.store.statements import Statement, compiled, parameter
from monometer.store.tables import TEXT, cohort, projection

if TYPE_CHECKING:
    import asyncpg

_Key: TypeAlias = tuple[str, bytes]  # namespace and fingerprint of a measure

TRIES = 5  # with cells; a fold moves a watermark a few times a second at most
STATEMENTS_MAX = 500
SOURCES_MAX = 10_000


class PeriodUsage:
    """Asks for the usage of many periods. Without `projections` every event itself is read.

    Where cells lie is remembered from one question to the next.
    """

    def __init__(self, *, projections: bool = True) -> None:
        self._projections = projections
        self._sources: dict[_Key, CellSource] = {}

    async def of(
        self, connection: AsyncConnection, queries: Sequence[PeriodsQuery]
    ) -> list[dict[Period, Decimal]]:
        """The usage of each period of each query; a period without any is left out.

        One statement, whatever the number of queries; more after a watermark has moved, and where
        there are no cells.
        """
        wanted = [query for query in queries if query.periods and query.subjects]
        asked, places = _together(wanted)
        driver = await driver_of(connection)
        found: list[dict[Period, Decimal]] | None = None if asked else []
        for has_cells in [*[self._projections] * TRIES, False]:
            if found is not None:
                break
            sources = await self._sources_for(driver, asked) if has_cells else {}
            found = await _ask(driver, asked, sources)
            if found is None:
                for key in sources:
                    self._sources.pop(key, None)
        answers = ((found or [])[place] for place in places)
        return [
            _of(query.periods, next(answers)) if query.periods and query.subjects else {}
            for query in queries
        ]

    async def _sources_for(
        self, driver: "asyncpg.Connection[asyncpg.Record]", queries: Sequence[PeriodsQuery]
    ) -> Mapping[_Key, CellSource]:
        """Cells of queries that can use any. Those remembered may be out of date by now."""
        wanted = {
            _key(query) for query in queries if query.measure.aggregation is not Aggregation.LATEST
        }
        known = {key: self._sources[key] for key in wanted & self._sources.keys()}
        if len(known) < len(wanted):
            if len(self._sources) > SOURCES_MAX:
                self._sources.clear()
            self._sources |= await _look_up(driver, wanted - known.keys())
        return {key: self._sources[key] for key in wanted & self._sources.keys()}


def _together(queries: Sequence[PeriodsQuery]) -> tuple[list[PeriodsQuery], list[int]]:
    """Queries that differ in their periods only as one, and where each of them went.

    Fifty features of one meter are then planned by PostgreSQL as one question, not as fifty.
    """
    places: dict[tuple[_Shape, tuple[str, ...]], int] = {}
    merged: list[dict[Period, None]] = []
    went: list[int] = []
    asked: list[PeriodsQuery] = []
    for query in queries:
        place = places.setdefault((_Shape(query, has_cells=False), query.subjects), len(asked))
        if place == len(asked):
            asked.append(query)
            merged.append({})
        merged[place] |= dict.fromkeys(query.periods)
        went.append(place)
    pairs = zip(asked, merged, strict=True)
    return [replace(query, periods=tuple(periods)) for query, periods in pairs], went


def _of(periods: Sequence[Period], answers: Mapping[Period, Decimal]) -> dict[Period, Decimal]:
    return {period: answers[period] for period in periods if period in answers}


async def _ask(
    driver: "asyncpg.Connection[asyncpg.Record]",
    queries: Sequence[PeriodsQuery],
    sources: Mapping[_Key, CellSource],
) -> list[dict[Period, Decimal]] | None:
    """None when a watermark has moved."""
    if not queries:
        return []
    chosen = [sources.get(_key(query)) for query in queries]
    statement = _statement(
        tuple(
            _Shape(query, has_cells=source is not None)
            for query, source in zip(queries, chosen, strict=True)
        )
    )
    values: dict[str, Any] = {}
    for number, (query, source) in enumerate(zip(queries, chosen, strict=True)):
        values |= {f"{name}_{number}": value for name, value in _values(query, source).items()}
    answers: list[dict[Period, Decimal]] = [{} for _ in queries]
    for number, ordinal, value, fresh in await driver.fetch(
        statement.text, *statement.arguments(values)
    ):
        if not fresh:
            return None
        if value is not None:
            answers[number][queries[number].periods[ordinal - 1]] = Decimal(value)
    return answers


def _values(query: PeriodsQuery, source: CellSource | None) -> Mapping[str, Any]:
    bounds = zip(*(_bounds(period) for period in query.periods), strict=True)
    values: dict[str, Any] = {"subjects": list(query.subjects)}
    values |= {name: list(instants) for name, instants in zip(BOUNDS, bounds, strict=True)}
    if source is not None:
        values |= {"projection": source.projection_id, "watermark": source.watermark}
    return values


def _bounds(period: Period) -> tuple[datetime, datetime, datetime, datetime]:
    """In the order of BOUNDS. Without a whole hour inside, the first edge is all of the period."""
    hours = hours_within(period)
    if hours is None:
        return period.start, period.end, period.end, period.end
    return period.start, hours.start, hours.end, period.end


class _Shape:
    """What a statement depends on: all of a query but its subjects and periods."""

    def __init__(self, query: PeriodsQuery, *, has_cells: bool) -> None:
        self.question = query.namespace, query.measure, has_cells
        self._key = repr(self.question)  # as text, since True, 1 and 1.0 are equal

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shape) and other._key == self._key


@lru_cache(maxsize=STATEMENTS_MAX)
def _statement(shapes: tuple[_Shape, ...]) -> Statement:
    return compiled(periods_select([shape.question for shape in shapes]))


async def _look_up(
    driver: "asyncpg.Connection[asyncpg.Record]", wanted: Collection[_Key]
) -> Mapping[_Key, CellSource]:
    statement = _usable()
    namespaces, prints = ({*side} for side in zip(*wanted, strict=True))
    values = {"namespaces": list(namespaces), "fingerprints": list(prints)}
    rows = await driver.fetch(statement.text, *statement.arguments(values))
    return {(row[0], row[1]): CellSource(row[2], Kind.SUBJECT, row[3]) for row in rows}


@cache
def _usable() -> Statement:
    return compiled(
        select(
            projection.c.namespace,
            projection.c.fingerprint,
            projection.c.id,
            cohort.c.watermark,
        )
        .join_from(projection, cohort)
        .where(
            projection.c.namespace == any_(parameter("namespaces", ARRAY(TEXT))),
            projection.c.kind == Kind.SUBJECT,
            projection.c.fingerprint == any_(parameter("fingerprints", ARRAY(LargeBinary))),
            projection.c.events > 0,
            ~projection.c.sparse,
            usable(),
        )
    )


def _key(query: PeriodsQuery) -> _Key:
    return query.namespace, fingerprint(Kind.SUBJECT, query.measure)
