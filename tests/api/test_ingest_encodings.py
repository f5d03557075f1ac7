"""Packed bodies: gzip is unpacked within the limit, whatever is wrong with it is told."""

import gzip
import json
import time
import zlib
from collections.abc import Iterator

import httpx
import pytest
from tests.support.metering import refusal
from tests.support.sending import NDJSON, STRICT_LIMITS, Sender, event

BODY_BYTES_MAX = STRICT_LIMITS["body_bytes_max"]
TOO_LARGE = (413, f"request entity too large error: the body exceeds {BODY_BYTES_MAX} bytes")


def pack(body: str, size: int = 0) -> bytes:
    return gzip.compress(body.ljust(size).encode(), mtime=0)


def packed_event() -> bytes:
    return pack(json.dumps(event()))


def send(sender: Sender, body: bytes | Iterator[bytes], encoding: str = "gzip") -> httpx.Response:
    return sender.send(body, content_encoding=encoding)


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


@pytest.mark.parametrize("encoding", ["gzip", "GZip", "x-gzip"])
def test_gzip_is_unpacked(sender: Sender, encoding: str) -> None:
    sent = event()
    assert send(sender, pack(json.dumps(sent)), encoding).status_code == 204
    assert sender.one_of(sent)["id"] == sent["id"]


def test_every_media_type_may_be_packed(sender: Sender) -> None:
    subject = event()["subject"]
    lines = "\n".join(json.dumps(event(subject=subject)) for _ in range(3))
    sender.accept(pack(lines), NDJSON, content_encoding="gzip")
    assert len(sender.of_subject(subject)) == 3


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_gzip_may_come_in_chunks(sender: Sender, size: int) -> None:
    assert send(sender, pieces(packed_event(), size)).status_code == 204


def test_identity_is_no_encoding(sender: Sender) -> None:
    assert send(sender, json.dumps(event()).encode(), "identity").status_code == 204


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, gzip", "nonsense"])
def test_other_encodings_are_refused(sender: Sender, encoding: str) -> None:
    answer = send(sender, packed_event(), encoding)
    assert refusal(answer) == (400, f"unknown content encoding: {encoding}")


@pytest.mark.parametrize("kept", [1, 5, 10, 12, 30, -1, -4, -8])
@pytest.mark.parametrize("chunked", [False, True])
def test_truncated_gzip_is_refused(sender: Sender, kept: int, chunked: bool) -> None:
    body = packed_event()[:kept]
    answer = send(sender, pieces(body, 3) if chunked else body)
    assert refusal(answer) == (400, "the gzip body is incomplete")


@pytest.mark.parametrize("at", [0, 20, -2, -6])
def test_damaged_gzip_is_refused(sender: Sender, at: int) -> None:
    body = bytearray(packed_event())
    body[at] ^= 0xFF
    assert refusal(send(sender, bytes(body))) == (400, "the gzip body is damaged")


def test_what_is_not_gzip_is_refused(sender: Sender) -> None:
    plain = json.dumps(event()).encode()
    for body in (plain, zlib.compress(plain)):
        assert refusal(send(sender, body)) == (400, "the gzip body is damaged")


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_second_member_is_refused(sender: Sender, size: int) -> None:
    body = packed_event() + packed_event()
    answer = send(sender, pieces(body, size))
    assert refusal(answer) == (400, "the gzip body has more than one member")


def test_zeros_after_the_end_are_padding(sender: Sender) -> None:
    assert send(sender, packed_event() + bytes(1000)).status_code == 204


def test_gzip_of_nothing_is_an_empty_body(sender: Sender) -> None:
    answer = send(sender, pack(""))
    assert refusal(answer) == (400, "request body has an error: value is required but missing")


def test_gzip_that_is_not_declared_is_not_unpacked(sender: Sender) -> None:
    [(field, reason)] = sender.reasons(packed_event()).items()
    assert field == ""
    assert reason.startswith("is not valid JSON: ")


@pytest.mark.parametrize("chunked", [False, True])
def test_unpacked_size_is_bounded(strict_sender: Sender, chunked: bool) -> None:
    for excess in (1, BODY_BYTES_MAX, 1000 * BODY_BYTES_MAX):
        body = pack(json.dumps(event()), BODY_BYTES_MAX + excess)
        answer = send(strict_sender, pieces(body, 100) if chunked else body)
        assert refusal(answer) == TOO_LARGE
    body = pack(json.dumps(event()), BODY_BYTES_MAX)
    assert send(strict_sender, pieces(body, 100) if chunked else body).status_code == 204


def test_packed_size_is_bounded(strict_sender: Sender) -> None:
    body = packed_event()
    assert send(strict_sender, body.ljust(BODY_BYTES_MAX, b"\0")).status_code == 204
    assert refusal(send(strict_sender, body.ljust(BODY_BYTES_MAX + 1, b"\0"))) == TOO_LARGE
    padded = pieces(body.ljust(BODY_BYTES_MAX + 1, b"\0"), 1000)
    assert refusal(send(strict_sender, padded)) == TOO_LARGE


def test_endless_padding_ends_at_the_limit_at_once(sender: Sender) -> None:
    def padding() -> Iterator[bytes]:
        yield packed_event()
        for _ in range(300):
            yield bytes(65536)

    began = time.monotonic()
    assert refusal(send(sender, padding()))[0] == 413
    assert time.monotonic() - began < 5
