"""How much is measured, and for how long."""

from dataclasses import dataclass, replace
from enum import StrEnum

LAYERS = 4  # of the large run: as many times the events, over the same days


class Section(StrEnum):
    """What may be measured by itself: the limits it is held against are measured with it."""

    EMPTY = "empty"
    """Ingest onto an empty table."""
    KEYS = "keys"
    """What asking for API keys costs."""
    ENTITLEMENTS = "entitlements"
    """What checks of access cost, and how fast limits are consumed."""
    QUERIES = "queries"
    PRELOADED = "preloaded"
    """Ingest onto a table that is not empty."""
    GROWTH = "growth"
    """LAYERS times the events, to see what grows."""
    FLIGHTS = "flights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`rounds` interleave a limit with what is measured against it; medians are reported."""

    name: str
    events: int
    """Preloaded, before queries and before ingest onto a table that is not empty."""
    rounds: int
    """Of the measurements that a goal depends on."""
    other_rounds: int
    run_s: float
    """Length of one run of the load generator, at most: it also ends when its events do."""
    run_events: int
    """Made for one run of batches; single events need fewer."""
    lag_run_s: float
    duplicates: tuple[float, ...] = (0.0, 0.01, 0.2)
    duplicates_preloaded: tuple[float, ...] = (0.0, 0.01, 0.2)
    sections: frozenset[Section] = frozenset(Section)
    limit_s: float
    """The whole run is given up after so long."""


FULL = Plan(
    name="full",
    events=5_000_000,
    rounds=3,
    other_rounds=1,
    run_s=2.5,
    run_events=200_000,
    lag_run_s=10.0,
    duplicates_preloaded=(0.0, 0.2),
    limit_s=3 * 3600,
)
QUICK = Plan(
    name="quick",
    events=300_000,
    rounds=3,
    other_rounds=1,
    run_s=1.0,
    run_events=50_000,
    lag_run_s=3.0,
    duplicates=(0.0, 0.2),
    duplicates_preloaded=(0.0, 0.2),
    sections=frozenset({Section.EMPTY, Section.QUERIES, Section.PRELOADED}),
    limit_s=600,
)
# To try the bench itself: its figures mean nothing.
TINY = replace(
    QUICK, name="tiny", events=20_000, rounds=1, run_s=0.3, run_events=10_000, lag_run_s=1.0
)
