"""Kinds of failure as problem documents (RFC 7807), in the native dialect's words.

A dialect that says them otherwise is told here by the paths it answers (`tell_otherwise`).
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

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

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
ERRORS_LISTED_MAX = 100

# Kind → status and the prefix of `detail`. The first match wins, so special kinds come first.
_KINDS: Sequence[tuple[type[DomainError], HTTPStatus, str]] = (
    (InvalidInput, HTTPStatus.BAD_REQUEST, "validation error: "),
    (Unauthenticated, HTTPStatus.UNAUTHORIZED, "unauthorized error: "),
    (Forbidden, HTTPStatus.FORBIDDEN, "forbidden error: "),
    (NotFound, HTTPStatus.NOT_FOUND, "not found error: "),
    (Conflict, HTTPStatus.CONFLICT, "conflict error: "),
    (PreconditionFailed, HTTPStatus.PRECONDITION_FAILED, "precondition failed error: "),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request entity too large error: "),
    (RateLimited, HTTPStatus.TOO_MANY_REQUESTS, ""),
    (Overloaded, HTTPStatus.SERVICE_UNAVAILABLE, ""),
)


FORESEEN = (RequestValidationError, HTTPException, DomainError)

Telling: TypeAlias = Callable[[Request, Exception], Response]
_tellings: dict[str, Telling] = {}


def tell_otherwise(path_prefix: str, telling: Telling) -> None:
    """Below that path, `telling` makes the answers to all failures; it takes any exception."""
    _tellings[path_prefix] = telling


class MalformedRequest(InvalidInput):
    """The request itself is not of the form that the operation takes: a 400 without a prefix."""


class Problem(BaseModel):
    """What went wrong, as RFC 7807 says it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    extensions: dict[str, Any] | None = None


def problem_response(
    request_id: str | None,
    status: HTTPStatus | int,
    detail: str | None = None,
    *,
    fields: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    status = HTTPStatus(status)
    body: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value}
    if detail:
        body["detail"] = detail
    if request_id:
        body["instance"] = f"urn:request:{request_id}"
    if fields:
        body["extensions"] = {
            "validationErrors": [
                {
                    "code": "invalid_field",
                    "message": one.message,
                    "severity": "critical",
                    "field": one.field,
                }
                for one in fields[:ERRORS_LISTED_MAX]
            ]
        }
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


def request_id_of(request: Request) -> str | None:
    found: str | None = request.scope.get("state", {}).get("request_id")
    return found


def status_of(error: DomainError) -> HTTPStatus:
    return next(status for kind, status, _ in _KINDS if isinstance(error, kind))


def headers_of_failure(request: Request, error: Exception) -> dict[str, str] | None:
    """What an answer to this failure has to carry, in whatever dialect."""
    if isinstance(error, Overloaded):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, HTTPException):
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return {"Allow": ", ".join(_methods_of_path(request))}
        return dict(error.headers) if error.headers else None
    return None


def _response_to_failure(request: Request, error: DomainError) -> Response:
    prefix = next(p for kind, _, p in _KINDS if isinstance(error, kind))
    if isinstance(error, MalformedRequest):
        prefix = ""
    fields = error.fields if isinstance(error, InvalidInput) else ()
    detail = printable(f"{prefix}{error.message}")
    headers = headers_of_failure(request, error)
    request_id = request_id_of(request)
    return problem_response(request_id, status_of(error), detail, fields=fields, headers=headers)


def _response_to_invalid_request(request: Request, error: RequestValidationError) -> Response:
    fields, details = [], []
    for one in error.errors():
        place, *path = (printable(str(part)) for part in one["loc"])
        message = printable(str(one["msg"]).removeprefix("Value error, "))
        if place == "body" and path and one["type"] != "json_invalid":
            pointer = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)
            fields.append(FieldError(field=pointer, message=message))
            details.append(f'request body has an error: Error at "{pointer}": {message}')
        elif place == "body":
            details.append(f"request body has an error: {_problem_of_whole_body(one)}")
        else:
            name = ".".join(path)
            fields.append(FieldError(field=name, message=message))
            details.append(f'parameter "{name}" in {place} has an error: {message}')
    detail = "\n".join(details[:ERRORS_LISTED_MAX])
    return problem_response(request_id_of(request), HTTPStatus.BAD_REQUEST, detail, fields=fields)


def _problem_of_whole_body(error: dict[str, Any]) -> str:
    if error["type"] == "missing":
        return "value is required but missing"
    if error["type"] == "json_invalid":
        return f"not valid JSON at character {error['loc'][-1]}: {error['ctx']['error']}"
    if isinstance(error["input"], bytes):  # left unparsed, for what it said it was
        return "header Content-Type has unexpected value, expected application/json"
    return "must be a JSON array" if error["type"] == "list_type" else "must be a JSON object"


def printable(text: str) -> str:
    """A lone surrogate that came in must not come back: it has no UTF-8."""
    return text.encode(errors="replace").decode()


def _response_to_http(request: Request, error: HTTPException) -> Response:
    # The router's own 404 and 405 carry the reason phrase as detail, which `title` says already.
    status = HTTPStatus(error.status_code)
    detail = None if error.detail == status.phrase else error.detail
    headers = headers_of_failure(request, error)
    return problem_response(request_id_of(request), status, detail, headers=headers)


def _methods_of_path(request: Request) -> list[str]:
    """All that any route takes; the router's own answer names those of the first route only."""
    return [
        method for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.router.routes
        )
    ]  # fmt: skip


def response_to(request: Request, error: Exception) -> Response:
    """The answer to any failure in the dialect of the path; an unforeseen one is only told."""
    if isinstance(error, DomainError):
        log.info("request.refused", kind=type(error).__name__, reason=error.message)
    path = request.scope["path"]
    telling = next((one for prefix, one in _tellings.items() if path.startswith(prefix)), _natively)
    return telling(request, error)


def _natively(request: Request, error: Exception) -> Response:
    match error:
        case RequestValidationError():
            return _response_to_invalid_request(request, error)
        case HTTPException():
            return _response_to_http(request, error)
        case DomainError():
            return _response_to_failure(request, error)
    return problem_response(request_id_of(request), HTTPStatus.INTERNAL_SERVER_ERROR)


async def answer_failure(request: Request, error: Exception) -> Response:
    """The answer to a failure that was foreseen; raises any other again."""
    if isinstance(error, FORESEEN):
        return response_to(request, error)
    raise error


def install(app: FastAPI) -> None:
    """Every failure of `app` becomes a problem document; the last resort is in middleware.py."""
    for kind in FORESEEN:
        app.add_exception_handler(kind, answer_failure)


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation: these problems, those any operation has, and `default`."""
    always = {HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE}
    documents: dict[int | str, dict[str, Any]] = {
        status.value: _document(status.phrase) for status in sorted({*always, *statuses})
    }
    documents["default"] = _document("An unexpected problem")
    return documents


def example(value: object, media_type: str = "application/json") -> dict[int | str, dict[str, Any]]:
    """The `responses` entry that shows what an operation answers."""
    return {HTTPStatus.OK.value: {"content": {media_type: {"example": value}}}}


def _document(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
