"""CloudEvents in binary mode: the attributes are headers, the body is the data."""

from collections.abc import Mapping
from typing import TypeAlias
from uuid import uuid4

import httpx
import pytest
from tests.support.metering import refusal
from tests.support.sending import INGEST, ONE, Event, Sender, event

Attributes: TypeAlias = Mapping[str, str | bytes | None]


def send(
    sender: Sender,
    body: bytes = b"{}",
    media_type: str | None = "application/json",
    attributes: Attributes | None = None,
) -> httpx.Response:
    """`attributes` replace those of a good event; None leaves one out."""
    whole = event(**attributes or {})
    headers = [(f"ce-{name}", value) for name, value in whole.items()]
    if media_type is not None:
        headers.append(("content-type", media_type))
    raw = [(n.encode(), v if isinstance(v, bytes) else v.encode()) for n, v in headers]
    return sender.http.post(INGEST, content=body, headers=raw)


def stored(sender: Sender, body: bytes = b"{}", **attributes: str | bytes) -> Event:
    subject = uuid4().hex
    answer = send(sender, body, attributes={"subject": subject, **attributes})
    assert answer.status_code == 204, answer.text
    [found] = sender.of_subject(subject)
    return found


def reason(answer: httpx.Response) -> tuple[str, str]:
    """Field and message of the only thing that is wrong."""
    assert refusal(answer)[0] == 400
    [error] = answer.json()["extensions"]["validationErrors"]
    return error["field"], error["message"]


def test_headers_are_the_attributes_and_the_body_is_the_data(sender: Sender) -> None:
    time = "2024-01-02T03:04:05.5+01:00"
    found = stored(sender, b'{"a": 1.10}', id=(id_ := uuid4().hex), type="call", time=time)
    assert (found["id"], found["type"], found["source"]) == (id_, "call", "test")
    assert found["time"] == "2024-01-02T02:04:05.5Z"
    assert str(found["data"]) == "{'a': Decimal('1.10')}"


@pytest.mark.parametrize(
    "media_type", [None, "application/json", "Application/JSON; charset=utf-8"]
)
def test_content_type_may_be_missing_or_have_parameters(
    sender: Sender, media_type: str | None
) -> None:
    assert send(sender, b'{"a":1}', media_type).status_code == 204


def test_without_a_body_there_is_no_data(sender: Sender) -> None:
    assert "data" not in stored(sender, b"")


def test_null_is_data_that_is_null(sender: Sender) -> None:
    assert stored(sender, b"null")["data"] is None


def test_spaces_around_the_body_are_passed_over(sender: Sender) -> None:
    assert stored(sender, b' \r\n{"a":1}\n')["data"] == {"a": 1}


def test_header_names_are_in_any_case(sender: Sender) -> None:
    headers = {
        "CE-SpecVersion": "1.0", "Ce-Id": uuid4().hex, "ce-SOURCE": "s", "cE-type": "t",
        "CE-Subject": "s",
    }  # fmt: skip
    assert sender.http.post(INGEST, content=b"", headers=headers).status_code == 204


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/x-ndjson"])
def test_other_media_types_are_not_binary_mode(sender: Sender, media_type: str) -> None:
    assert send(sender, b"{}", media_type).status_code == 400


def test_structured_mode_wins(sender: Sender) -> None:
    structured = event()
    sender.accept(structured, ONE, **{"ce-specversion": "1.0", "ce-id": "ignored"})
    assert sender.one_of(structured)["id"] == structured["id"]


@pytest.mark.parametrize("name", ["id", "source", "type", "subject"])
def test_missing_attribute_is_named(sender: Sender, name: str) -> None:
    assert reason(send(sender, attributes={name: None})) == (f"/{name}", "is missing")
    assert reason(send(sender, attributes={name: ""})) == (f"/{name}", "must not be empty")


@pytest.mark.parametrize(
    ("header", "id_"),
    [
        ("{0}%20b", "{0} b"),
        ("{0}%C3%A9", "{0}é"),
        ("{0}%c3%a9", "{0}é"),
        ("{0}%F0%9F%98%80", "{0}😀"),
        ("{0}é", "{0}é"),
        ("{0}+%2B", "{0}++"),
        ("{0}%25%32%30", "{0}%20"),
        ("{0}%", "{0}%"),
        ("{0}%zz", "{0}%zz"),
        ("{0}%0D%0Ax-evil: 1", "{0}\r\nx-evil: 1"),
        ('"{0}"', "{0}"),
        (r'"{0} \"b\\ %22"', r'{0} "b\ "'),
        ('{0}"', '{0}"'),
    ],
)
def test_value_is_unquoted_and_percent_decoded_once(sender: Sender, header: str, id_: str) -> None:
    unique = uuid4().hex
    found = stored(sender, id=header.replace("{0}", unique).encode())
    assert found["id"] == id_.replace("{0}", unique)


@pytest.mark.parametrize("header", [b"a%FF", b"a\xff", b"%C0%AF", b"%ED%A0%80", b'"%FE"'])
def test_value_that_is_not_utf8_is_refused_and_not_mended(sender: Sender, header: bytes) -> None:
    assert reason(send(sender, attributes={"id": header})) == (
        "/id",
        "is not valid UTF-8, percent-encoded",
    )


def test_nul_is_refused(sender: Sender) -> None:
    assert reason(send(sender, attributes={"subject": "a%00"})) == (
        "/subject",
        "must not contain a NUL character",
    )


def test_wrong_time_and_version_are_named(sender: Sender) -> None:
    assert reason(send(sender, attributes={"time": "now"}))[0] == "/time"
    assert reason(send(sender, attributes={"specversion": "2.0"}))[0] == "/specversion"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[]", "/data"),
        (b"5", "/data"),
        (b'"text"', "/data"),
        (b'{"a":"\\u0000"}', "/data"),
        (b'{"a":"\\ud800"}', "/data"),
        (b'{"a":"\xff"}', "/data"),
        (b"{", ""),
        (b"{}{}", ""),
        (b"nul", ""),
    ],
)
def test_bad_data_is_refused(sender: Sender, body: bytes, field: str) -> None:
    assert reason(send(sender, body))[0] == field


@pytest.mark.parametrize(
    "body",
    [
        b'{},"subject":"somebody else"',
        b'{},"id":"another"',
        b'{},"data":{"a":1}',
        b'null,"data":{}',
        b'{},"x":1',
        b'{},"x":"\xff"',
    ],
)
def test_body_cannot_add_to_the_attributes(sender: Sender, body: bytes) -> None:
    answer = send(sender, body)
    assert answer.status_code == 400, answer.text
    answer = send(sender, body, attributes={"id": None})
    assert answer.status_code == 400, answer.text
