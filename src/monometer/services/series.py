"""What a series of metrics is asked for, and the calendar periods that it has points for.

Source: Togai's metrics.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from monometer.core.errors import InvalidInput
from monometer.core.ingestion import IngestionStatus
from monometer.core.usage import UTC_ZONE
from monometer.core.windows import WindowSize, floor, next_start
from monometer.services.owners import Owners

POINTS_MAX = 300
GROUPS_MAX = 1_000

Points: TypeAlias = dict[datetime, Decimal]


class GroupBy(StrEnum):
    ACCOUNT_ID = "ACCOUNT_ID"
    CUSTOMER_ID = "CUSTOMER_ID"
    USAGE_METER_ID = "USAGE_METER_ID"
    EVENT_STATUS = "EVENT_STATUS"
    RAW_EVENT_STATUS = "RAW_EVENT_STATUS"
    SCHEMA_NAME = "SCHEMA_NAME"


OF_USAGE = frozenset({GroupBy.ACCOUNT_ID, GroupBy.CUSTOMER_ID, GroupBy.USAGE_METER_ID})


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuery:
    """`start` is included, `end` excluded. None takes every meter, account, or customer.

    `meters` are ids or names, `customers` keys or ids; `schemas` and `statuses` are events'.
    """

    namespace: str
    start: datetime
    end: datetime
    size: WindowSize
    by: GroupBy | None = None
    meters: Collection[str] | None = None
    accounts: Collection[str] | None = None
    customers: Collection[str] | None = None
    schemas: Collection[str] | None = None
    statuses: Collection[IngestionStatus] | None = None


def starts_of(query: SeriesQuery) -> list[datetime]:
    """Of every period that has an instant of the time asked for. Raises InvalidInput."""
    if query.start >= query.end:
        raise InvalidInput("startTime must be before endTime")
    starts = [floor(query.start, query.size, UTC_ZONE)]
    while (following := next_start(starts[-1], query.size, UTC_ZONE)) < query.end:
        starts.append(following)
        if len(starts) > POINTS_MAX:
            raise InvalidInput(f"there are more than {POINTS_MAX} periods: ask for less time")
    return starts


async def subjects_asked(owners: Owners, query: SeriesQuery) -> tuple[str, ...] | None:
    """Whose usage is asked for; None for everybody's."""
    subjects = None if query.accounts is None else set(query.accounts)
    if query.customers is not None:
        theirs = await _subjects_of(owners, query.namespace, set(query.customers))
        subjects = theirs if subjects is None else subjects & theirs
    return None if subjects is None else tuple(sorted(subjects))


async def customers_of(owners: Owners, namespace: str, names: Collection[str]) -> dict[str, str]:
    """Account → key, or else id, of its customer, where there is one."""
    found = await owners.of_subjects(namespace, names)
    return {subject: one.key or one.id for subject, one in found.items()}


async def _subjects_of(owners: Owners, namespace: str, names: set[str]) -> set[str]:
    ids = set((await owners.customers.owners(namespace, names)).values())
    found = await owners.of_ids(namespace, ids)
    meant = sorted(one.id for one in found if {one.id, one.key} & names)
    theirs: Mapping[str, str] = await owners.customers.attribution(namespace, meant)
    return set(theirs)
