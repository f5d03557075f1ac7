"""The resolution of credits: whole minutes. What is kept goes down, what is asked goes up."""

from datetime import UTC, datetime

from monometer.core.event import TIME_END, TIME_MIN
from monometer.core.windows import MINUTE

LAST_MINUTE = TIME_END - MINUTE


def down_to_minute(at: datetime) -> datetime:
    """The minute that `at` lies in, in UTC; never outside the years that events may have."""
    return max(TIME_MIN, min(at.astimezone(UTC), LAST_MINUTE)).replace(second=0, microsecond=0)


def up_to_minute(at: datetime) -> datetime:
    """The first whole minute not before `at`, so that what happened in the running one counts.

    Source: OpenMeter rounds the instant of a balance up.
    """
    minute = down_to_minute(at)
    return minute if minute >= at else min(minute + MINUTE, LAST_MINUTE)
