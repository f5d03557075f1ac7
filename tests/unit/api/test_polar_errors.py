"""Every kind of failure has its status and its shape in Polar's form."""

import json
from typing import Any

import pytest
from fastapi import Request
from starlette.exceptions import HTTPException

from monometer.api.polar.errors import answer, error_body
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
    Unavailable,
)


def request(method: str = "GET", **headers: str) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "path": "/v1/meters", "headers": raw})


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (Unauthenticated("no key"), 401, "Unauthorized"),
        (Forbidden("no scope"), 403, "insufficient_scope"),
        (NotFound("meter not found"), 404, "ResourceNotFound"),
        (PreconditionFailed("customer is deleted"), 404, "ResourceNotFound"),
        (Conflict("taken"), 409, "Conflict"),
        (TooLarge("too large"), 413, "PayloadTooLarge"),
        (InvalidInput("odd"), 422, "PolarRequestValidationError"),
        (RateLimited("enough", retry_after_s=7), 429, "RateLimited"),
        (Overloaded("busy"), 503, "ServiceUnavailable"),
        (Unavailable("away"), 503, "ServiceUnavailable"),
        (HTTPException(413, "too large"), 413, "RequestEntityTooLarge"),
        (RuntimeError("nobody knows"), 500, "InternalServerError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_has_its_status_and_its_name(error: Exception, status: int, name: str) -> None:
    response = answer(request(), error)
    body = json.loads(bytes(response.body))
    assert (response.status_code, body["error"]) == (status, name)
    assert response.headers["content-type"] == "application/json"


def test_a_bad_token_is_told_apart_from_none() -> None:
    error = Unauthenticated("the API key is not known")
    without, with_ = answer(request(), error), answer(request(authorization="Bearer x"), error)
    assert without.headers["www-authenticate"] == with_.headers["www-authenticate"]
    assert without.headers["www-authenticate"] == 'Bearer realm="polar"'
    assert json.loads(bytes(without.body)) == {"error": "Unauthorized", "detail": "Unauthorized"}
    assert json.loads(bytes(with_.body)) == {
        "error": "invalid_token",
        "error_description": "the API key is not known",
    }


@pytest.mark.parametrize(
    "error", [RateLimited("x", retry_after_s=7), Overloaded("x", retry_after_s=7)]
)
def test_when_to_come_back_is_a_whole_number(error: DomainError) -> None:
    assert answer(request(), error).headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("/events/3/metadata/a~1b", ["body", "events", 3, "metadata", "a/b"]),
        ("/", ["body"]),
        ("limit", ["query", "limit"]),
        ("query", ["query"]),
    ],
)
def test_a_field_is_a_place(field: str, place: list[Any]) -> None:
    error = InvalidInput("odd", [FieldError(field=field, message="is odd", code="strange")])
    [entry] = json.loads(bytes(answer(request(), error).body))["detail"]
    assert entry == {"type": "strange", "loc": place, "msg": "is odd"}


def test_a_lone_surrogate_does_not_come_back() -> None:
    error = InvalidInput("odd", [FieldError(field="query", message="no \ud800")])
    assert answer(request(), error).status_code == 422


def test_a_body_can_be_asked_for_by_kind() -> None:
    status, body = error_body(Forbidden("the key lacks a scope"), has_token=True)
    assert (status, body["error"]) == (403, "insufficient_scope")
