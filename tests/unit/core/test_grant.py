"""What can be said of a grant alone."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monometer.core.errors import InvalidInput
from monometer.core.event import TIME_END
from monometer.core.grant import Expiration, ExpirationUnit, Grant, validate_grant
from monometer.core.recurrence import Recurrence, parse_interval


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


GRANT = Grant(
    id="g", entitlement_id="e", amount=Decimal(100), priority=1,
    effective_at=utc("2024-01-10T00:00"),
    created_at=utc("2024-01-09T00:00"), updated_at=utc("2024-01-09T00:00"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("start", "unit", "count", "end"),
    [
        ("2024-01-31T10:00", "MONTH", 1, "2024-03-02T10:00"),
        ("2023-01-31T10:00", "MONTH", 1, "2023-03-03T10:00"),
        ("2024-02-29T00:00", "YEAR", 1, "2025-03-01T00:00"),
        ("2024-02-29T00:00", "YEAR", 4, "2028-02-29T00:00"),
        ("2024-08-31T00:00", "MONTH", 6, "2025-03-03T00:00"),
        ("2024-01-15T00:00", "MONTH", 12, "2025-01-15T00:00"),
        ("2024-02-28T12:00", "HOUR", 36, "2024-03-01T00:00"),
        ("2024-02-28T00:00", "DAY", 2, "2024-03-01T00:00"),
        ("2024-02-26T00:00", "WEEK", 1, "2024-03-04T00:00"),
    ],
)
def test_expiry_overflows_short_months(start: str, unit: str, count: int, end: str) -> None:
    assert Expiration(ExpirationUnit(unit), count).after(utc(start)) == utc(end)


def test_expiry_stops_at_the_end_of_time() -> None:
    assert Expiration(ExpirationUnit.YEAR, 1000).after(utc("9000-01-31T00:00")) == TIME_END
    assert Expiration(ExpirationUnit.WEEK, 1000).after(utc("9998-01-31T00:00")) == TIME_END


def test_grant_is_active_from_its_start_until_just_before_its_end() -> None:
    grant = replace(GRANT, expiration=Expiration(ExpirationUnit.DAY, 1))
    assert not grant.is_active(utc("2024-01-09T23:59"))
    assert grant.is_active(utc("2024-01-10T00:00"))
    assert grant.is_active(utc("2024-01-10T23:59"))
    assert not grant.is_active(utc("2024-01-11T00:00"))


def test_grant_ends_with_whatever_comes_first() -> None:
    grant = replace(GRANT, expiration=Expiration(ExpirationUnit.DAY, 1))
    assert replace(grant, voided_at=utc("2024-01-10T12:00")).ends_at == utc("2024-01-10T12:00")
    assert replace(grant, voided_at=utc("2024-01-12T12:00")).ends_at == utc("2024-01-11T00:00")
    assert replace(grant, deleted_at=utc("2024-01-10T13:00")).ends_at == utc("2024-01-10T13:00")


def test_next_recurrence_is_not_before_the_start_and_cares_for_no_end() -> None:
    daily = Recurrence(parse_interval("DAY"), utc("2024-01-01T06:00"))
    grant = replace(GRANT, recurrence=daily, voided_at=utc("2024-01-11T00:00"))
    assert grant.next_recurrence(utc("2024-01-05T00:00")) == utc("2024-01-10T06:00")
    assert grant.next_recurrence(utc("2024-02-01T07:00")) == utc("2024-02-02T06:00")
    assert GRANT.next_recurrence(utc("2024-01-05T00:00")) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal(-1)}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"amount": Decimal("Infinity")}, "amount"),
        ({"amount": Decimal("1e1000")}, "amount"),
        ({"min_rollover": Decimal(-1)}, "minRolloverAmount"),
        ({"max_rollover": Decimal("1e-1001")}, "maxRolloverAmount"),
        ({"priority": 256}, "priority"),
        ({"priority": -1}, "priority"),
        ({"expiration": Expiration(ExpirationUnit.DAY, 0)}, "expiration.count"),
        ({"expiration": Expiration(ExpirationUnit.DAY, 1001)}, "expiration.count"),
    ],
)
def test_wrong_grant_is_refused_by_the_name_of_its_field(
    change: dict[str, object], field: str
) -> None:
    validate_grant(GRANT)
    with pytest.raises(InvalidInput) as refused:
        validate_grant(replace(GRANT, **change))  # type: ignore[arg-type]
    assert [problem.field for problem in refused.value.fields] == [field]
