"""What a run of a chaos test is made of: its seed, and everything that follows from it."""

import os
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.ledger import Ledger

_SEED: Final = os.environ.get("CHAOS_SEED")  # noqa: TID251 - the tests' own settings
RUNS: Final = int(os.environ.get("CHAOS_RUNS", "1"))  # noqa: TID251 - same
ROUNDS: Final = int(os.environ.get("CHAOS_ROUNDS", "1"))  # noqa: TID251 - same

FIRST_SEED: Final = int(_SEED) if _SEED else secrets.randbits(31)
IS_ASKED_FOR: Final = _SEED is not None or RUNS > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`directory` is the run's own: PostgreSQL's user may pass it, and it goes at the end.

    The seed decides what is sent and when something is hurt. How processes interleave it cannot.
    """

    seed: int
    directory: Path
    rng: random.Random
    record: Callable[[str], None]
    ledger: Ledger = field(default_factory=Ledger)

    def hurts(self, *ways: str, longer: Sequence[str] = ()) -> list[str]:
        """Each of these ways to hurt once a round, in any order; those of `longer` in longer runs.

        A run is longer when it has more than one round.
        """
        turns = [*ways, *(longer if ROUNDS > 1 else ())] * ROUNDS
        return self.rng.sample(turns, len(turns))

    def tell(self, **more: object) -> None:
        """Hand the figures of this run to the summary that a longer test run ends with."""
        figures = {**self.ledger.figures, **more}
        told = ", ".join(f"{name.replace('_', ' ')} {figure}" for name, figure in figures.items())
        self.record(f"seed {self.seed}: {told}")
