"""What an event's data may hold: looked at quickly, and closely only where it is suspicious."""

import json
import re
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from monometer.core.event import Json
from monometer.core.numbers import PLAIN_DIGITS_MAX, storable


class DataLimits(NamedTuple):
    """`bytes_max` holds for the data as sent, and again for its numbers written out plainly."""

    bytes_max: int
    depth_max: int


NUL = "must not contain a NUL character"
SURROGATE = "must not contain a lone surrogate"

# PostgreSQL writes numbers plainly, so one with an exponent of two digits may take this much.
_PLAIN_CHARS = 100

_ESCAPED_NUL_OR_SURROGATE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")

# Exponents of three digits or more, and runs of hundreds of digits, once digits all look alike.
_SHAPE = bytes.maketrans(b"123456789E+", b"000000000e-")
_DIGITS = 200
_RUN = b"0" * _DIGITS

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STEPS = [(byte in b"[{") - (byte in b"]}") for byte in range(256)]


def data_problem(raw: bytes, limits: DataLimits) -> str | None:
    """Why `raw`, well-formed JSON, cannot be an event's data; None when it can."""
    if raw[:1] != b"{" and raw != b"null":
        return "must be a JSON object or null"
    if len(raw) > limits.bytes_max:
        return f"must not be larger than {limits.bytes_max} bytes"
    # Cheap upper bounds come first, exact ones only when those are exceeded: a level takes two
    # characters, brackets inside strings count too, and so does an `e` that is no exponent.
    size = len(raw)
    if (
        size >= 2 * limits.depth_max
        and raw.count(b"{") + raw.count(b"[") > limits.depth_max
        and _depth(raw) > limits.depth_max
    ):
        return f"must not be nested deeper than {limits.depth_max} levels"
    if not raw.isascii() and not _decodable(raw):
        return "is not valid UTF-8"
    swollen = size * _PLAIN_CHARS > limits.bytes_max and (
        (raw.count(b"e") + raw.count(b"E")) * _PLAIN_CHARS > limits.bytes_max
    )
    if not swollen and not _is_suspicious(raw):
        return None
    return _close_look(raw, limits)


def _is_suspicious(raw: bytes) -> bool:
    """Whether `raw` needs a closer look. Some innocent strings do too, which costs only time."""
    shape = raw.translate(_SHAPE)
    if b"e000" in shape or b"e-000" in shape or (len(raw) > _DIGITS and _RUN in shape):
        return True
    return b"\\u" in raw and _ESCAPED_NUL_OR_SURROGATE.search(raw) is not None


def _depth(raw: bytes) -> int:
    """Levels of objects and arrays in well-formed JSON."""
    return max(accumulate(map(_STEPS.__getitem__, _STRING.sub(b"", raw))))


def _decodable(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _close_look(raw: bytes, limits: DataLimits) -> str | None:
    try:
        data: Json = _decoder.decode(raw.decode())
    except (ArithmeticError, ValueError):
        return "holds a number that is out of range"
    level: list[Json] = [data]
    digits = 0
    while level:
        level = [part for value in level if isinstance(value, list) for part in value]
        reason = next(filter(None, map(_scalar_problem, level)), None)
        if reason is not None:
            return reason
        digits += sum(map(_plain_digits, level))
    if digits > limits.bytes_max:
        return f"must not hold numbers of more than {limits.bytes_max} digits in all"
    return None


def _names_and_values(members: list[tuple[str, Json]]) -> list[Json]:
    """An object for a close look: a dict would hide all but the last of equal names."""
    return [part for member in members for part in member]


_decoder = json.JSONDecoder(
    parse_float=Decimal, parse_int=Decimal, object_pairs_hook=_names_and_values
)


def _plain_digits(value: Json) -> int:
    if not isinstance(value, Decimal):
        return 0
    exponent = value.as_tuple().exponent
    return max(value.adjusted() + 1, 1) - min(exponent if isinstance(exponent, int) else 0, 0)


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
        # Objects become lists of pairs, since a dict would hide all but the last of equal names.
        members = json.loads(text, object_pairs_hook=list)
        if not isinstance(members, list):
            return None
        found = (
            one[0] for one in members
            if isinstance(one, tuple) and not _encodable(json.dumps(one, ensure_ascii=False))
        )  # fmt: skip
        return next(found, None)
    except (ValueError, RecursionError):
        return None
