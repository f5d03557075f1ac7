"""Failures as Togai's clients know them: a message, and one of six statuses."""

from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from monometer.api.problems import headers_of_failure, printable
from monometer.api.wire import json_response
from monometer.core.errors import (
    DomainError,
    Forbidden,
    NotFound,
    Overloaded,
    PreconditionFailed,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

MESSAGE_CHARS_MAX = 500

_STATUSES: dict[type[DomainError], HTTPStatus] = {
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    PreconditionFailed: HTTPStatus.NOT_FOUND,  # deleted
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


class TogaiError(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"message": "event schema is not active: api_call"}]}
    )

    message: str = Field(max_length=MESSAGE_CHARS_MAX)


def answer(request: Request, error: Exception) -> Response:
    """The answer to any failure; of one that nobody foresaw it tells nothing."""
    match error:
        case RequestValidationError():
            places = (_place(one) for one in error.errors())
            return _told(request, error, HTTPStatus.BAD_REQUEST, "; ".join(places))
        case HTTPException():
            return _told(request, error, HTTPStatus(error.status_code), error.detail)
        case DomainError():
            # What cannot be, and what cannot be beside something else, are both bad requests.
            status = _STATUSES.get(type(error), HTTPStatus.BAD_REQUEST)
            return _told(request, error, status, error.message)
    internal = HTTPStatus.INTERNAL_SERVER_ERROR
    return json_response({"message": internal.phrase}, internal)


def _told(request: Request, error: Exception, status: HTTPStatus, message: str) -> Response:
    response = json_response({"message": printable(message)[:MESSAGE_CHARS_MAX]}, status)
    response.headers.update(headers_of_failure(request, error) or {})
    return response


def _place(one: dict[str, Any]) -> str:
    place = ".".join(printable(str(part)) for part in one["loc"][1:])
    return f"{place}: {one['msg']}" if place else str(one["msg"])


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation."""
    told = {HTTPStatus.BAD_REQUEST, *statuses}
    documents: dict[int | str, dict[str, Any]] = {
        status.value: {"model": TogaiError, "description": status.phrase} for status in sorted(told)
    }
    documents[503] = {"description": "The server or its database is overloaded or away"}
    documents["default"] = {"description": "An unexpected failure"}
    return documents
