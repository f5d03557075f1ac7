"""Grants as somebody asks for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from monometer.core.changes import check_grant
from monometer.core.entitlement import Metered
from monometer.core.event import Json
from monometer.core.grant import Expiration, Grant, validate_grant
from monometer.core.meter import Metadata
from monometer.core.minutes import down_to_minute
from monometer.core.recurrence import Interval, Recurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """A grant to be. A recurrence without an anchor is anchored where the grant begins."""

    amount: Decimal
    effective_at: datetime
    priority: int = 0
    expiration: Expiration | None = None
    recurrence_interval: Interval | None = None
    recurrence_anchor: datetime | None = None
    min_rollover: Decimal = Decimal(0)
    max_rollover: Decimal = Decimal(0)
    metadata: Metadata | None = None
    annotations: Mapping[str, Json] | None = None


def grant_of(
    new: NewGrant, entitlement_id: str, terms: Metered, *, id_: str, now: datetime
) -> Grant:
    """Raises InvalidInput for a broken rule, and for one that begins before the usage period."""
    effective_at = down_to_minute(new.effective_at)
    recurrence = None
    if new.recurrence_interval is not None:
        anchor = down_to_minute(new.recurrence_anchor or effective_at)
        recurrence = Recurrence(new.recurrence_interval, anchor)
    grant = Grant(
        id=id_,
        entitlement_id=entitlement_id,
        amount=new.amount,
        priority=new.priority,
        effective_at=effective_at,
        expiration=new.expiration,
        recurrence=recurrence,
        min_rollover=new.min_rollover,
        max_rollover=new.max_rollover,
        metadata=new.metadata or None,
        annotations=new.annotations or None,
        created_at=now,
        updated_at=now,
    )
    validate_grant(grant)
    check_grant(terms, grant, now)
    return grant
