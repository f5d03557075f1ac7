"""The media types of ingest: a request's body becomes its events, in their order."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

from monometer.api.openmeter.cloudevents import (
    Decoded,
    Reception,
    Rejected,
    WireEvent,
    decode_one,
    normal_form,
)
from monometer.api.problems import MalformedRequest
from monometer.core.event import Event

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

_batch = msgspec.json.Decoder(list[WireEvent])
# To find where a text ends; its numbers are not looked at, and may be too long for Python.
_texts = json.JSONDecoder(parse_int=str, parse_float=str)
_QUOTED = re.compile(r'"(.*)"', re.DOTALL)
_BLANK = " \t\n\r"


class Received(NamedTuple):
    """Every event of a request, or what is wrong with it, in order.

    `alone`: there is one, and it came by itself, not in an array or on a line.
    """

    events: list[Decoded]
    alone: bool


def events_of(
    headers: Mapping[str, str], body: bytes, reception: Reception, events_max: int
) -> Received:
    """The events of a request.

    Raises MalformedRequest when the body as a whole cannot be read: unknown media type, not JSON,
    no event where one is needed, more than `events_max`.
    """
    content_type = headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in {JSON, ""} and "ce-specversion" in headers:
        return Received([_binary(headers, body, reception)], alone=True)
    read = _READERS.get(media_type)
    if read is None:
        raise MalformedRequest(f"invalid content type: {content_type}")
    if not body.strip():
        raise MalformedRequest("request body has an error: value is required but missing")
    events = list(islice(read(body, reception), events_max + 1))
    if len(events) > events_max:
        raise MalformedRequest(f"invalid event: more than {events_max} events in one request")
    if not events and media_type != BATCH:
        raise MalformedRequest("invalid event: no events found")
    alone = media_type == ONE or (media_type == JSON and not _is_array(body))
    return Received(events, alone)


def _read_one(body: bytes, reception: Reception) -> Iterator[Decoded]:
    yield decode_one(body, reception)


def _read_batch(body: bytes, reception: Reception) -> Iterator[Decoded]:
    try:
        events = _batch.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Something is wrong with one of them, or with all: look at each for itself.
        return (decode_one(text, reception) for text in _elements(body))
    return (normal_form(event, reception) for event in events)


def _read_json(body: bytes, reception: Reception) -> Iterator[Decoded]:
    return _read_batch(body, reception) if _is_array(body) else _read_one(body, reception)


def _is_array(body: bytes) -> bool:
    return body.lstrip()[:1] == b"["


def _read_lines(body: bytes, reception: Reception) -> Iterator[Decoded]:
    return (decode_one(line, reception) for line in BytesIO(body) if line.strip())


# One by one, so that whoever sends too many does not have them all looked at.
_READERS: dict[str, Callable[[bytes, Reception], Iterator[Decoded]]] = {
    ONE: _read_one,
    BATCH: _read_batch,
    JSON: _read_json,
    **dict.fromkeys(NDJSON, _read_lines),
}


def _elements(body: bytes) -> Iterator[str]:
    """The text of each element of a JSON array. Raises MalformedRequest when it is none."""
    try:
        text = body.decode()
        at = _after_blanks(text, 0)
        if text[at : at + 1] != "[":
            raise MalformedRequest("invalid event: the body must be a JSON array of events")
        first = at = _after_blanks(text, at + 1)
        while text[at : at + 1] != "]" or at > first:
            _, end = _texts.raw_decode(text, at)
            yield text[at:end]
            at = _after_blanks(text, end)
            if text[at : at + 1] != ",":
                break
            at = _after_blanks(text, at + 1)
    except RecursionError:
        raise MalformedRequest("invalid event: the body is nested too deeply") from None
    except ValueError as error:
        raise MalformedRequest(f"invalid event: the body is not valid JSON: {error}") from None
    if text[at : at + 1] != "]" or text[at + 1 :].strip(_BLANK):
        raise MalformedRequest("invalid event: the body is not a valid JSON array")


def _after_blanks(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _BLANK:
        at += 1
    return at


def _binary(headers: Mapping[str, str], body: bytes, reception: Reception) -> Decoded:
    """CloudEvents binary mode: attributes in `ce-` headers, and the body is `data`.

    Source: CloudEvents 1.0, HTTP protocol binding, section 3.1.
    """
    members: dict[str, str] = {}
    for name in ("id", "source", "specversion", "type", "subject", "time"):
        if f"ce-{name}" in headers:
            try:
                members[name] = _attribute(headers[f"ce-{name}"])
            except UnicodeDecodeError:
                return Rejected(f"/{name}", "is not valid UTF-8, percent-encoded")
    event = msgspec.json.encode(members)
    data = body.strip()
    if data:
        event = event[:-1] + (b"," if members else b"") + b'"data":' + data + b"}"
    decoded = decode_one(event, reception)
    # A body that went on after its value would have passed for further members of the event.
    if isinstance(decoded, Event) and (decoded.data or "").encode() != data:
        return Rejected("/data", "must be one JSON value", decoded.id, decoded.source)
    return decoded


def _attribute(header: str) -> str:
    """Its quotes removed, then percent-decoded. Raises UnicodeDecodeError.

    Source: CloudEvents 1.0, HTTP protocol binding, section 3.1.3.2.
    """
    value = header.strip(_BLANK)
    quoted = _QUOTED.fullmatch(value)
    if quoted is not None:
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    return unquote_to_bytes(value.encode("latin-1")).decode()
