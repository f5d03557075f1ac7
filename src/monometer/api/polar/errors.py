"""Failures as Polar's clients know them: each shape is a class of theirs, any other breaks them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from monometer.api.problems import ERRORS_LISTED_MAX, headers_of_failure, printable
from monometer.api.wire import headers_of, json_response
from monometer.core.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    Overloaded,
    PreconditionFailed,
    RateLimited,
    TooLarge,
    Unauthenticated,
)

INPUT_CHARS_MAX = 200  # of what was sent, shown again

_UNPROCESSABLE = HTTPStatus(422)


class PolarNotFound(BaseModel):
    error: str = "ResourceNotFound"
    detail: str


class PolarInvalidField(BaseModel):
    loc: list[str | int]
    msg: str
    type: str


class PolarInvalid(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": "RequestValidationError",
                    "detail": [
                        {"loc": ["body", "name"], "msg": "Field required", "type": "missing"}
                    ],
                }
            ]
        }
    )

    error: str = "RequestValidationError"
    detail: list[PolarInvalidField]


def answer(request: Request, error: Exception) -> Response:
    """The answer to any failure; of one that nobody foresaw it tells nothing."""
    match error:
        case RequestValidationError():
            return _refusal("RequestValidationError", [_entry(one) for one in error.errors()])
        case HTTPException():
            return _response_to_http(request, error)
        case DomainError():
            return _response_to_failure(request, error)
    internal = HTTPStatus.INTERNAL_SERVER_ERROR
    return json_response({"error": "InternalServerError", "detail": internal.phrase}, internal)


def error_body(error: DomainError, *, has_token: bool) -> tuple[int, dict[str, Any]]:
    """Status and body of a failure; `has_token` that the request came with one, if a bad one."""
    match error:
        case Unauthenticated() if has_token:
            return 401, {"error": "invalid_token", "error_description": error.message}
        case Unauthenticated():
            return 401, {"error": "Unauthorized", "detail": "Unauthorized"}
        case Forbidden():
            return 403, {"error": "insufficient_scope", "error_description": error.message}
        case NotFound() | PreconditionFailed():  # the latter is deleted: gone as well
            return 404, {"error": "ResourceNotFound", "detail": "Not found"}
        case Conflict():
            return 409, {"error": "Conflict", "detail": printable(error.message)}
        case TooLarge():
            return 413, {"error": "PayloadTooLarge", "detail": printable(error.message)}
        case RateLimited():
            return 429, {"error": "RateLimited", "detail": error.message}
        case Overloaded():
            return 503, {"error": "ServiceUnavailable", "detail": error.message}
    return 422, {"error": "PolarRequestValidationError", "detail": error.message}


def _type_of(error: FieldError) -> str:
    """What nobody gave a code of its own is a plain value error to Polar's clients."""
    return "value_error" if error.code == "invalid_field" else error.code


def _response_to_failure(request: Request, error: DomainError) -> Response:
    if isinstance(error, InvalidInput):
        fields = error.fields or [FieldError(field=_whole(request), message=error.message)]
        entries = [entry(_loc(one.field), one.message, _type_of(one)) for one in fields]
        return _refusal("PolarRequestValidationError", entries)
    has_token = "authorization" in headers_of(request.scope)
    status, body = error_body(error, has_token=has_token)
    response = json_response(body, status)
    response.headers.update(headers_of_failure(request, error) or {})
    if isinstance(error, Unauthenticated):
        response.headers["www-authenticate"] = 'Bearer realm="polar"'
    return response


def _response_to_http(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.BAD_REQUEST:  # what cannot be read at all
        return _refusal("RequestValidationError", [entry(_loc(_whole(request)), error.detail)])
    headers = headers_of_failure(request, error)
    phrase = HTTPStatus(error.status_code).phrase
    body = {"error": phrase.replace(" ", ""), "detail": printable(error.detail)}
    if error.status_code == HTTPStatus.NOT_FOUND:  # no such path: not a resource that is not there
        body = {"detail": "Not Found"}
    response = json_response(body, error.status_code)
    response.headers.update(headers or {})
    return response


def entry(
    loc: Sequence[str | int], message: str, code: str = "value_error", **more: object
) -> dict[str, Any]:
    return {"type": code, "loc": list(loc), "msg": printable(message), **more}


def _entry(error: Mapping[str, Any]) -> dict[str, Any]:
    loc = [part if isinstance(part, int) else printable(str(part)) for part in error["loc"]]
    shown = error.get("input")
    more: dict[str, Any] = {}
    if isinstance(shown, str) and len(shown) <= INPUT_CHARS_MAX:
        more["input"] = printable(shown)
    return entry(loc, str(error["msg"]), error["type"], **more)


def _refusal(kind: str, entries: Sequence[Mapping[str, Any]]) -> Response:
    body = {"error": kind, "detail": entries[:ERRORS_LISTED_MAX]}
    return json_response(body, _UNPROCESSABLE)


def _whole(request: Request) -> str:
    return "/" if request.method in {"POST", "PATCH"} else "query"


def _loc(field: str) -> list[str | int]:
    """A JSON pointer is in the body, a name in the query; `query` alone is all of it."""
    if not field.startswith("/"):
        return ["query"] if field == "query" else ["query", field]
    parts = [part.replace("~1", "/").replace("~0", "~") for part in field.split("/")[1:] if part]
    return ["body", *(int(part) if part.isdecimal() else part for part in parts)]


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation."""
    documents: dict[int | str, dict[str, Any]] = {
        422: {"model": PolarInvalid, "description": "Validation error"},
        503: {"description": "The server or its database is overloaded or away"},
        "default": {"description": "An unexpected failure"},
    }
    for status in statuses:
        model = {"model": PolarNotFound} if status is HTTPStatus.NOT_FOUND else {}
        documents[status.value] = {"description": status.phrase, **model}
    return documents
