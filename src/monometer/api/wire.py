"""Instants, numbers and JSON, as every dialect writes them."""

import json
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BeforeValidator, Field, WithJsonSchema
from starlette.convertors import Convertor, register_url_convertor
from starlette.types import Scope

from monometer.core.numbers import PLAIN_DIGITS_MAX, plain, storable

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


def _number(value: object) -> Decimal:
    """Of a body whose numbers are exact; see ExactRoute."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic's way
    number = Decimal(value)
    if not storable(number):
        raise ValueError(f"must have at most {PLAIN_DIGITS_MAX} digits before and after the point")
    return number


Number = Annotated[
    Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number", "format": "double"})
]
# The schema says what the validator cannot be asked for.
NotNegative = Annotated[
    Decimal,
    Field(ge=0),
    BeforeValidator(_number),
    WithJsonSchema({"type": "number", "format": "double", "minimum": 0}),
]


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


class _ExactRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            body = await self.body()
            self._json = json.loads(body, parse_float=Decimal, parse_constant=_no_json)
        return self._json


class ExactRoute(APIRoute):
    """A route in whose JSON bodies numbers with a fraction are Decimals, never floats."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def exact(request: Request) -> Response:
            return await handle(_ExactRequest(request.scope, request.receive))

        return exact


def left_out() -> Any:
    """The default of an answer's member that is left out, never null, when there is none."""
    return Field(default_factory=lambda: None)


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
