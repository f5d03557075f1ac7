"""The media types of ingest: a request's body becomes its events, in their order."""

import json
from collections.abc import Callable, Mapping
from urllib.parse import unquote

import msgspec

from monometer.api.openmeter.cloudevents import (
    Decoded,
    Reception,
    WireEvent,
    decode_one,
    normal_form,
)
from monometer.api.problems import MalformedRequest

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

_batch = msgspec.json.Decoder(list[WireEvent])
_texts = json.JSONDecoder()
_BLANK = " \t\n\r"


def events_of(
    headers: Mapping[str, str], body: bytes, reception: Reception, events_max: int
) -> list[Decoded]:
    """Every event of the request, or what is wrong with it, in order.

    Raises MalformedRequest when the body as a whole cannot be read: unknown media type, not JSON,
    no event where one is needed, more than `events_max`.
    """
    content_type = headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in {JSON, ""} and "ce-specversion" in headers:
        return [_binary(headers, body, reception)]
    read = _READERS.get(media_type)
    if read is None:
        raise MalformedRequest(f"invalid content type: {content_type}")
    if not body.strip():
        raise MalformedRequest("request body has an error: value is required but missing")
    events = read(body, reception)
    if len(events) > events_max:
        raise MalformedRequest(
            f"invalid event: {len(events)} events in one request, at most {events_max} are taken"
        )
    if not events and media_type != BATCH:
        raise MalformedRequest("invalid event: no events found")
    return events


def _read_one(body: bytes, reception: Reception) -> list[Decoded]:
    return [decode_one(body, reception)]


def _read_batch(body: bytes, reception: Reception) -> list[Decoded]:
    try:
        return [normal_form(wire, reception) for wire in _batch.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Something is wrong with one of them, or with all: look at each for itself.
        return [decode_one(text, reception) for text in _elements(body)]


def _read_json(body: bytes, reception: Reception) -> list[Decoded]:
    is_array = body.lstrip()[:1] == b"["
    return _read_batch(body, reception) if is_array else _read_one(body, reception)


def _read_lines(body: bytes, reception: Reception) -> list[Decoded]:
    return [decode_one(line, reception) for line in body.split(b"\n") if line.strip()]


_READERS: dict[str, Callable[[bytes, Reception], list[Decoded]]] = {
    ONE: _read_one,
    BATCH: _read_batch,
    JSON: _read_json,
    **dict.fromkeys(NDJSON, _read_lines),
}


def _elements(body: bytes) -> list[str]:
    """The text of each element of a JSON array. Raises MalformedRequest when it is none."""
    try:
        text = body.decode()
        at = _after_blanks(text, 0)
        if text[at : at + 1] != "[":
            raise MalformedRequest("invalid event: the body must be a JSON array of events")
        elements: list[str] = []
        at = _after_blanks(text, at + 1)
        while text[at : at + 1] != "]" or elements:
            _, end = _texts.raw_decode(text, at)
            elements.append(text[at:end])
            at = _after_blanks(text, end)
            if text[at : at + 1] != ",":
                break
            at = _after_blanks(text, at + 1)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"invalid event: the body is not valid JSON: {error}") from None
    if text[at : at + 1] != "]" or text[at + 1 :].strip(_BLANK):
        raise MalformedRequest("invalid event: the body is not a valid JSON array")
    return elements


def _after_blanks(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _BLANK:
        at += 1
    return at


def _binary(headers: Mapping[str, str], body: bytes, reception: Reception) -> Decoded:
    """CloudEvents binary mode: attributes in `ce-` headers, percent-encoded; the body is `data`.

    Source: CloudEvents 1.0, HTTP protocol binding, section 3.1.
    """
    members = {
        name: unquote(headers[f"ce-{name}"])
        for name in ("id", "source", "specversion", "type", "subject", "time")
        if f"ce-{name}" in headers
    }
    event = msgspec.json.encode(members)
    data = body.strip()
    if data:
        event = event[:-1] + (b"," if members else b"") + b'"data":' + data + b"}"
    return decode_one(event, reception)
