"""What was sent, what the server said of it, and what usage must therefore be."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

SUBJECTS = tuple(f"subject-{number}" for number in range(20))
PLACES = ("east", "west")
MODELS = ("large", "small", "tiny")
USERS = tuple(f"user-{number}" for number in range(300))
EPOCH = datetime(2025, 3, 1, tzinfo=UTC)
SPREAD = timedelta(days=3)  # few hours for many events: most folds meet a cell that is there

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """One event. `value` has two places, so that a sum in floating point would be found out."""

    source: str
    id: str
    subject: str
    time: datetime
    value: Decimal
    model: str
    user: str

    @property
    def key(self) -> Key:
        return self.source, self.id

    def to_wire(self, event_type: str, padding: str = "") -> dict[str, object]:
        return {
            "specversion": "1.0",
            "source": self.source,
            "id": self.id,
            "type": event_type,
            "subject": self.subject,
            "time": self.time.isoformat(),
            "data": {"value": float(self.value), "model": self.model, "user": self.user}
            | ({"padding": padding} if padding else {}),
        }


@dataclass(slots=True)
class Ledger:
    """Every event of one test, which has an event type and sources of its own.

    An event is acknowledged once any request that carried it was answered with 204. One that never
    was may be stored or not: nobody was told.
    """

    event_type: str = field(default_factory=lambda: f"chaos-{uuid4().hex}")
    sent: dict[Key, Sent] = field(default_factory=dict)
    acknowledged: set[Key] = field(default_factory=set)
    figures: Counter[str] = field(default_factory=Counter)
    _order: list[Sent] = field(default_factory=list)

    def slug(self, meter: str) -> str:
        """Of the meter of that name over these events."""
        return f"{self.event_type.replace('-', '_')}_{meter}"

    def draw(self, rng: random.Random, events: int, *, repeated: float) -> list[Sent]:
        """The events of a new request, which count as sent from now on.

        About the share `repeated` of them was sent before, by anybody, and may be in flight.
        """
        drawn: list[Sent] = []
        for _ in range(events):
            if self._order and rng.random() < repeated:
                # Mostly recent ones: those meet the first attempt while it is not committed.
                back = min(len(self._order), 1 + int(rng.expovariate(0.02)))
                drawn.append(self._order[-back])
                continue
            new = Sent(
                source=f"{self.event_type}/{rng.choice(PLACES)}",
                id=f"{rng.getrandbits(96):024x}",
                subject=rng.choice(SUBJECTS),
                time=EPOCH + SPREAD * rng.random(),
                value=Decimal(rng.randrange(1, 100_000)).scaleb(-2),
                model=rng.choice(MODELS),
                user=rng.choice(USERS),
            )
            self.sent[new.key] = new
            self._order.append(new)
            drawn.append(new)
        return drawn

    def acknowledge(self, events: Iterable[Sent]) -> None:
        self.acknowledged.update(one.key for one in events)
