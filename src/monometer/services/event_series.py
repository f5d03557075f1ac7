"""How many events were sent for event schemas, by calendar periods, zeros included.

Source: Togai's metrics.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.errors import InvalidInput
from monometer.core.ingestion import IngestionStatus
from monometer.services.owners import Owners
from monometer.services.series import (
    GROUPS_MAX,
    POINTS_MAX,
    GroupBy,
    Points,
    SeriesQuery,
    customers_of,
    starts_of,
    subjects_asked,
)
from monometer.store import ingestions
from monometer.store.engine import reading
from monometer.store.ingestions import IngestionFilter

PROCESSED, UNPROCESSED = "PROCESSED", "UNPROCESSED"
STATUSES: Mapping[str, tuple[IngestionStatus, ...]] = {
    PROCESSED: tuple(one for one in IngestionStatus if one.is_completed),
    UNPROCESSED: tuple(one for one in IngestionStatus if not one.is_completed),
    "IN_PROGRESS": (),  # events are answered when they are through
}

ROWS_MAX = GROUPS_MAX * POINTS_MAX

_COLUMNS = {
    GroupBy.ACCOUNT_ID: "account",
    GroupBy.CUSTOMER_ID: "account",
    GroupBy.SCHEMA_NAME: "schema",
    GroupBy.EVENT_STATUS: "status",
    GroupBy.RAW_EVENT_STATUS: "status",
}


@dataclass(frozen=True, slots=True)
class EventSeries:
    engine: AsyncEngine
    owners: Owners

    async def series(self, query: SeriesQuery) -> dict[str | None, Points]:
        """The points of each group with events; without `by` of None alone, whatever there is.

        Raises InvalidInput for too many points or groups, and Unavailable.
        """
        blank = dict.fromkeys(starts_of(query), Decimal(0))
        series: defaultdict[str | None, Points] = defaultdict(blank.copy)
        if query.by is None:
            series[None] = blank.copy()
        accounts = await subjects_asked(self.owners, query)
        wanted = IngestionFilter(statuses=query.statuses, accounts=accounts, schemas=query.schemas)
        async with reading(self.engine) as connection:
            rows = await ingestions.count(
                connection, query.namespace, wanted,
                start=query.start, end=query.end, size=query.size,
                by=None if query.by is None else _COLUMNS[query.by], limit=ROWS_MAX + 1,
            )  # fmt: skip
        if len(rows) > ROWS_MAX:
            raise InvalidInput("there are too many groups: ask for fewer")
        groups = await self._groups(query, {group for _, group, _ in rows if group is not None})
        for start, group, count in rows:
            if group is None or group in groups:
                series[None if group is None else groups[group]][start] += count
        if len(series) > GROUPS_MAX:
            raise InvalidInput(f"there are more than {GROUPS_MAX} groups: ask for fewer")
        return dict(series)

    async def _groups(self, query: SeriesQuery, values: set[str]) -> Mapping[str, str]:
        """Value of the column → what its group is called."""
        if query.by is GroupBy.CUSTOMER_ID:
            return await customers_of(self.owners, query.namespace, values)
        if query.by is GroupBy.EVENT_STATUS:
            return {
                one: PROCESSED if IngestionStatus(one).is_completed else UNPROCESSED
                for one in values
            }
        return {one: one for one in values}
