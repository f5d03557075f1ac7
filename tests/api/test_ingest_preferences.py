"""All or nothing by default; what a request may prefer instead, and what it is then told."""

from typing import Any

import httpx
import pytest
from tests.support.metering import refusal
from tests.support.sending import Event, Sender, event

REPRESENTATION = "return=representation"
LENIENT = "handling=lenient"


def mixed(subject: str) -> list[Event]:
    """A good event, two bad ones, another good one."""
    return [
        event(subject=subject),
        event(subject=subject, id=None),
        event(subject=subject, data=[]),
        event(subject=subject),
    ]


def result(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    statuses = [one["status"] for one in body["results"]]
    for status in ("accepted", "duplicate", "rejected"):
        assert body[status] == statuses.count(status)
    assert [one["index"] for one in body["results"]] == list(range(len(statuses)))
    return body


def test_one_bad_event_refuses_the_request_and_nothing_is_stored(sender: Sender) -> None:
    subject = event()["subject"]
    assert sender.reasons(mixed(subject)) == {
        "/1/id": "is missing",
        "/2/data": "must be a JSON object or null",
    }
    assert sender.of_subject(subject) == []


def test_ten_bad_events_are_told_and_the_others_counted(sender: Sender) -> None:
    answer = sender.send([event(id="")] * 150)
    detail = str(refusal(answer)[1])
    assert detail.count("Error at ") == 10
    assert detail.endswith('Error at "/9/id": must not be empty; and 140 more')
    assert len(answer.json()["extensions"]["validationErrors"]) == 100


def test_lenient_request_stores_the_good_events_and_names_the_others(sender: Sender) -> None:
    subject = event()["subject"]
    sent = mixed(subject)
    answer = sender.send(sent, prefer=LENIENT)
    assert result(answer)["results"] == [
        {"index": 0, "id": sent[0]["id"], "source": "test", "status": "accepted"},
        {
            "index": 1, "id": None, "source": "test", "status": "rejected",
            "reason": "is missing", "field": "/id",
        },
        {
            "index": 2, "id": sent[2]["id"], "source": "test", "status": "rejected",
            "reason": "must be a JSON object or null", "field": "/data",
        },
        {"index": 3, "id": sent[3]["id"], "source": "test", "status": "accepted"},
    ]  # fmt: skip
    assert answer.headers["preference-applied"] == LENIENT
    assert len(sender.of_subject(subject)) == 2


def test_lenient_request_without_a_bad_event_is_answered_with_204(sender: Sender) -> None:
    answer = sender.send([event(), event()], prefer=LENIENT)
    assert answer.status_code == 204
    assert answer.headers["preference-applied"] == LENIENT


def test_lenient_request_may_have_no_good_event(sender: Sender) -> None:
    body = result(sender.send('[{}, 5, "\\ud800", {"id": "\\u0000"}]', prefer=LENIENT))
    assert (body["accepted"], body["rejected"]) == (0, 4)
    assert [one["field"] for one in body["results"]] == ["/id", "", "", "/source"]


def test_lenient_request_still_has_to_be_readable(sender: Sender) -> None:
    for body in ("[{}", "[]", ""):
        assert sender.send(body, prefer=LENIENT).status_code == 400


def test_representation_tells_what_became_of_each_event(sender: Sender) -> None:
    first, second = event(), event()
    sender.accept(first)
    answer = sender.send([first, second, second], prefer=REPRESENTATION)
    assert result(answer)["results"] == [
        {"index": 0, "id": first["id"], "source": "test", "status": "duplicate"},
        {"index": 1, "id": second["id"], "source": "test", "status": "accepted"},
        {"index": 2, "id": second["id"], "source": "test", "status": "duplicate"},
    ]
    assert answer.headers["preference-applied"] == REPRESENTATION


def test_representation_alone_is_strict(sender: Sender) -> None:
    subject = event()["subject"]
    assert sender.send(mixed(subject), prefer=REPRESENTATION).status_code == 400
    assert sender.of_subject(subject) == []


def test_representation_of_an_empty_batch_is_empty(sender: Sender) -> None:
    answer = sender.send("[]", "application/cloudevents-batch+json", prefer=REPRESENTATION)
    assert result(answer)["results"] == []


@pytest.mark.parametrize(
    "prefer", [f"{LENIENT}, {REPRESENTATION}", f"{REPRESENTATION},{LENIENT}", "both"]
)
def test_both_may_be_preferred(sender: Sender, prefer: str) -> None:
    """In one header or in two."""
    headers = [("prefer", prefer)]
    if prefer == "both":
        headers = [("prefer", LENIENT), ("prefer", REPRESENTATION)]
    headers.append(("content-type", "application/json"))
    for sent, counts in ((event(), (1, 0)), (event(id=None), (0, 1))):
        request = sender.http.build_request("POST", "/api/v1/events", headers=headers, json=sent)
        answer = sender.http.send(request)
        body = result(answer)
        assert (body["accepted"], body["rejected"]) == counts
        assert answer.headers["preference-applied"] == f"{LENIENT}, {REPRESENTATION}"


@pytest.mark.parametrize(
    "prefer", ["HANDLING=Lenient", 'handling="lenient"', "handling = lenient", f"{LENIENT}; a=b"]
)
def test_preference_may_be_written_in_any_way(sender: Sender, prefer: str) -> None:
    assert sender.send([event(), event(id=None)], prefer=prefer).status_code == 200


@pytest.mark.parametrize(
    "prefer", ["respond-async, wait=10", "handling", "handling=kind", "x", "", ",;=", "lenient"]
)
def test_other_preferences_change_nothing(sender: Sender, prefer: str) -> None:
    answer = sender.send(event(), prefer=prefer)
    assert answer.status_code == 204
    assert "preference-applied" not in answer.headers
    assert sender.send(event(id=None), prefer=prefer).status_code == 400


def test_others_beside_a_known_one_are_not_applied(sender: Sender) -> None:
    answer = sender.send(event(), prefer=f"wait=10, {REPRESENTATION}, x")
    assert answer.headers["preference-applied"] == REPRESENTATION


@pytest.mark.parametrize("first", ["handling=strict", LENIENT])
def test_of_two_of_one_name_the_first_counts(sender: Sender, first: str) -> None:
    prefer = f"{first}, handling=strict, {LENIENT}"
    answer = sender.send([event(), event(id=None)], prefer=prefer)
    assert answer.status_code == (200 if first == LENIENT else 400)
    assert sender.send(event(), prefer=prefer).headers["preference-applied"] == first


def test_minimal_return_is_the_default_said_aloud(sender: Sender) -> None:
    answer = sender.send(event(), prefer="return=minimal")
    assert answer.status_code == 204
    assert answer.headers["preference-applied"] == "return=minimal"
