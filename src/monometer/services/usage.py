"""Questions about usage, from a meter's name to finished rows."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from monometer.core.aggregation import Aggregation
from monometer.core.errors import InvalidInput
from monometer.core.expression import AllOf, Attribute, Compare, Expression, Literal, Predicate
from monometer.core.meter import Measure, Meter
from monometer.core.usage import UTC_ZONE, UsageQuery, UsageRow, Whole
from monometer.core.windows import MINUTE, Period, WindowSize, floor
from monometer.services.catalog import Catalog
from monometer.store.event_store import EventPage, ExplainingEventStore, Reading

VALUES_DEFAULT_PERIOD = timedelta(hours=24)
VALUES_PERIOD_MAX = timedelta(days=30)
VALUES_AGE_MAX = timedelta(days=90)

_ZERO_WHEN_EMPTY = frozenset({Aggregation.COUNT, Aggregation.UNIQUE_COUNT})


@dataclass(frozen=True, slots=True)
class Usage:
    """`rows_max` bounds the rows, subjects or values of one answer."""

    catalog: Catalog
    store: ExplainingEventStore
    now: Callable[[], datetime]
    rows_max: int

    @asynccontextmanager
    async def rows(self, query: UsageQuery) -> AsyncIterator[AsyncIterator[Sequence[UsageRow]]]:
        """The rows of the answer, in batches.

        Over no event, COUNT and UNIQUE_COUNT answer one row of zero if there is neither a window
        nor a group to be empty; every other answer is then empty.
        Raises InvalidInput for bounds in the wrong order or too many rows, Unavailable.
        """
        _validate_bounds(query.start, query.end, "from must be before to")
        async with self.store.usage(query, rows_max=self.rows_max) as batches:
            yield self._with_zero_row(query, batches)

    async def explain(self, query: UsageQuery) -> Reading:
        """What was read to answer. Raises as `rows` does."""
        _validate_bounds(query.start, query.end, "from must be before to")
        return await self.store.explain(query, rows_max=self.rows_max)

    async def _with_zero_row(
        self, query: UsageQuery, batches: AsyncIterator[Sequence[UsageRow]]
    ) -> AsyncIterator[Sequence[UsageRow]]:
        empty = True
        async for batch in batches:
            empty = False
            yield batch
        of_somebody = query.by_subject or query.attribution is not None
        grouped = of_somebody or query.group_by or query.axis != Whole()
        if empty and not grouped and query.measure.aggregation in _ZERO_WHEN_EMPTY:
            yield [UsageRow(self._empty_period(query), None, (), Decimal(0))]

    def _empty_period(self, query: UsageQuery) -> Period:
        """The given bounds, else those of the current minute, the start never after the end."""
        this_minute = floor(self.now(), WindowSize.MINUTE, UTC_ZONE)
        next_minute = this_minute + MINUTE
        start = query.start or min(this_minute, query.end or this_minute)
        return Period(start, query.end or max(next_minute, start))

    async def has_events(self, meter: Meter) -> bool:
        """Whether any stored event counts for it."""
        page = EventPage(namespace=meter.namespace, where=AllOf(tuple(of_type(meter))), limit=1)
        return bool(await self.store.list_events(page))

    async def subjects(
        self, meter: Meter, start: datetime | None, end: datetime | None
    ) -> list[str]:
        """Subjects with an event of the meter's type, whatever the event's worth, ascending."""
        _validate_bounds(start, end, "from time must be before to time")
        return await self._distinct(meter, Attribute("subject"), start, end)

    async def group_values(
        self, meter: Meter, group: str, start: datetime | None, end: datetime | None
    ) -> list[str]:
        """Values of one group key, ascending; of the last day when no bound is given."""
        if group not in meter.group_by:
            raise InvalidInput("group by key is not valid for this meter")
        now = self.now()
        if start is None and end is None:
            start = now - VALUES_DEFAULT_PERIOD
        _validate_bounds(start, end, "from time must be before to time")
        if start is not None and start < now - VALUES_AGE_MAX:
            raise InvalidInput("from time must not be more than 90 days ago")
        if start is not None and end is not None and end - start > VALUES_PERIOD_MAX:
            raise InvalidInput("time window must be less than 30 days")
        return await self._distinct(meter, meter.measure().groups[group], start, end)

    async def _distinct(
        self, meter: Meter, of: Expression, start: datetime | None, end: datetime | None
    ) -> list[str]:
        conditions = [*of_type(meter), *bounds(Attribute("time"), start, end)]
        return await self.store.distinct(
            meter.namespace, of, AllOf(tuple(conditions)), values_max=self.rows_max
        )

    async def counts_today(self, namespace: str) -> list[tuple[str, Decimal]]:
        """Events since midnight UTC by subject, of every type."""
        query = UsageQuery(
            namespace=namespace,
            measure=Measure(aggregation=Aggregation.COUNT, event_type=None),
            start=floor(self.now(), WindowSize.DAY, UTC_ZONE),
            by_subject=True,
        )
        async with self.rows(query) as batches:
            return [(row.subject or "", row.value) async for batch in batches for row in batch]


def of_type(meter: Meter) -> Sequence[Predicate]:
    """The events that a meter is about, whatever their worth, and whatever their time."""
    conditions: list[Predicate] = [meter.measure().where]
    if meter.event_type is not None:
        conditions.append(Compare("=", Attribute("type"), Literal(meter.event_type)))
    return conditions


def bounds(
    attribute: Attribute, start: datetime | None, end: datetime | None
) -> Sequence[Predicate]:
    """`start` included, `end` excluded; None leaves a side open."""
    conditions: list[Predicate] = []
    if start is not None:
        conditions.append(Compare(">=", attribute, Literal(start)))
    if end is not None:
        conditions.append(Compare("<", attribute, Literal(end)))
    return conditions


def order_problem(
    start: datetime | None, end: datetime | None, reversed_: str = "from must be before to"
) -> str | None:
    """What is wrong with two bounds, `reversed_` when the end comes first; None when nothing is."""
    if start is None or end is None or start < end:
        return None
    return "from and to cannot be equal" if start == end else reversed_


def _validate_bounds(start: datetime | None, end: datetime | None, reversed_: str) -> None:
    problem = order_problem(start, end, reversed_)
    if problem is not None:
        raise InvalidInput(problem)
