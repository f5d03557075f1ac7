"""Failures in v3's form: problems with a type of their own, and what is wrong with what."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from monometer.api.openmeter.v3.parameters import (
    InvalidParameters,
    Parameter,
    parameter,
    parameter_from_pydantic,
    summary,
)
from monometer.api.problems import (
    ERRORS_LISTED_MAX,
    MEDIA_TYPE,
    headers_of_failure,
    printable,
    request_id_of,
    status_of,
)
from monometer.core.errors import DomainError, InvalidInput, NotFound, PreconditionFailed

PATH_PREFIX = "/api/v3/"

# Source: Kong's AIP 193, and its list of the errors that any of its APIs may answer.
TYPES = {
    HTTPStatus.BAD_REQUEST: "https://kongapi.info/konnect/bad-request",
    HTTPStatus.UNAUTHORIZED: "https://kongapi.info/konnect/unauthorized",
    HTTPStatus.FORBIDDEN: "https://kongapi.info/konnect/forbidden",
    HTTPStatus.NOT_FOUND: "https://kongapi.info/konnect/not-found",
    HTTPStatus.CONFLICT: "https://kongapi.info/konnect/conflict",
    HTTPStatus.INTERNAL_SERVER_ERROR: "https://kongapi.info/konnect/internal",
}
UNTYPED = "about:blank"


class InvalidParameter(BaseModel):
    """One thing that is wrong. Limits and choices come with the rules that have any."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "field": "page[size]",
                    "rule": "max",
                    "reason": "Input should be less than or equal to 100",
                    "source": "query",
                    "maximum": 100,
                }
            ]
        }
    )

    field: str = Field(description="A member by its path, a query parameter by its whole name.")
    rule: str
    reason: str
    source: str = Field(description="body, query, path or header")
    minimum: int | None = None
    maximum: int | None = None
    choices: list[str] | None = None


class BaseError(BaseModel):
    """What went wrong."""

    type: str
    status: int
    title: str
    detail: str
    instance: str = Field(description="Names the request in the server's log.")


class BadRequestError(BaseError):
    """What is wrong with the request."""

    invalid_parameters: list[InvalidParameter] = Field(min_length=1)


def respond(request: Request, error: Exception) -> Response:
    """The problem document of any failure; of one that nobody foresaw it tells only that."""
    status, detail = _told(error)
    body: dict[str, Any] = {
        "type": TYPES.get(status, UNTYPED),
        "status": status.value,
        "title": status.phrase,
        "detail": printable(detail),
        "instance": f"urn:request:{request_id_of(request)}",
    }
    if status is HTTPStatus.BAD_REQUEST:
        parameters = _parameters(request, error)
        body["detail"] = printable(f"Bad Request: {summary(parameters)}")
        body["invalid_parameters"] = [
            {name: printable(v) if isinstance(v, str) else v for name, v in one.items()}
            for one in parameters
        ]
    headers = headers_of_failure(request, error)
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


def _told(error: Exception) -> tuple[HTTPStatus, str]:
    match error:
        case RequestValidationError():
            return HTTPStatus.BAD_REQUEST, ""
        case NotFound():
            return HTTPStatus.NOT_FOUND, _not_found(error.message)
        case PreconditionFailed():  # in v3 what was deleted is gone
            return HTTPStatus.GONE, error.message
        case DomainError():
            return status_of(error), error.message
        case HTTPException(status_code=HTTPStatus.NOT_FOUND):
            return HTTPStatus.NOT_FOUND, "The requested resource was not found"
        case HTTPException():
            return HTTPStatus(error.status_code), error.detail
    return HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed; its log tells why"


def _not_found(message: str) -> str:
    """`meter not found: X` is v3's own sentence; any other, which may name one of many, is kept."""
    kind, found, _ = message.partition(" not found: ")
    return f"The requested {kind} was not found" if found else f"Not Found: {message}"


def _parameters(request: Request, error: Exception) -> Sequence[Parameter]:
    source = "query" if request.method in {"GET", "DELETE"} else "body"
    listed: Sequence[Parameter]
    match error:
        case RequestValidationError():
            listed = _distinct(_of_request(one) for one in error.errors())
        case InvalidParameters():
            listed = error.parameters
        case InvalidInput(fields=fields) if fields:
            listed = [parameter(_dotted(one.field), one.message, source) for one in fields]
        case InvalidInput():
            listed = [parameter(source, line, source) for line in error.message.splitlines()]
        case HTTPException():
            listed = [parameter(source, error.detail, source)]
        case _:
            raise AssertionError(error)
    return listed[:ERRORS_LISTED_MAX]


def _of_request(error: Mapping[str, Any]) -> Parameter:
    source, *path = (str(part) for part in error["loc"])
    if error["type"] == "json_invalid":
        reason = f"not valid JSON at character {path[0]}: {error['ctx']['error']}"
        return parameter("body", reason, source) | {"rule": "type"}
    if source == "body" and isinstance(
        error["input"], bytes
    ):  # left unparsed for what it said it was
        reason = "has an unexpected value, expected application/json"
        return parameter("Content-Type", reason, "header")
    return parameter_from_pydantic(error, ".".join(path) or source, source)


def _dotted(pointer: str) -> str:
    parts = pointer.removeprefix("/").split("/")
    return ".".join(part.replace("~1", "/").replace("~0", "~") for part in parts) or "body"


def _distinct(parameters: Iterable[Parameter]) -> list[Parameter]:
    listed: list[Parameter] = []
    for one in parameters:
        if one not in listed:
            listed.append(one)
        if len(listed) == ERRORS_LISTED_MAX:
            break
    return listed


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation: these problems, those any operation has, and `default`."""
    documents: dict[int | str, dict[str, Any]] = {
        HTTPStatus.BAD_REQUEST.value: _document("Bad Request", BadRequestError)
    }
    for status in sorted({HTTPStatus.SERVICE_UNAVAILABLE, *statuses}):
        documents[status.value] = _document(status.phrase, BaseError)
    documents["default"] = _document("An unexpected problem", BaseError)
    return documents


def _document(description: str, shape: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
