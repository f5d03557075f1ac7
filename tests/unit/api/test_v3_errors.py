"""Every kind of failure has its status, its type and its words in v3's form."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from fastapi import Request
from starlette.exceptions import HTTPException

from monometer.api.openmeter.v3.errors import respond
from monometer.api.openmeter.v3.parameters import (
    InvalidParameters,
    about,
    about_topics,
    wrong,
)
from monometer.api.problems import MalformedRequest
from monometer.core import errors
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

KONNECT = "https://kongapi.info/konnect"
TOLD: dict[type[DomainError], tuple[int, str, str]] = {
    InvalidInput: (400, f"{KONNECT}/bad-request", "Bad Request: body: why"),
    MalformedRequest: (400, f"{KONNECT}/bad-request", "Bad Request: body: why"),
    Unauthenticated: (401, f"{KONNECT}/unauthorized", "why"),
    Forbidden: (403, f"{KONNECT}/forbidden", "why"),
    NotFound: (404, f"{KONNECT}/not-found", "Not Found: why"),
    Conflict: (409, f"{KONNECT}/conflict", "why"),
    PreconditionFailed: (410, "about:blank", "why"),
    TooLarge: (413, "about:blank", "why"),
    RateLimited: (429, "about:blank", "why"),
    Overloaded: (503, "about:blank", "why"),
    Unavailable: (503, "about:blank", "why"),
}


def answer(error: Exception, method: str = "POST") -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and body of the answer to a failure below /api/v3."""
    scope = {
        "type": "http",
        "method": method,
        "path": "/api/v3/openmeter/meters",
        "headers": [],
        "state": {"request_id": "r-1"},
    }
    response = respond(Request(scope), error)
    assert response.media_type == "application/problem+json"
    return response.status_code, dict(response.headers), json.loads(bytes(response.body))


def test_every_kind_is_told() -> None:
    kinds = {one for one in vars(errors).values() if isinstance(one, type)}
    assert {one for one in kinds if issubclass(one, DomainError)} - {DomainError} <= TOLD.keys()


@pytest.mark.parametrize("kind", TOLD, ids=lambda k: k.__name__)
def test_kind_has_a_status_a_type_and_a_detail(kind: type[DomainError]) -> None:
    expected_status, expected_type, expected_detail = TOLD[kind]
    status, _, body = answer(kind("why"))
    assert (status, body["status"], body["type"]) == (expected_status, status, expected_type)
    assert body["detail"] == expected_detail
    assert body["instance"] == "urn:request:r-1"
    assert ("invalid_parameters" in body) == (status == HTTPStatus.BAD_REQUEST)


def test_headers_are_those_of_the_kind() -> None:
    assert answer(Overloaded("full", retry_after_s=7))[1]["retry-after"] == "7"
    assert answer(Unauthenticated("who?"))[1]["www-authenticate"] == "Bearer"


def test_what_is_not_found_is_named_by_its_kind() -> None:
    body = answer(NotFound("meter not found: 01H"))[2]
    assert body["detail"] == "The requested meter was not found"
    body = answer(NotFound("customer with id 01H not found"))[2]
    assert body["detail"] == "Not Found: customer with id 01H not found"


def test_nothing_is_told_of_what_nobody_foresaw() -> None:
    status, _, body = answer(ZeroDivisionError("a secret"))
    assert (status, body["type"]) == (500, f"{KONNECT}/internal")
    assert "secret" not in json.dumps(body)


def test_http_exception_keeps_its_words() -> None:
    status, headers, body = answer(HTTPException(503, "stopping", {"Retry-After": "1"}))
    assert (status, headers["retry-after"], body["detail"]) == (503, "1", "stopping")
    assert answer(HTTPException(404))[2]["detail"] == "The requested resource was not found"


@pytest.mark.parametrize(
    ("method", "source"), [("GET", "query"), ("DELETE", "query"), ("PUT", "body")]
)
def test_source_of_what_has_no_field_is_where_the_input_was(method: str, source: str) -> None:
    listed = answer(InvalidInput("one\ntwo"), method)[2]["invalid_parameters"]
    assert listed == [
        {"field": source, "rule": "invalid", "reason": reason, "source": source}
        for reason in ("one", "two")
    ]


def test_pointer_becomes_a_path() -> None:
    error = InvalidInput("bad", [FieldError(field="/3/a~1b~0c", message="odd")])
    [told] = answer(error)[2]["invalid_parameters"]
    assert (told["field"], told["reason"]) == ("3.a/b~c", "odd")


def test_no_more_than_a_hundred_are_listed() -> None:
    fields = [FieldError(field=f"/{index}", message="odd") for index in range(1_000)]
    assert len(answer(InvalidInput("bad", fields))[2]["invalid_parameters"]) == 100
    assert (
        len(answer(InvalidInput("\n".join(map(str, range(1_000)))))[2]["invalid_parameters"]) == 100
    )


def test_lone_surrogate_that_came_in_does_not_come_back() -> None:
    body = answer(wrong("a\ud800", "b\ud800"))[2]
    assert body["invalid_parameters"][0]["field"] == "a?"
    assert body["detail"] == "Bad Request: a?: b?"


def test_refusal_inside_is_about_the_field_unless_it_names_its_own() -> None:
    with pytest.raises(InvalidParameters) as raised, about("time_zone"):
        raise InvalidInput("unknown")
    assert raised.value.parameters == wrong("time_zone", "unknown").parameters
    with pytest.raises(InvalidParameters) as raised, about("time_zone"):
        raise wrong("other", "why")
    assert raised.value.parameters == wrong("other", "why").parameters


def test_each_line_of_a_refusal_is_about_the_field_of_its_topic() -> None:
    with pytest.raises(InvalidParameters) as raised, about_topics({"bad key": "key"}):
        raise InvalidInput("bad key: too long\nbad luck: today")
    assert [(one["field"], one["reason"]) for one in raised.value.parameters] == [
        ("key", "too long"),
        ("body", "bad luck: today"),
    ]
