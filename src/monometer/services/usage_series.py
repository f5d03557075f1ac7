"""Units of usage meters by calendar periods, zeros included, added up or in groups.

Source: Togai's metrics.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from monometer.core.errors import InvalidInput
from monometer.core.event_schema import Status
from monometer.core.meter import Meter
from monometer.core.numbers import EXACT
from monometer.core.short_ids import short_id
from monometer.core.usage import UTC_ZONE, Tumbling, UsageQuery, UsageRow
from monometer.core.windows import WindowSize, floor, next_start
from monometer.services.people import People
from monometer.services.usage_meters import UsageMeters

POINTS_MAX = 300
METERS_MAX = 100  # each is asked by itself
GROUPS_MAX = 1_000

Points: TypeAlias = dict[datetime, Decimal]


class GroupBy(StrEnum):
    ACCOUNT_ID = "ACCOUNT_ID"
    CUSTOMER_ID = "CUSTOMER_ID"
    USAGE_METER_ID = "USAGE_METER_ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuery:
    """`start` is included, `end` excluded. None takes every meter, account, or customer.

    `meters` are ids or names, `customers` keys or ids.
    """

    namespace: str
    start: datetime
    end: datetime
    size: WindowSize
    by: GroupBy | None = None
    meters: Collection[str] | None = None
    accounts: Collection[str] | None = None
    customers: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class UsageSeries:
    people: People
    usage_meters: UsageMeters

    async def series(self, query: SeriesQuery) -> dict[str | None, Points]:
        """The points of each group with usage; without `by` of None alone, whatever there is.

        Raises InvalidInput for too many points, meters, groups or rows, and Unavailable.
        """
        starts = _starts(query)
        subjects = await self._subjects(query)
        blank = dict.fromkeys(starts, Decimal(0))
        series: defaultdict[str | None, Points] = defaultdict(blank.copy)
        if query.by is None:
            series[None] = blank.copy()
        for meter in await self._meters(query) if subjects is None or subjects else ():
            for group, row in await self._rows(query, meter, subjects):
                start = floor(row.period.start, query.size, UTC_ZONE)
                series[group][start] = EXACT.add(series[group][start], row.value)
            if len(series) > GROUPS_MAX:
                raise InvalidInput(f"there are more than {GROUPS_MAX} groups: ask for fewer")
        return dict(series)

    async def _rows(
        self, query: SeriesQuery, meter: Meter, subjects: tuple[str, ...] | None
    ) -> list[tuple[str | None, UsageRow]]:
        asked = UsageQuery(
            namespace=query.namespace,
            measure=meter.measure(),
            axis=Tumbling(query.size),
            start=query.start,
            end=query.end,
            subjects=subjects,
            by_subject=query.by in {GroupBy.ACCOUNT_ID, GroupBy.CUSTOMER_ID},
        )
        rows = await self.people.all_rows(asked)
        if query.by is GroupBy.ACCOUNT_ID:
            return [(row.subject, row) for row in rows]
        if query.by is not GroupBy.CUSTOMER_ID:
            return [(None if query.by is None else short_id(meter.id), row) for row in rows]
        names = {row.subject for row in rows if row.subject is not None}
        owners = await self.people.owners.of_subjects(query.namespace, names)
        told = {subject: one.key or one.id for subject, one in owners.items()}
        return [(told[row.subject], row) for row in rows if row.subject in told]

    async def _meters(self, query: SeriesQuery) -> list[Meter]:
        page = await self.usage_meters.page(
            query.namespace,
            [one for one in Status if one is not Status.ARCHIVED],
            ["COUNT", "SUM"],
            named=query.meters,
            offset=0,
            limit=METERS_MAX,
        )
        if page.total > METERS_MAX:
            raise InvalidInput(f"there are more than {METERS_MAX} usage meters: name some of them")
        return list(page.items)

    async def _subjects(self, query: SeriesQuery) -> tuple[str, ...] | None:
        """Whose usage is asked for; None for everybody's."""
        subjects = None if query.accounts is None else set(query.accounts)
        if query.customers is not None:
            theirs = await self._subjects_of(query.namespace, set(query.customers))
            subjects = theirs if subjects is None else subjects & theirs
        return None if subjects is None else tuple(sorted(subjects))

    async def _subjects_of(self, namespace: str, names: set[str]) -> set[str]:
        customers = self.people.owners.customers
        ids = set((await customers.owners(namespace, names)).values())
        found = await self.people.owners.of_ids(namespace, ids)
        meant = sorted(one.id for one in found if {one.id, one.key} & names)
        theirs: Mapping[str, str] = await customers.attribution(namespace, meant)
        return set(theirs)


def _starts(query: SeriesQuery) -> list[datetime]:
    """Of every period that has an instant of the time asked for. Raises InvalidInput."""
    if query.start >= query.end:
        raise InvalidInput("startTime must be before endTime")
    starts = [floor(query.start, query.size, UTC_ZONE)]
    while (following := next_start(starts[-1], query.size, UTC_ZONE)) < query.end:
        starts.append(following)
        if len(starts) > POINTS_MAX:
            raise InvalidInput(f"there are more than {POINTS_MAX} periods: ask for less time")
    return starts
