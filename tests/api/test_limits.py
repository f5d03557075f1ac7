"""Every limit on what is sent: at the limit it is taken, above it the limit is named."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest
from tests.support.metering import refusal
from tests.support.sending import BATCH, NDJSON, STRICT_LIMITS, Sender, event, with_data

from monometer.app import create_app
from monometer.config import Settings

MIB = 1024 * 1024
BODY_BYTES_MAX = STRICT_LIMITS["body_bytes_max"]
EVENTS_MAX = STRICT_LIMITS["batch_events_max"]
DATA_BYTES_MAX = STRICT_LIMITS["data_bytes_max"]
DEPTH_MAX = STRICT_LIMITS["json_depth_max"]
TEXT_BYTES_MAX = STRICT_LIMITS["text_bytes_max"]


def padded(size: int) -> bytes:
    return json.dumps(event()).encode().ljust(size)


def chunks(body: bytes) -> Iterator[bytes]:
    for at in range(0, len(body), 65_536):
        yield body[at : at + 65_536]


def too_large(bytes_max: int) -> tuple[int, str]:
    return 413, f"request entity too large error: the body exceeds {bytes_max} bytes"


@pytest.mark.parametrize("chunked", [False, True])
def test_body_is_bounded(strict_sender: Sender, chunked: bool) -> None:
    form = chunks if chunked else bytes
    strict_sender.accept(form(padded(BODY_BYTES_MAX)))
    for size in (BODY_BYTES_MAX + 1, 5 * MIB):
        assert refusal(strict_sender.send(form(padded(size)))) == too_large(BODY_BYTES_MAX)


@pytest.mark.parametrize("chunked", [False, True])
def test_body_may_have_16_mib_by_default(sender: Sender, chunked: bool) -> None:
    form = chunks if chunked else bytes
    sender.accept(form(padded(16 * MIB)))
    assert refusal(sender.send(form(padded(16 * MIB + 1)))) == too_large(16 * MIB)


def test_refusal_of_a_large_body_leaves_the_connection_usable(strict_sender: Sender) -> None:
    for _ in range(3):
        assert strict_sender.send(padded(2 * MIB)).status_code == 413
        strict_sender.accept(event())


@pytest.mark.parametrize("path", ["/api/v1/meters", "/api/v1/meters/x/query", "/nowhere"])
def test_limit_of_the_body_holds_for_every_path_that_reads_one(
    strict_sender: Sender, path: str
) -> None:
    body = padded(BODY_BYTES_MAX + 1)
    answer = strict_sender.http.post(path, content=body)
    assert refusal(answer)[0] == (404 if path == "/nowhere" else 413)


@pytest.mark.parametrize("media_type", [BATCH, NDJSON, "application/json"])
def test_events_of_a_request_are_bounded(strict_sender: Sender, media_type: str) -> None:
    def body(count: int, **members: object) -> str:
        events = [json.dumps(event(subject="s", **members)) for _ in range(count)]
        return "\n".join(events) if media_type == NDJSON else f"[{','.join(events)}]"

    strict_sender.accept(body(EVENTS_MAX), media_type)
    for too_many in (body(EVENTS_MAX + 1), body(EVENTS_MAX + 1, id=""), body(50)):
        answer = strict_sender.send(too_many, media_type)
        assert refusal(answer) == (
            400, f"invalid event: more than {EVENTS_MAX} events in one request",
        )  # fmt: skip


def test_ten_thousand_events_are_taken_by_default(sender: Sender) -> None:
    kind, subject = event()["type"], event()["subject"]
    sent = [event(type=kind, subject=subject, time="2024-01-01T00:00:00Z") for _ in range(10_001)]
    answer = sender.send(sent)
    assert refusal(answer) == (400, "invalid event: more than 10000 events in one request")
    sender.accept(sent[:-1])


def test_many_bad_events_are_not_all_looked_at(sender: Sender) -> None:
    """Sixteen MiB hold millions of them."""
    for body, media_type in ((b"[" + b"{}," * 5_000_000 + b"{}]", BATCH), (b"5\n" * MIB, NDJSON)):
        answer = sender.send(body, media_type, prefer="handling=lenient")
        assert refusal(answer) == (400, "invalid event: more than 10000 events in one request")
        assert answer.elapsed.total_seconds() < 5


def test_data_is_bounded(strict_sender: Sender) -> None:
    def data(size: int) -> str:
        return '{"a": "' + "x" * (size - 9) + '"}'

    strict_sender.accept(with_data(data(DATA_BYTES_MAX), subject="s"))
    reasons = strict_sender.reasons(with_data(data(DATA_BYTES_MAX + 1), subject="s"))
    assert reasons == {"/data": f"must not be larger than {DATA_BYTES_MAX} bytes"}


def test_data_is_measured_in_bytes(strict_sender: Sender) -> None:
    data = '{"a": "' + "é" * (DATA_BYTES_MAX // 2 - 4) + '"}'
    assert len(data) < DATA_BYTES_MAX < len(data.encode())
    assert list(strict_sender.reasons(with_data(data, subject="s"))) == ["/data"]


def test_digits_of_all_numbers_together_are_bounded(strict_sender: Sender) -> None:
    strict_sender.accept(with_data('{"a": [1e99, 1e-99, 1e98, 0]}', subject="s"))
    for numbers in ("1e99, 1e-99, 1e99, 1e0", "1e299, 1.5", "1e-300"):
        reasons = strict_sender.reasons(with_data(f'{{"a": [{numbers}]}}', subject="s"))
        assert reasons == {
            "/data": f"must not hold numbers of more than {DATA_BYTES_MAX} digits in all"
        }


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ('{"a": [[[1]]]}', 4),
        ('{"a": {"b": {"c": {}}}}', 4),
        ('{"a": [{}, {}, [{}], [], {}, {}]}', 4),
        ('{"a": "[[[[[[", "}]": {"{{{\\"{{": "\\\\"}}', 2),
        ('{"a": [[[[1]]]]}', 5),
        ('{"a": [[[{}]]]}', 5),
        ('{"a": 1, "b": {"c": {"d": {"e": {}}}}}', 5),
        ('{"a": "\\"", "b": [[[[]]]]}', 5),
        ('{"a": "\\\\", "b": [[[[]]]]}', 5),
    ],
)
def test_depth_of_data_is_bounded(strict_sender: Sender, text: str, levels: int) -> None:
    body = with_data(text, subject="s")
    if levels <= DEPTH_MAX:
        strict_sender.accept(body)
    else:
        message = f"must not be nested deeper than {DEPTH_MAX} levels"
        assert strict_sender.reasons(body) == {"/data": message}


@pytest.mark.parametrize("character", ["x", "é", "日", "😀"])
@pytest.mark.parametrize("name", ["id", "source", "type", "subject"])
def test_texts_are_bounded_in_bytes(strict_sender: Sender, name: str, character: str) -> None:
    width = len(character.encode())
    short = {"id": None, "source": "s", "type": "t", "subject": "s"}
    filling = character * (TEXT_BYTES_MAX // width) + "y" * (TEXT_BYTES_MAX % width)
    members = {**short, "id": event()["id"], name: filling}
    strict_sender.accept(event(**members))
    reasons = strict_sender.reasons(event(**{**members, name: filling + "z"}))
    assert reasons == {f"/{name}": f"must not be longer than {TEXT_BYTES_MAX} bytes"}


def test_longest_texts_fit_the_database(sender: Sender) -> None:
    """All at once and hard to compress: an index row has its own limit."""
    letters = Random(1)  # noqa: S311 - texts, not secrets
    longest = {
        name: "".join(chr(letters.randrange(0x4E00, 0x9FFF)) for _ in range(341)) + "x"
        for name in ("id", "source", "type", "subject")
    }
    assert {len(text.encode()) for text in longest.values()} == {1024}
    sender.accept(event(**longest))
    assert sender.one_of(event(**longest))["id"] == longest["id"]


async def test_server_without_room_says_when_to_try_again(
    base_url: str, server_database_url: str, tmp_path: Path
) -> None:
    """A second server on the database of the first, whose queue has been closed."""
    assert base_url
    app = create_app(Settings(database_url=server_database_url, data_dir=tmp_path))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        assert (await client.post("/api/v1/events", json=event())).status_code == 204
        await app.state.services.ingestor.stop()
        answer = await client.post("/api/v1/events", json=event())
        assert refusal(answer) == (503, "the server is stopping")
        assert answer.headers["retry-after"] == "1"
        answer = await client.post("/api/v1/events", json=event(id=""))
        assert refusal(answer)[0] == 400
