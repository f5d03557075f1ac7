"""What is asked of the meters of a test, and the answers that its events must give."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from tests.chaos.ledger import EPOCH, Sent

Row = tuple[object, ...]  # the start of its window, if asked by windows; its group, if by a group
Usage = dict[Row, Decimal]

METERS: Final[Mapping[str, Mapping[str, object]]] = {
    "count": {"aggregation": "COUNT"},
    "sum": {
        "aggregation": "SUM",
        "valueProperty": "$.value",
        "groupBy": {"model": "$.model"},
    },
    "users": {
        "aggregation": "UNIQUE_COUNT",
        "valueProperty": "$.user",
        "groupBy": {"model": "$.model"},
    },
}
_FOLDS: Final[Mapping[str, Callable[[Sequence[Sent]], Decimal]]] = {
    "count": lambda events: Decimal(len(events)),
    "sum": lambda events: sum((one.value for one in events), Decimal(0)),
    "users": lambda events: Decimal(len({one.user for one in events})),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`by` is an attribute of an event and the same word in `groupBy`; `period` is half-open."""

    meter: str
    by: str | None = None
    window_size: str | None = None
    period: tuple[datetime, datetime] | None = None

    def to_wire(self) -> dict[str, object]:
        start, end = self.period or (None, None)
        asked = {
            "groupBy": [self.by] if self.by else None,
            "windowSize": self.window_size,
            "from": start.isoformat() if start else None,
            "to": end.isoformat() if end else None,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def answer(self, events: Iterable[Sent]) -> Usage:
        """Over these events, each once."""
        by_row: dict[Row, list[Sent]] = {}
        for one in events:
            if self.period is None or self.period[0] <= one.time < self.period[1]:
                by_row.setdefault(self._row_of(one), []).append(one)
        return {row: _FOLDS[self.meter](of_row) for row, of_row in by_row.items()}

    def _row_of(self, one: Sent) -> Row:
        window: Row = () if self.window_size is None else (_start(self.window_size, one.time),)
        return window if self.by is None else (*window, getattr(one, self.by))

    def row_from_wire(self, row: Mapping[str, object]) -> Row:
        window: Row = ()
        if self.window_size is not None:
            window = (datetime.fromisoformat(str(row["windowStart"])),)
        if self.by is None:
            return window
        groups = row["groupBy"]
        assert isinstance(groups, dict)
        return (*window, row["subject"] if self.by == "subject" else groups[self.by])


def _start(window_size: str, at: datetime) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour if window_size == "HOUR" else hour.replace(hour=0)


# Each is answered from cells of one kind or the other; the last two need rows at the edges too.
_RAGGED: Final = (EPOCH + timedelta(hours=7, minutes=20), EPOCH + timedelta(hours=58, minutes=3))
QUESTIONS: Final = (
    Question(meter="count"),
    Question(meter="count", by="subject", window_size="DAY"),
    Question(meter="sum", by="model", window_size="HOUR"),
    Question(meter="sum", by="subject"),
    Question(meter="users"),
    Question(meter="users", by="model", window_size="DAY"),
    Question(meter="users", by="subject"),
    Question(meter="sum", by="model", period=_RAGGED),
    Question(meter="users", by="subject", period=_RAGGED),
)
