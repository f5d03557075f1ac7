"""(source, id) is stored once, for ever; and what is accepted is there at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.metering import Metering, at
from tests.support.sending import INGEST, Event, Sender, event

from monometer.app import create_app
from monometer.config import Settings

REPRESENTATION = {"prefer": "return=representation"}


def statuses(sender: Sender, sent: Event | list[Event]) -> list[str]:
    answer = sender.send(sent, **REPRESENTATION)
    assert answer.status_code == 200, answer.text
    return [one["status"] for one in answer.json()["results"]]


def test_second_request_is_a_duplicate(sender: Sender) -> None:
    sent = event()
    assert [statuses(sender, sent) for _ in range(3)] == [
        ["accepted"], ["duplicate"], ["duplicate"],
    ]  # fmt: skip
    assert len(sender.of_subject(sent["subject"])) == 1


def test_first_of_a_batch_wins(sender: Sender) -> None:
    first = event(data={"v": 1})
    second = {**first, "data": {"v": 2}}
    assert statuses(sender, [first, second, first]) == ["accepted", "duplicate", "duplicate"]
    assert sender.one_of(first)["data"] == {"v": 1}


def test_first_one_ever_stored_stays(sender: Sender) -> None:
    first = event(data={"v": 1}, time="2024-01-01T00:00:00Z")
    sender.accept(first)
    for change in ({"type": "x"}, {"data": {"v": 2}}, {"time": "2024-02-01T00:00:00Z"}):
        assert statuses(sender, {**first, **change}) == ["duplicate"]
    found = sender.one_of(first)
    assert (found["data"], found["type"], found["time"]) == (
        {"v": 1}, first["type"], "2024-01-01T00:00:00Z",
    )  # fmt: skip


def test_other_subject_does_not_make_another_event(sender: Sender) -> None:
    first, other = event(), event()
    sender.accept(first)
    sender.accept({**first, "subject": other["subject"]})
    assert sender.of_subject(other["subject"]) == []


def test_other_source_makes_another_event(sender: Sender) -> None:
    first = event()
    assert statuses(sender, [first, {**first, "source": "other"}]) == ["accepted", "accepted"]


def test_source_and_id_are_not_run_together(sender: Sender) -> None:
    text = event()["id"]
    sent = [
        event(source=source, id=id_)
        for source, id_ in (
            (text, "bc"), (f"{text}b", "c"), (f"{text}:b", "c"), (text, ":b:c"), (f"{text}-", "x"),
            (text, "-x"), (text, "BC"), (text, "bc "), (text, "b\u0063\u0301"), (text, "bć"),
        )
    ]  # fmt: skip
    assert statuses(sender, sent) == ["accepted"] * len(sent)


def test_rejected_event_does_not_take_its_key(sender: Sender) -> None:
    sent = event()
    assert sender.send({**sent, "time": "never"}).status_code == 400
    assert statuses(sender, sent) == ["accepted"]


def test_duplicate_in_a_batch_does_not_keep_the_others_out(sender: Sender) -> None:
    old, new = event(), event()
    sender.accept(old)
    assert statuses(sender, [old, new, old]) == ["duplicate", "accepted", "duplicate"]


@pytest.fixture(scope="module")
async def second_server(
    base_url: str, server_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """Another server on the database of `base_url`, which has migrated it."""
    assert base_url
    directory = Path(tmp_path_factory.mktemp("second"))
    app = create_app(Settings(database_url=server_database_url, data_dir=directory))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
    ):
        yield client


@pytest.mark.parametrize("servers", [1, 2])
async def test_concurrent_requests_store_each_event_once(
    base_url: str, second_server: httpx.AsyncClient, servers: int
) -> None:
    """Overlapping batches in different orders; every event is accepted by exactly one of them."""
    subject = event()["subject"]
    events = [event(subject=subject) for _ in range(60)]
    batches = [events[at : at + 20] for at in range(0, 45, 5)] * 4
    batches = [batch[::-1] if i % 2 else batch for i, batch in enumerate(batches)]
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        clients = [client, second_server][:servers]
        answers = await asyncio.gather(
            *(
                clients[i % servers].post(INGEST, json=batch, headers=REPRESENTATION)
                for i, batch in enumerate(batches)
            )
        )
    results: list[Any] = [one for answer in answers for one in answer.json()["results"]]
    accepted = Counter(one["id"] for one in results if one["status"] == "accepted")
    assert set(accepted.values()) == {1}
    assert set(accepted) == {one["id"] for one in events}
    with Sender(base_url) as sender:
        listed = [one["id"] for one in sender.of_subject(subject)]
    assert sorted(listed) == sorted(accepted)


def test_accepted_event_is_in_the_next_answer(base_url: str, sender: Sender) -> None:
    with Metering(base_url) as metering:
        meter = metering.create("SUM")
        for total in range(1, 21):
            metering.send(meter, at(subject=meter["slug"], data={"v": 1}))
            assert metering.value(meter) == total
            assert len(sender.of_subject(meter["slug"])) == total
