"""When entitlements are active, what they are worth, and what may be changed when."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monometer.core.balance import Balance
from monometer.core.changes import check_grant, check_reset, check_void
from monometer.core.entitlement import (
    Boolean,
    Entitlement,
    Metered,
    Static,
    Terms,
    Value,
    conflicting,
    current_usage_period,
    default_grant,
    value_of,
)
from monometer.core.errors import InvalidInput
from monometer.core.grant import Grant
from monometer.core.recurrence import Recurrence, parse_interval
from monometer.core.usage_periods import Reset
from monometer.core.windows import Period


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MONTHLY = Recurrence(parse_interval("MONTH"), utc("2024-01-01T00:00"))
METERED = Metered(usage_period=MONTHLY, measure_from=utc("2024-01-10T00:00"))
CREATED = utc("2024-01-10T00:00:22.1")
NOW = utc("2024-03-15T12:30:10")


def entitlement(
    active_from: str | None = None,
    active_to: str | None = None,
    deleted_at: str | None = None,
    terms: Terms = METERED,
) -> Entitlement:
    return Entitlement(
        namespace="default", id="e", feature_id="f", feature_key="calls", customer_id="c",
        subject=None, terms=terms, metadata=None, annotations=None,
        created_at=CREATED, updated_at=CREATED,
        active_from=utc(active_from) if active_from else None,
        active_to=utc(active_to) if active_to else None,
        deleted_at=utc(deleted_at) if deleted_at else None,
    )  # fmt: skip


def test_it_is_active_from_creation_until_its_end_or_deletion() -> None:
    assert not entitlement().is_active(utc("2024-01-10T00:00:22"))
    assert entitlement().is_active(CREATED)
    assert entitlement().is_active(utc("9998-01-01T00:00"))
    assert not entitlement(active_to="2024-02-01T00:00").is_active(utc("2024-02-01T00:00"))
    assert not entitlement(deleted_at="2024-02-01T00:00").is_active(utc("2024-02-01T00:00"))
    assert not entitlement(active_from="2024-02-01T00:00").is_active(utc("2024-01-31T00:00"))


@pytest.mark.parametrize(
    ("start", "end", "conflicts"),
    [
        ("2024-02-01T00:00", "2024-03-01T00:00", True),
        ("2024-02-29T23:59", "2025-01-01T00:00", True),
        ("2024-01-01T00:00", "2024-02-01T00:01", True),
        ("2024-03-01T00:00", "2024-04-01T00:00", False),  # touching
        ("2024-01-01T00:00", "2024-02-01T00:00", False),
        ("2024-02-15T00:00", "2024-02-15T00:00", False),  # empty
    ],
)
def test_two_conflict_when_both_are_active_at_some_instant(
    start: str, end: str, conflicts: bool
) -> None:
    other = entitlement("2024-02-01T00:00", "2024-03-01T00:00", terms=Boolean())
    period = Period(utc(start), utc(end))
    assert conflicting(period, [other]) is (other if conflicts else None)


@pytest.mark.parametrize(
    ("balance", "soft", "access"), [(0, False, False), (1, False, True), (0, True, True)]
)
def test_metered_has_access_with_a_balance_or_a_soft_limit(
    balance: int, soft: bool, access: bool
) -> None:
    stands = Balance(at=NOW, grants={"g": Decimal(balance)})
    terms = replace(METERED, is_soft_limit=soft)
    assert value_of(terms, stands) == Value(has_access=access, balance=stands)


def test_static_and_boolean_have_access_and_nothing_to_burn() -> None:
    assert value_of(Static(config='{"seats": 5}')) == Value(has_access=True, config='{"seats": 5}')
    assert value_of(Boolean()) == Value(has_access=True)


def test_metered_has_no_value_without_a_balance() -> None:
    with pytest.raises(ValueError, match="balance"):
        value_of(METERED)


def test_usage_period_of_static_and_boolean_follows_the_recurrence_alone() -> None:
    march = Period(utc("2024-03-01T00:00"), utc("2024-04-01T00:00"))
    assert current_usage_period(Static(config="1", usage_period=MONTHLY), NOW) == march
    assert current_usage_period(Boolean(), NOW) is None
    first = Period(utc("2024-01-10T00:00"), utc("2024-02-01T00:00"))
    assert current_usage_period(METERED, utc("2024-01-20T00:00")) == first


def test_default_grant_is_there_only_for_an_amount() -> None:
    assert default_grant(METERED, id="g", entitlement_id="e", now=NOW) is None
    terms = replace(METERED, issue_after_reset=Decimal(5), issue_after_reset_priority=9)
    grant = default_grant(terms, id="g", entitlement_id="e", now=NOW)
    assert grant is not None
    assert grant.amount == grant.min_rollover == grant.max_rollover == 5
    assert (grant.priority, grant.expiration) == (9, None)
    assert grant.effective_at == utc("2024-03-01T00:00")
    assert grant.annotations == {"issueAfterReset": True}


def test_last_reset_is_the_last_one_by_hand() -> None:
    assert METERED.usage_periods.last_reset == METERED.measure_from
    resets = tuple(
        Reset(at=utc(at), retain_anchor=True, preserve_overage=False)
        for at in ("2024-03-10T00:00", "2024-02-10T00:00")
    )
    periods = replace(METERED, resets=resets).usage_periods
    assert periods.last_reset == utc("2024-03-10T00:00")
    assert periods.current_recurrence == MONTHLY


def _grant(effective_at: str, voided_at: str | None = None) -> Grant:
    return Grant(
        id="g", entitlement_id="e", amount=Decimal(1), priority=0, effective_at=utc(effective_at),
        voided_at=utc(voided_at) if voided_at else None, created_at=CREATED, updated_at=CREATED,
    )  # fmt: skip


def test_grant_begins_in_the_current_usage_period_or_later() -> None:
    check_grant(METERED, _grant("2024-03-01T00:00"), NOW)
    check_grant(METERED, _grant("2030-03-01T00:00"), NOW)
    with pytest.raises(InvalidInput, match="is before the current usage period"):
        check_grant(METERED, _grant("2024-02-29T23:59"), NOW)


@pytest.mark.parametrize(
    ("at", "voided", "message"),
    [
        ("2024-03-15T12:30", None, None),
        ("2024-03-01T00:00", None, None),
        ("2024-02-29T23:59", None, "before"),
        ("2024-03-15T12:31", None, "in the future"),
        ("2024-03-15T12:30", "2024-03-02T00:00", "grant already voided"),
    ],
)
def test_grant_is_voided_once_and_within_the_current_usage_period(
    at: str, voided: str | None, message: str | None
) -> None:
    grant = _grant("2024-03-01T00:00", voided)
    if message is None:
        check_void(METERED, grant, utc(at), NOW)
    else:
        with pytest.raises(InvalidInput, match=message):
            check_void(METERED, grant, utc(at), NOW)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("2024-03-15T12:30", None),
        ("2024-03-01T00:00", None),  # a start of a period
        ("2024-02-29T23:59", "is before current usage period start"),
        ("2024-03-15T12:31", "in the future"),
        ("2024-01-10T00:00", "must be after last reset"),
        ("2024-01-09T00:00", "must be after last reset"),
    ],
)
def test_reset_lies_within_the_current_usage_period(at: str, message: str | None) -> None:
    if message is None:
        check_reset(METERED, utc(at), NOW)
    else:
        with pytest.raises(InvalidInput, match=message):
            check_reset(METERED, utc(at), NOW)


def test_reset_comes_after_the_last_one() -> None:
    reset = Reset(at=utc("2024-03-10T00:00"), retain_anchor=False, preserve_overage=False)
    terms = replace(METERED, resets=(reset,))
    check_reset(terms, utc("2024-03-10T00:01"), NOW)
    with pytest.raises(InvalidInput, match="must be after last reset"):
        check_reset(terms, utc("2024-03-10T00:00"), NOW)
