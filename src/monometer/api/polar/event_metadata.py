"""What the metadata of a Polar event may hold, in and out."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from monometer.api.wire import number_to_wire
from monometer.core.event import Json, parse_json
from monometer.core.numbers import number_of_text, plain

KEYS_MAX = 50
KEY_CHARS_MAX = 40
TEXT_CHARS_MAX = 500

# Objects that have a meaning of their own: member → whether it must be there, and what it is.
_TEXT, _NUMBER, _INTEGER = "a string", "a number", "an integer"
_OBJECTS: Mapping[str, Mapping[str, tuple[bool, str]]] = {
    "_cost": {"amount": (True, _NUMBER), "currency": (True, _TEXT)},
    "_llm": {
        "vendor": (True, _TEXT),
        "model": (True, _TEXT),
        "prompt": (False, _TEXT),
        "response": (False, _TEXT),
        "input_tokens": (True, _INTEGER),
        "cached_input_tokens": (False, _INTEGER),
        "output_tokens": (True, _INTEGER),
        "total_tokens": (True, _INTEGER),
    },
}


def problem(raw: bytes) -> tuple[str, str] | None:
    """Why well-formed JSON cannot be metadata: where, as a JSON pointer inside it, and the rule."""
    members = parse_json(raw.decode())
    if not isinstance(members, dict):
        return "", "must be an object"
    if len(members) > KEYS_MAX:
        return "", f"must not have more than {KEYS_MAX} keys"
    return next(_problems(members), None)


def _problems(members: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for key, value in members.items():
        if not 1 <= len(key) <= KEY_CHARS_MAX:
            yield "", f"a key must have 1 to {KEY_CHARS_MAX} characters"
        place = "/" + key.replace("~", "~0").replace("/", "~1")
        if key in _OBJECTS and isinstance(value, dict):
            yield from ((f"{place}/{name}", rule) for name, rule in _of_object(key, value))
        elif isinstance(value, str):
            if not 1 <= len(value) <= TEXT_CHARS_MAX:
                yield place, f"must have 1 to {TEXT_CHARS_MAX} characters"
        elif not isinstance(value, Decimal | bool):
            yield place, "must be a string, a number or a boolean"


def _of_object(key: str, value: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, (required, kind) in _OBJECTS[key].items():
        found = value.get(name)
        if found is None:
            if required:
                yield name, "is required"
        elif not _is(found, kind):
            yield name, f"must be {kind}"


def _is(value: Json, kind: str) -> bool:
    if kind == _TEXT:
        return isinstance(value, str)
    if isinstance(value, str) and kind == _NUMBER:  # amounts come as texts, too
        return number_of_text(value) is not None
    if not isinstance(value, Decimal):
        return False
    return kind == _NUMBER or value == value.to_integral_value()


def metadata_to_wire(data: Json) -> dict[str, Any]:
    """What clients can read of an event's data: scalars, and the objects that they know."""
    if not isinstance(data, dict):
        return {}
    return {
        key: _to_wire(key, value)
        for key, value in data.items()
        if isinstance(value, str | Decimal | bool) or _is_known(key, value)
    }


def _to_wire(key: str, value: Json, *, inside: bool = False) -> Any:
    """Numbers with all their digits; the amount of a cost is text, however it was sent."""
    if isinstance(value, Decimal):
        return plain(value) if inside and key == "amount" else number_to_wire(value)
    if isinstance(value, dict):
        known = {name: one for name, one in value.items() if name in _OBJECTS[key]}
        return {name: _to_wire(name, one, inside=True) for name, one in known.items()}
    return value


def _is_known(key: str, value: Json) -> bool:
    return (
        key in _OBJECTS and isinstance(value, dict) and next(_of_object(key, value), None) is None
    )
