"""What an event's data may hold: looked at quickly, and closely only where it is suspicious."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal

from monometer.core.event import Json, parse_json
from monometer.core.numbers import PLAIN_DIGITS_MAX, storable


@dataclass(frozen=True, slots=True)
class DataLimits:
    bytes_max: int
    depth_max: int


NUL = "must not contain a NUL character"
SURROGATE = "must not contain a lone surrogate"

# Escaped NUL or surrogate, an exponent of three digits or more, a run of hundreds of digits. Some
# innocent strings match too: they only cost a closer look.
_SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|[eE][+-]?[0-9]{3,}|[0-9]{200}")


def data_problem(raw: bytes, limits: DataLimits) -> str | None:
    """Why `raw`, well-formed JSON, cannot be an event's data; None when it can."""
    if raw[:1] != b"{" and raw != b"null":
        return "must be a JSON object or null"
    if len(raw) > limits.bytes_max:
        return f"must not be larger than {limits.bytes_max} bytes"
    # Brackets inside strings count too here: an upper bound, exact below when it is exceeded.
    brackets = raw.count(b"{") + raw.count(b"[")
    if brackets <= limits.depth_max and _SUSPICIOUS.search(raw) is None and raw.isascii():
        return None
    return _close_look(raw, limits)


def _close_look(raw: bytes, limits: DataLimits) -> str | None:
    too_deep = f"must not be nested deeper than {limits.depth_max} levels"
    try:
        data = parse_json(raw.decode())
    except UnicodeDecodeError:
        return "is not valid UTF-8"
    except RecursionError:
        return too_deep
    except (ArithmeticError, ValueError):
        return "holds a number that is out of range"
    level: list[Json] = [data]
    for _ in range(limits.depth_max):
        level = [child for value in level for child in _children(value)]
        reason = next(filter(None, map(_scalar_problem, level)), None)
        if reason is not None or not level:
            return reason
    return too_deep if any(isinstance(value, dict | list) for value in level) else None


def _children(value: Json) -> list[Json]:
    match value:
        case dict():
            return [*value.keys(), *value.values()]
        case list():
            return value
        case _:
            return []


def _scalar_problem(value: Json) -> str | None:
    if isinstance(value, Decimal) and not storable(value):
        return (
            f"holds a number with more than {PLAIN_DIGITS_MAX} digits "
            "before or after the decimal point"
        )
    return text_problem(value) if isinstance(value, str) else None


def text_problem(text: str) -> str | None:
    """PostgreSQL can keep neither of these."""
    if "\0" in text:
        return NUL
    return None if text.isascii() or _encodable(text) else SURROGATE


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def surrogate_member(text: str | bytes) -> str | None:
    """Name of the first member of a JSON object that holds a lone surrogate, at any depth."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    found = (
        name for name, value in members.items()
        if not _encodable(name + json.dumps(value, ensure_ascii=False))
    )  # fmt: skip
    return next(found, None)
