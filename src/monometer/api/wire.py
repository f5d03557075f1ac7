"""Instants, numbers and JSON, as every dialect writes them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from fastapi import Response
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from monometer.core.numbers import plain

JSON_MEDIA_TYPE = "application/json"  # without a charset: old clients compare it literally

_INSTANT = re.compile(
    r"(?P<seconds>\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)"
    r"(?:\.(?P<fraction>\d{1,32}))?(?P<zone>[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_encode = msgspec.json.Encoder().encode


def instant_from_wire(text: str) -> datetime:
    """An RFC 3339 instant with its offset; digits after the microseconds are cut off.

    Raises ValueError for anything else, and for an instant that has no place in UTC's years
    1 to 9999.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError("must be an RFC 3339 date-time with an offset")
    fraction = (match["fraction"] or "")[:6]
    zone = match["zone"].upper().replace("Z", "+00:00")
    at = datetime.fromisoformat(f"{match['seconds'].upper()}.{fraction:0<6}{zone}")
    try:
        at.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999") from None
    return at


def instant_to_wire(at: datetime) -> str:
    """RFC 3339 with its own offset, `Z` for none; a fraction only when there is one, trimmed.

    The offset of a zone's early local mean time has seconds, which RFC 3339 cannot say: UTC then.
    """
    offset = at.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        at = at.astimezone(UTC)
    text = at.isoformat()
    seconds, zone = text[:19], text[19:]
    if zone.startswith("."):
        seconds, zone = f"{seconds}{zone[:7]}".rstrip("0"), zone[7:]
    return f"{seconds}Z" if zone == "+00:00" else f"{seconds}{zone}"


def number_to_wire(number: Decimal) -> msgspec.Raw:
    """A JSON number with all its digits."""
    return msgspec.Raw(plain(number).encode())


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("must not contain a lone surrogate")
    return value


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 date-time with an offset")  # noqa: TRY004 - pydantic's way
    return instant_from_wire(value)


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
# PostgreSQL can keep neither, so they are refused by name before they reach it.
Text = Annotated[str, AfterValidator(_text)]
Value = Annotated[Decimal, WithJsonSchema({"type": "number", "format": "double"})]


def json_response(content: Any, status_code: int = 200) -> Response:
    """`content` of dicts, lists, texts, numbers and msgspec values as JSON."""
    return Response(_encode(content), status_code=status_code, media_type=JSON_MEDIA_TYPE)
