"""Every media type of ingest: what it takes, and what is said of what it does not."""

import json

import pytest
from tests.support.metering import refusal
from tests.support.sending import BATCH, NDJSON, ONE, Sender, event

JSON = "application/json"


@pytest.mark.parametrize("media_type", [ONE, JSON, NDJSON])
def test_one_event_is_stored(sender: Sender, media_type: str) -> None:
    sent = event()
    sender.accept(sent, media_type)
    assert sender.one_of(sent)["id"] == sent["id"]


@pytest.mark.parametrize("media_type", [BATCH, JSON])
def test_events_of_an_array_are_stored(sender: Sender, media_type: str) -> None:
    subject = event()["subject"]
    sent = [event(subject=subject) for _ in range(3)]
    sender.accept(sent, media_type)
    assert {one["id"] for one in sender.of_subject(subject)} == {one["id"] for one in sent}


@pytest.mark.parametrize(
    "media_type",
    [
        f"{ONE}; charset=utf-8",
        "Application/CloudEvents+JSON",
        "application/json;charset=UTF-8",
        "application/json ; a=b; c",
        "APPLICATION/JSON",
        "application/x-ndjson; charset=utf-8",
        "application/ndjson",
        "application/jsonl",
    ],
)
def test_media_type_may_have_parameters_and_be_in_any_case(sender: Sender, media_type: str) -> None:
    sender.accept(event(), media_type)


@pytest.mark.parametrize(
    "media_type",
    [None, "", "text/plain", "text/json", "*/*", ";", "application/json, text/plain", "json"],
)
def test_other_media_types_are_refused_as_bad_requests(
    sender: Sender, media_type: str | None
) -> None:
    answer = sender.send(event(), media_type)
    assert refusal(answer) == (400, f"invalid content type: {media_type or ''}")


@pytest.mark.parametrize("body", ["", " ", "\n\r\n\t"])
@pytest.mark.parametrize("media_type", [ONE, BATCH, JSON, NDJSON])
def test_empty_body_is_refused(sender: Sender, media_type: str, body: str) -> None:
    answer = sender.send(body, media_type)
    assert refusal(answer) == (400, "request body has an error: value is required but missing")


@pytest.mark.parametrize("body", ["[]", " [ \n] "])
def test_empty_array_as_json_is_refused(sender: Sender, body: str) -> None:
    assert refusal(sender.send(body, JSON)) == (400, "invalid event: no events found")


@pytest.mark.parametrize("body", ["[]", " [ \n] "])
def test_empty_array_as_batch_is_a_batch_of_no_events(sender: Sender, body: str) -> None:
    sender.accept(body, BATCH)


@pytest.mark.parametrize("body", ["{}", "5", "null", '"text"'])
def test_batch_is_an_array(sender: Sender, body: str) -> None:
    answer = sender.send(body, BATCH)
    assert refusal(answer) == (400, "invalid event: the body must be a JSON array of events")


def test_one_event_is_not_an_array(sender: Sender) -> None:
    assert sender.reasons([event()], ONE) == {"": "Expected `object`, got `array`"}


@pytest.mark.parametrize(
    ("body", "found"),
    [("5", "int"), ("null", "null"), ("true", "bool"), ('"a"', "str"), ("1.5", "float")],
)
def test_event_is_an_object(sender: Sender, body: str, found: str) -> None:
    reason = f"Expected `object`, got `{found}`"
    assert sender.reasons(body) == {"": reason}
    assert sender.reasons(f"[{body}]") == {"/0": reason}


@pytest.mark.parametrize(
    "body",
    ["[", "[{}", "[{},", "[{},]", "[,]", "[{}]x", "[{}],", "[{} {}]", "[{}}", "[nul]", "[}"],
)
@pytest.mark.parametrize("media_type", [BATCH, JSON])
def test_broken_array_is_refused_as_a_whole(sender: Sender, media_type: str, body: str) -> None:
    status, detail = refusal(sender.send(body, media_type))
    assert status == 400
    assert str(detail).startswith("invalid event: the body is not ")


@pytest.mark.parametrize("body", ["{", "nul", "{'a':1}", "\ufeffEVENT", "EVENT EVENT", "EVENT,"])
def test_broken_json_is_refused(sender: Sender, body: str) -> None:
    [(field, reason)] = sender.reasons(body.replace("EVENT", json.dumps(event()))).items()
    assert field == ""
    assert reason.startswith("is not valid JSON: ")


def test_array_of_one_names_its_index(sender: Sender) -> None:
    bad = event(subject=None)
    assert sender.reasons(bad) == {"/subject": "is missing"}
    assert sender.reasons([bad]) == {"/0/subject": "is missing"}
    assert sender.reasons(json.dumps(bad), NDJSON) == {"/0/subject": "is missing"}


def test_spaces_around_elements_are_passed_over(sender: Sender) -> None:
    good, bad = event(), event(id=None)
    body = f" \r\n[\t{json.dumps(good)} ,\n {json.dumps(bad)}\n]\r\n "
    assert sender.reasons(body) == {"/1/id": "is missing"}
    sender.accept(body.replace(json.dumps(bad), json.dumps(event())))


def test_lines_may_be_blank_and_end_in_crlf(sender: Sender) -> None:
    subject = event()["subject"]
    lines = [json.dumps(event(subject=subject)) for _ in range(3)]
    sender.accept(f"\n{lines[0]}\r\n \r\n{lines[1]}\n\n\n{lines[2]}", NDJSON)
    assert len(sender.of_subject(subject)) == 3


def test_bad_line_is_named_by_its_index_among_the_events(sender: Sender) -> None:
    lines = ["", json.dumps(event()), "", "{", json.dumps(event(type="")), "[]"]
    reasons = sender.reasons("\n".join(lines), NDJSON)
    assert set(reasons) == {"/1", "/2/type", "/3"}
    assert reasons["/1"].startswith("is not valid JSON: ")
    assert reasons["/2/type"] == "must not be empty"
    assert reasons["/3"] == "Expected `object`, got `array`"


def test_line_break_inside_an_event_is_not_ndjson(sender: Sender) -> None:
    assert set(sender.reasons(json.dumps(event(), indent=1), NDJSON)) >= {"/0", "/1"}


@pytest.mark.parametrize("media_type", [ONE, NDJSON])
def test_body_that_is_not_utf8_is_refused(sender: Sender, media_type: str) -> None:
    body = json.dumps(event(subject="S")).encode().replace(b'"S"', b'"\xff"')
    assert list(sender.reasons(body, media_type).values()) == ["is not valid UTF-8"]


def test_accepted_is_answered_with_204_and_nothing_else(sender: Sender) -> None:
    answer = sender.send(event())
    assert answer.status_code == 204
    assert answer.content == b""
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers
    assert answer.headers["x-request-id"]
