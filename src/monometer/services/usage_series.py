"""Units of usage meters by calendar periods, zeros included, added up or in groups.

Source: Togai's metrics.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from monometer.core.errors import InvalidInput
from monometer.core.event_schema import Status
from monometer.core.meter import Meter
from monometer.core.numbers import EXACT
from monometer.core.short_ids import short_id
from monometer.core.usage import UTC_ZONE, Tumbling, UsageQuery, UsageRow
from monometer.core.windows import floor
from monometer.services.people import People
from monometer.services.series import (
    GROUPS_MAX,
    GroupBy,
    Points,
    SeriesQuery,
    customers_of,
    starts_of,
    subjects_asked,
)
from monometer.services.usage_meters import UsageMeters

METERS_MAX = 100  # each is asked by itself


@dataclass(frozen=True, slots=True)
class UsageSeries:
    people: People
    usage_meters: UsageMeters

    async def series(self, query: SeriesQuery) -> dict[str | None, Points]:
        """The points of each group with usage; without `by` of None alone, whatever there is.

        Raises InvalidInput for too many points, meters, groups or rows, and Unavailable.
        """
        starts = starts_of(query)
        subjects = await subjects_asked(self.people.owners, query)
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
        told = await customers_of(self.people.owners, query.namespace, names)
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
