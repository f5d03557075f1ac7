"""How large the property tests run: HYPOTHESIS_PROFILE=night for a long search."""

import os
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.zones import changes, years_apart, zone_names

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]

# By day the same examples every time: a failure is the change's own fault.
settings.register_profile(
    "day", max_examples=100, derandomize=True, deadline=None, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile(
    "night", max_examples=5_000, deadline=None, print_blob=True,
    suppress_health_check=_SLOW_IS_FINE,
)  # fmt: skip
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "day"))  # noqa: TID251 - tests only


@pytest.fixture(scope="session")
async def agreed_changes(engine: AsyncEngine) -> dict[str, list[datetime]]:
    """Every zone's clock changes, but for years near which Python and PostgreSQL do not agree.

    A zone whose clocks never change in these years has one instant like any other.
    """
    found = {}
    for name in sorted(zone_names()):
        apart = await years_apart(engine, name)
        found[name] = [
            at
            for at in changes(name) or [datetime(2024, 2, 29, 12, tzinfo=UTC)]
            if apart.isdisjoint({at.year - 1, at.year, at.year + 1})
        ]
    return found
