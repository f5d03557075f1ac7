"""The bodies of ingest: events as they arrive, and the rules that every one of them must keep."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from monometer.api.event_data import DataLimits, text_problem
from monometer.api.togai.wire import within_reach
from monometer.api.wire import instant_from_wire
from monometer.core.account import KEY_CHARS_MAX
from monometer.core.errors import InvalidInput
from monometer.core.numbers import PLAIN_DIGITS_MAX, storable
from monometer.core.sent_event import ID_CHARS_MAX, SentEvent

EVENTS_MAX = 1_000
ATTRIBUTES_MAX = 10
NAME_CHARS_MAX = KEY_CHARS_MAX

_Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
_Dimension = Annotated[str, Meta(min_length=1, max_length=200)]
_NUMBER = re.compile(r"-?[0-9]{1,512}(\.[0-9]+)?")  # as clients expect it back
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII
)


class WireAttribute(msgspec.Struct):
    name: _Name
    value: msgspec.Raw  # a text that spells a number, or the number itself
    unit: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] | None = None


class WireEvent(msgspec.Struct):
    """Unknown members are passed over, null is the same as absent."""

    schemaName: _Name
    timestamp: str
    accountId: Annotated[str, Meta(min_length=1, max_length=ID_CHARS_MAX)]
    attributes: Annotated[list[WireAttribute], Meta(max_length=ATTRIBUTES_MAX)]
    dimensions: dict[str, _Dimension]
    id: Annotated[str, Meta(max_length=ID_CHARS_MAX)] | None = None


class _One(msgspec.Struct):
    event: WireEvent


class _Batch(msgspec.Struct):
    events: Annotated[list[WireEvent], Meta(min_length=1, max_length=EVENTS_MAX)]


class Limits(NamedTuple):
    """Of the server, for every event of every dialect."""

    text_bytes_max: int
    data: DataLimits


_one = msgspec.json.Decoder(_One)
_batch = msgspec.json.Decoder(_Batch)


def event_from_wire(body: bytes, limits: Limits) -> SentEvent:
    """Raises InvalidInput that names the member."""
    return _read(_decoded(_one, body).event, "event", limits)


def events_from_wire(body: bytes, limits: Limits) -> list[SentEvent]:
    """Raises InvalidInput that names the event by its index, and the member."""
    batch: _Batch = _decoded(_batch, body)
    return [_read(one, f"events.{index}", limits) for index, one in enumerate(batch.events)]


def _decoded(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        message, _, path = str(error).partition(" - at `$")
        place = path.rstrip("`").lstrip(".").replace("[", ".").replace("]", "")
        raise InvalidInput(f"{place}: {message}" if place else message) from None


def _read(wire: WireEvent, place: str, limits: Limits) -> SentEvent:
    for name, text in _texts(wire):
        rule = text_problem(text)
        if rule is None and len(text.encode()) > limits.text_bytes_max:
            rule = f"must not be longer than {limits.text_bytes_max} bytes"
        if rule is not None:
            raise InvalidInput(f"{place}.{name}: {rule}")
    values = [
        _value(one.value, f"{place}.attributes.{at}") for at, one in enumerate(wire.attributes)
    ]
    attributes = {
        one.name: Decimal(text) for one, text in zip(wire.attributes, values, strict=True)
    }
    if len(attributes) < len(values):
        raise InvalidInput(f"{place}.attributes: names must be unique")
    written = [
        {"name": one.name, "value": text} | ({"unit": one.unit} if one.unit else {})
        for one, text in zip(wire.attributes, values, strict=True)
    ]
    payload = {
        "schemaName": wire.schemaName, "timestamp": wire.timestamp, "accountId": wire.accountId,
        "attributes": written, "dimensions": wire.dimensions,
    }  # fmt: skip
    if wire.id is not None:
        payload["id"] = wire.id
    sent = SentEvent(
        id=wire.id or None,
        schema=wire.schemaName,
        account=wire.accountId,
        time=_time(wire.timestamp, place),
        attributes=attributes,
        dimensions=wire.dimensions,
        payload=payload,
    )
    if len(sent.data().encode()) > limits.data.bytes_max:
        raise InvalidInput(f"{place}: must not hold more than {limits.data.bytes_max} bytes")
    return sent


def _texts(wire: WireEvent) -> list[tuple[str, str]]:
    texts = [("schemaName", wire.schemaName), ("accountId", wire.accountId), ("id", wire.id or "")]
    texts += [("attributes", f"{one.name}{one.unit or ''}") for one in wire.attributes]
    return texts + [("dimensions", text) for pair in wire.dimensions.items() for text in pair]


def _value(raw: msgspec.Raw, place: str) -> str:
    """The number as it is written. Raises InvalidInput."""
    text = bytes(raw).decode()
    if text.startswith('"'):
        text = str(msgspec.json.decode(text))
    if _NUMBER.fullmatch(text) is None:
        raise InvalidInput(
            f"{place}.value: must be a decimal number of up to 512 digits before the point"
        )
    if not storable(Decimal(text)):
        raise InvalidInput(
            f"{place}.value: must have at most {PLAIN_DIGITS_MAX} digits before and after the point"
        )
    return text


def _time(text: str, place: str) -> datetime:
    """UTC where no offset is given; seconds, or all of the time, may be missing too.

    Raises InvalidInput.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise InvalidInput(f"{place}.timestamp: must be an ISO 8601 date and time")
    day, minute, second, offset = found.groups()
    whole = f"{day}T{minute or '00:00'}{second or ':00'}{offset or 'Z'}"
    try:
        return within_reach(instant_from_wire(whole))
    except ValueError as error:
        raise InvalidInput(f"{place}.timestamp: {error}") from None
