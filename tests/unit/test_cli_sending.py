"""Batches, totals and pauses of `monometer ingest`."""

import pytest

from monometer.cli import sending
from monometer.cli.lines import Ready, Refused
from monometer.cli.sending import PAUSE_S_MAX, REFUSALS_SHOWN, Totals, batches, pause_s


def ready(count: int, size: int = 10) -> list[Ready]:
    return [Ready(line, b"x" * size) for line in range(1, count + 1)]


def test_batches_hold_all_events_in_order_and_never_too_many() -> None:
    found = list(batches(ready(25), 10, Totals()))
    assert [len(batch) for batch in found] == [10, 10, 5]
    assert [row.line for batch in found for row in batch] == list(range(1, 26))


def test_batches_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH_BYTES_MAX", 100)
    found = list(batches(ready(5, size=45), 10, Totals()))
    assert [len(batch) for batch in found] == [2, 2, 1]


def test_an_event_larger_than_a_batch_travels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH_BYTES_MAX", 100)
    rows = [Ready(1, b"x"), Ready(2, b"x" * 500), Ready(3, b"x")]
    assert [[row.line for row in batch] for batch in batches(rows, 10, Totals())] == [[1], [2], [3]]


def test_refused_lines_are_counted_and_not_sent() -> None:
    totals = Totals()
    rows: list[Ready | Refused] = [Ready(1, b"{}"), Refused(2, "no"), Ready(3, b"{}")]
    assert list(batches(rows, 10, totals)) == [[rows[0], rows[2]]]
    assert (totals.rejected, totals.refusals) == (1, [Refused(2, "no")])


def test_the_refusals_shown_are_those_nearest_to_the_top() -> None:
    totals = Totals()
    for line in range(100, 0, -1):
        totals.add(refused=[Refused(line, "no")])
    assert totals.rejected == 100
    assert [each.line for each in totals.refusals] == list(range(1, REFUSALS_SHOWN + 1))


@pytest.mark.parametrize(
    ("attempt", "retry_after", "expected"),
    [
        (1, None, 0.5),
        (2, None, 1.0),
        (3, "7", 7.0),
        (3, "0", 0.0),
        (20, None, PAUSE_S_MAX),
        (1, "86400", PAUSE_S_MAX),
        (1, "Wed, 21 Oct 2015 07:28:00 GMT", 0.5),
        (1, "-1", 0.5),
    ],
)
def test_pauses(attempt: int, retry_after: str | None, expected: float) -> None:
    assert pause_s(attempt, retry_after) == expected
