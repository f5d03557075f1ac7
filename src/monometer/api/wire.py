"""Instants, numbers and JSON, as every dialect writes them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from fastapi import Response
from pydantic import BeforeValidator, WithJsonSchema
from starlette.convertors import Convertor, register_url_convertor
from starlette.types import Scope

from monometer.core.numbers import plain

JSON_MEDIA_TYPE = "application/json"  # without a charset: old clients compare it literally

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,32})?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_encode = msgspec.json.Encoder().encode


def instant_from_wire(text: str) -> datetime:
    """An RFC 3339 instant with its offset; digits after the microseconds are cut off.

    Raises ValueError for anything else, and for an instant that has no place in UTC's years
    1 to 9999.
    """
    if _INSTANT.fullmatch(text) is None:
        raise ValueError("must be an RFC 3339 date-time with an offset")
    at = datetime.fromisoformat(text.upper())
    if at.tzinfo is not UTC:
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


def _storable(value: object) -> object:
    if isinstance(value, str):
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
# PostgreSQL can keep neither, so they are refused by name before they reach it. Bounds of length
# stand before it in an Annotated: `Annotated[str, Field(max_length=64), STORABLE]`.
STORABLE = BeforeValidator(_storable)
Text = Annotated[str, STORABLE]
Value = Annotated[Decimal, WithJsonSchema({"type": "number", "format": "double"})]


class AnyText(Convertor[str]):
    """`{name:any}` in a route: one or more of any character, slashes and line ends too."""

    regex = r"[\s\S]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any", AnyText())


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name; repeated ones joined by commas, which means the same.

    Read once a request: every layer asks for some.
    """
    known: dict[str, str] | None = scope.get("monometer.headers")
    if known is not None:
        return known
    given = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in given}
    if len(headers) < len(given):
        headers.clear()
        for raw_name, raw_value in given:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    scope["monometer.headers"] = headers
    return headers


def json_response(content: Any, status_code: int = 200) -> Response:
    """`content` of dicts, lists, texts, numbers and msgspec values as JSON."""
    return Response(_encode(content), status_code=status_code, media_type=JSON_MEDIA_TYPE)
