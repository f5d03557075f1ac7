"""Request bodies as events: every media type of CloudEvents over HTTP, decoded once.

The body goes through msgspec straight into structs, with `data` left as the sender's text; only
data that looks dangerous is parsed in full. What is wrong with one event is told by its index and
field, and does not depend on the others.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from reprlib import repr as short_repr
from typing import NamedTuple, TypeAlias

import msgspec

from monometer.api.event_data import (
    SURROGATE,
    DataLimits,
    data_problem,
    surrogate_member,
)
from monometer.api.wire import instant_from_wire
from monometer.core.event import TIME_END, TIME_MIN, Event

SPEC_VERSIONS = frozenset({"1.0", "0.3"})

_ABSENT = msgspec.Raw()


class WireEvent(msgspec.Struct):
    """A CloudEvent as it arrives; unknown attributes are passed over."""

    id: str
    source: str
    specversion: str
    type: str
    subject: str
    time: str | None = None
    datacontenttype: str | None = None
    data: msgspec.Raw = _ABSENT
    data_base64: msgspec.Raw = _ABSENT


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why one event of a request cannot be taken. `field` is a JSON pointer inside the event."""

    field: str
    reason: str
    id: str | None = None
    source: str | None = None


Decoded: TypeAlias = Event | Rejected


class Reception(NamedTuple):
    """What the server adds to every event of a request, and the limits it holds it to."""

    namespace: str
    now: datetime
    text_bytes_max: int
    data: DataLimits


def normal_form(wire: WireEvent, reception: Reception) -> Decoded:
    """The event, or the first rule that it breaks."""
    problem = _text_problem(wire, reception.text_bytes_max) or _form_problem(wire)
    if problem is not None:
        return Rejected(*problem, wire.id, wire.source)
    try:
        time = reception.now if wire.time is None else _time(wire.time)
    except ValueError as error:
        return Rejected("/time", str(error), wire.id, wire.source)
    raw = bytes(wire.data)
    if raw:
        reason = data_problem(raw, reception.data)
        if reason is not None:
            return Rejected("/data", reason, wire.id, wire.source)
    return Event(
        reception.namespace, wire.id, wire.source, wire.type, wire.subject,
        time, raw.decode() if raw else None, reception.now,
    )  # fmt: skip


def _text_problem(wire: WireEvent, bytes_max: int) -> tuple[str, str] | None:
    together = f"{wire.id}{wire.source}{wire.type}{wire.subject}"
    # A character has at most four bytes, so most texts need no encoding to be measured.
    if (
        wire.id and wire.source and wire.type and wire.subject
        and len(together) * 4 <= bytes_max and "\0" not in together
    ):  # fmt: skip
        return None
    for name in ("id", "source", "type", "subject"):
        text: str = getattr(wire, name)
        if not text:
            return f"/{name}", "must not be empty"
        if "\0" in text:
            return f"/{name}", "must not contain a NUL character"
        if len(text.encode()) > bytes_max:
            return f"/{name}", f"must not be longer than {bytes_max} bytes"
    return None


def _form_problem(wire: WireEvent) -> tuple[str, str] | None:
    if wire.specversion not in SPEC_VERSIONS:
        return "/specversion", f"unknown version {short_repr(wire.specversion)}, expected '1.0'"
    content_type = wire.datacontenttype
    if content_type is not None and content_type != "application/json":
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type != "application/json":
            return "/datacontenttype", "must be application/json"
    if wire.data_base64 is not _ABSENT and bytes(wire.data_base64) != b"null":
        return "/data_base64", "is not supported: send `data` as a JSON object"
    return None


def _time(text: str) -> datetime:
    """UTC. Raises ValueError for a time that is malformed or out of bounds."""
    time = instant_from_wire(text)
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    if not TIME_MIN <= time < TIME_END:
        raise ValueError(f"must be from year {TIME_MIN.year} on and before {TIME_END.year}")
    return time


class _Identity(msgspec.Struct):
    """As much of a broken event as helps its sender to find it."""

    id: object = None
    source: object = None


_one = msgspec.json.Decoder(WireEvent)
_identity = msgspec.json.Decoder(_Identity)


def decode_one(text: str | bytes, reception: Reception) -> Decoded:
    """`text` is the JSON of one event."""
    try:
        return normal_form(_one.decode(text), reception)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return rejection(error, text)


def rejection(error: Exception, text: str | bytes) -> Rejected:
    """A decoding error in the sender's words: `Expected str … - at $.id` becomes (/id, …)."""
    message, _, path = str(error).partition(" - at `$")
    if isinstance(error, msgspec.ValidationError):
        if message.startswith("Object missing required field "):
            return Rejected("/" + message.split("`")[1], "is missing", *_names(text))
        return Rejected(path.rstrip("`").replace(".", "/"), message, *_names(text))
    if isinstance(error, RecursionError):
        return Rejected("", "is nested too deeply")
    member = surrogate_member(text)
    if member is not None:
        return Rejected(_pointer(member), SURROGATE)
    if isinstance(error, UnicodeDecodeError):
        return Rejected("", "is not valid UTF-8")
    return Rejected("", f"is not valid JSON: {error}")


def _pointer(member: str) -> str:
    """A name may hold a lone surrogate itself, which cannot be sent back."""
    name = member.encode(errors="replace").decode()
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _names(text: str | bytes) -> tuple[str | None, str | None]:
    try:
        identity = _identity.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, None
    names = (identity.id, identity.source)
    return tuple(name if isinstance(name, str) else None for name in names)  # type: ignore[return-value]
