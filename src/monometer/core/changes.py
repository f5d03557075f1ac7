"""What may be changed when: the past of closed usage periods stays as it was told.

Source: OpenMeter `entitlement/metered`, whose wording the messages keep.
"""

from datetime import datetime

from monometer.core.entitlement import Metered
from monometer.core.errors import InvalidInput
from monometer.core.grant import Grant


def check_grant(terms: Metered, grant: Grant, now: datetime) -> None:
    """Raises InvalidInput for a grant that begins before the current usage period."""
    start = terms.usage_periods.period_at(now).start
    if grant.effective_at < start:
        raise InvalidInput(
            f"grant effective date {grant.effective_at.isoformat()} is before "
            f"the current usage period {start.isoformat()}"
        )


def check_void(terms: Metered, grant: Grant, at: datetime, now: datetime) -> None:
    """Raises InvalidInput for a void that comes twice, ahead of time or before the period.

    `at` is a whole minute.
    """
    if grant.voided_at is not None:
        raise InvalidInput("grant already voided")
    if at > now:
        raise InvalidInput(f"cannot void grant at {at.isoformat()} in the future")
    start = terms.usage_periods.period_at(now).start
    if at < start:
        raise InvalidInput(
            f"cannot void grant at {at.isoformat()} before "
            f"the current usage period {start.isoformat()}"
        )


def check_reset(terms: Metered, at: datetime, now: datetime) -> None:
    """Raises InvalidInput for a reset ahead of time, before the period or the last reset.

    `at` is a whole minute. One at the start of a usage period is fine.
    """
    periods = terms.usage_periods
    if at > now:
        raise InvalidInput(f"cannot reset at {at.isoformat()} in the future")
    if at <= periods.last_reset:
        raise InvalidInput(
            f"reset at {at.isoformat()} must be after last reset at "
            f"{periods.last_reset.isoformat()}"
        )
    start = periods.period_at(now).start
    if at < start:
        raise InvalidInput(
            f"reset at {at.isoformat()} is before current usage period start {start.isoformat()}"
        )
