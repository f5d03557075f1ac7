"""`GET /api/v1/events`: what was stored, newest first, between exact bounds."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.support.metering import instant, refusal
from tests.support.sending import INGEST, Sender, event

LONG_AGO = "2000-01-01T00:00:00Z"
CUSTOMER = "01HM6ZYX0000000000000000AB"
OTHER_CUSTOMER = "01hm6zyx0000000000000000ac"


def get(sender: Sender, **parameters: str) -> httpx.Response:
    """An underscore at the end of a name is left out."""
    params = {name.rstrip("_"): value for name, value in parameters.items()}
    return sender.http.get(INGEST, params=params)


def listed(sender: Sender, **parameters: str) -> list[dict[str, Any]]:
    answer = get(sender, **{"from_": LONG_AGO, **parameters})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()
    return items


def ids(sender: Sender, **parameters: str) -> list[str]:
    return [item["event"]["id"] for item in listed(sender, **parameters)]


def detail(answer: httpx.Response) -> str:
    status, text = refusal(answer)
    assert status == 400
    assert text is not None
    return text


def stored(sender: Sender, *times: str, **members: object) -> tuple[str, list[str]]:
    """Subject and ids of events at these times, in this order."""
    subject = event()["subject"]
    sent = [event(subject=subject, time=time, **members) for time in times]
    sender.accept(sent)
    return subject, [one["id"] for one in sent]


def test_answer_is_a_bare_array(sender: Sender) -> None:
    answer = get(sender, subject=event()["subject"])
    assert (answer.text, answer.headers["content-type"]) == ("[]", "application/json")


def test_item_has_the_event_and_two_times(sender: Sender) -> None:
    sent = event(time="2024-01-02T03:04:05.678901+01:00", data={"a": [1, None]})
    before = datetime.now(UTC) - timedelta(seconds=1)  # noqa: TID251 - the server's clock
    sender.accept(sent)
    [item] = listed(sender, subject=sent["subject"])
    assert set(item) == {"event", "ingestedAt", "storedAt", "validationError"}
    assert item["event"] == {
        **sent,
        "time": "2024-01-02T02:04:05.678901Z",
        "datacontenttype": "application/json",
    }
    assert before < instant(item["ingestedAt"]) <= instant(item["storedAt"])


def test_newest_is_first(sender: Sender) -> None:
    subject, sent = stored(
        sender, "2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00.000001Z"
    )
    assert ids(sender, subject=subject) == [sent[2], sent[0], sent[1]]


def test_bounds_are_exact_to_the_microsecond_and_half_open(sender: Sender) -> None:
    subject, sent = stored(
        sender,
        "2024-01-01T09:59:59.999999Z",
        "2024-01-01T10:00:00Z",
        "2024-01-01T10:00:00.000001Z",
        "2024-01-01T10:59:59.999999Z",
        "2024-01-01T11:00:00Z",
    )
    bounds = {"from_": "2024-01-01T10:00:00Z", "to": "2024-01-01T11:00:00Z"}
    assert ids(sender, subject=subject, **bounds) == sent[3:0:-1]
    bounds = {"from_": "2024-01-01T10:00:00.000001Z", "to": "2024-01-01T10:59:59.999999Z"}
    assert ids(sender, subject=subject, **bounds) == [sent[2]]
    offsets = {"from_": "2024-01-01T12:00:00+02:00", "to": "2024-01-01T05:30:00-05:30"}
    assert ids(sender, subject=subject, **offsets) == sent[3:0:-1]


def test_equal_bounds_hold_nothing(sender: Sender) -> None:
    subject, _ = stored(sender, "2024-01-01T10:00:00Z")
    bounds = {"from_": "2024-01-01T10:00:00Z", "to": "2024-01-01T10:00:00Z"}
    assert ids(sender, subject=subject, **bounds) == []


def test_from_is_32_days_ago_by_default(sender: Sender) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - the server's clock
    days = [timedelta(days=31, hours=23), timedelta(days=32, hours=1), timedelta(days=-5000)]
    subject, sent = stored(sender, *((now - ago).isoformat() for ago in days))
    answer = get(sender, subject=subject)
    assert [item["event"]["id"] for item in answer.json()] == [sent[2], sent[0]]
    assert ids(sender, subject=subject) == [sent[2], sent[0], sent[1]]


def test_to_before_from_is_refused(sender: Sender) -> None:
    answer = get(sender, from_="2024-01-02T00:00:00Z", to="2024-01-01T00:00:00.500+02:00")
    assert detail(answer) == (
        "validation error: validate input: to date is before from date: "
        "2024-01-01T00:00:00.5+02:00 < 2024-01-02T00:00:00Z"
    )


def test_to_before_the_default_from_is_refused(sender: Sender) -> None:
    answer = get(sender, to=LONG_AGO)
    start = "validation error: validate input: to date is before from date: "
    assert detail(answer).startswith(f"{start}{LONG_AGO} < 20")


def test_all_wrong_orders_and_customers_are_told_a_line_each(sender: Sender) -> None:
    times = [f"2024-01-0{day}T00:00:00Z" for day in range(10)]
    bounds = {
        "from": times[2],
        "to": times[1],
        "ingestedAtFrom": times[4],
        "ingestedAtTo": times[3],
    }
    params = {**bounds, "customerId": [CUSTOMER, OTHER_CUSTOMER]}
    answer = sender.http.get(INGEST, params=params)
    assert detail(answer).splitlines() == [
        f"validation error: validate input: to date is before from date: {times[1]} < {times[2]}",
        f"ingestedAtTo date is before ingestedAtFrom date: {times[3]} < {times[4]}",
        f"customers not found in namespace default: {CUSTOMER}, {OTHER_CUSTOMER}",
    ]


@pytest.mark.parametrize("name", ["from", "to", "ingestedAtFrom", "ingestedAtTo"])
@pytest.mark.parametrize(
    "time",
    ["", "now", "2024-01-01", "2024-01-01T00:00:00", "1704067200", "2024-01-01T00:00:00 01:00",
     "2024-01-01T00:00:00+00:60", "2024-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "null",
     "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"],
)  # fmt: skip
def test_bound_is_an_rfc_3339_date_time(sender: Sender, name: str, time: str) -> None:
    answer = get(sender, **{name: time})
    assert detail(answer).startswith(f'parameter "{name}" in query has an error: ')


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_first_and_last_instant_are_bounds(sender: Sender, time: str) -> None:
    subject, sent = stored(sender, "1000-01-01T00:00:00Z", "9998-12-31T23:59:59.999999Z")
    later = ids(sender, subject=subject, from_=time)
    assert later == ([] if time.startswith("9999") else sent[::-1])
    if time.startswith("9999"):
        assert ids(sender, subject=subject, from_=LONG_AGO, to=time) == sent[1:]


def test_ingestion_bounds_are_half_open_too(sender: Sender) -> None:
    subject, [sent] = stored(sender, "2024-01-01T00:00:00Z")
    [item] = listed(sender, subject=subject)
    at = instant(item["ingestedAt"])
    just_after = (at + timedelta(microseconds=1)).isoformat()
    for bounds, found in (
        ({"ingestedAtFrom": at.isoformat()}, [sent]),
        ({"ingestedAtFrom": at.isoformat(), "ingestedAtTo": just_after}, [sent]),
        ({"ingestedAtFrom": just_after}, []),
        ({"ingestedAtTo": at.isoformat()}, []),
        ({"ingestedAtFrom": at.isoformat(), "ingestedAtTo": at.isoformat()}, []),
        ({"ingestedAtFrom": LONG_AGO, "ingestedAtTo": just_after}, [sent]),
    ):
        assert ids(sender, subject=subject, **bounds) == found, bounds


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("ab", [0, 1, 2, 3]), ("AB", [4]), ("a_b", []), ("b%c", [1, 2, 3]), ("b_c", [1, 2, 3]),
        ("b%", [0, 1, 2, 3]), ("%", [0, 1, 2, 3, 4]), ("", [0, 1, 2, 3, 4]), ("_c", [1, 2, 3]),
        ("\\", [3]), ("b\\c", [3]), ("\\\\", []), ("b\\", [3]), ("é", []), ("x", []),
    ],
)  # fmt: skip
def test_id_is_a_part_with_wildcards(sender: Sender, part: str, found: list[int]) -> None:
    subject = event()["subject"]
    tag = f"-{event()['id'].translate(str.maketrans('abcdef', 'ghijkl'))}"
    names = [f"ab{tag}", f"ab%c{tag}", f"ab_c{tag}", f"ab\\c{tag}", f"AB{tag}"]
    sender.accept([event(id=name, subject=subject, time=LONG_AGO) for name in names])
    assert sorted(ids(sender, subject=subject, id=part)) == sorted(names[i] for i in found)


def test_subject_is_the_whole_one(sender: Sender) -> None:
    subject, sent = stored(sender, LONG_AGO)
    assert ids(sender, subject=subject) == sent
    for other in (subject[:-1], subject.upper(), f"{subject} ", "%", f"{subject[:-1]}_", ""):
        assert ids(sender, subject=other) == []


@pytest.mark.parametrize("name", ["id", "subject"])
def test_text_of_any_script_is_found(sender: Sender, name: str) -> None:
    sent = event(time=LONG_AGO)
    sent[name] += " é+&=#?/日 😀"
    sender.accept(sent)
    assert ids(sender, **{name: sent[name]}) == [sent["id"]]


def test_conditions_must_all_hold(sender: Sender) -> None:
    subject, sent = stored(sender, "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z")
    both = {"subject": subject, "id": sent[0]}
    assert ids(sender, **both) == [sent[0]]
    assert ids(sender, **both, from_="2024-01-02T00:00:00Z") == []


@pytest.mark.parametrize(
    "customer", ["x", "", "81HM6ZYX0000000000000000AB", f"{CUSTOMER}\n", "I" * 26]
)
def test_customer_is_a_ulid(sender: Sender, customer: str) -> None:
    answer = get(sender, customerId=customer)
    assert detail(answer).startswith('parameter "customerId.0" in query has an error: ')


def test_unknown_customer_is_refused(sender: Sender) -> None:
    answer = get(sender, customerId=CUSTOMER)
    assert detail(answer) == (
        "validation error: validate input: "
        f"customers not found in namespace default: {CUSTOMER}"
    )  # fmt: skip


def test_limit_is_100_by_default(sender: Sender) -> None:
    subject, _ = stored(sender, *[LONG_AGO] * 101)
    assert len(ids(sender, subject=subject)) == 100
    assert len(ids(sender, subject=subject, limit="100")) == 100
    assert len(ids(sender, subject=subject, limit="1")) == 1


@pytest.mark.parametrize("limit", ["0", "-1", "101", "9" * 30, "", "x", "1.5", "1e1", "true"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_limit_is_from_1_to_100(sender: Sender, version: str, limit: str) -> None:
    answer = sender.http.get(f"/api/{version}/events", params={"limit": limit})
    assert detail(answer).startswith('parameter "limit" in query has an error: ')


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_client_id_is_accepted_within_its_length(sender: Sender, version: str) -> None:
    for client, status in (("x", 200), ("x" * 36, 200), ("", 400), ("x" * 37, 400)):
        params = {"clientId": client, "limit": "1"}
        answer = sender.http.get(f"/api/{version}/events", params=params)
        assert answer.status_code == status, client


def test_has_error_and_other_unknown_parameters_are_ignored(sender: Sender) -> None:
    subject, sent = stored(sender, LONG_AGO)
    for name, value in (("hasError", "true"), ("hasError", "no"), ("foo", ""), ("offset", "5")):
        assert ids(sender, subject=subject, **{name: value}) == sent


def test_data_is_listed_with_all_its_digits(sender: Sender) -> None:
    subject, _ = stored(sender, LONG_AGO, data={"n": 2**70, "t": 1})
    text = get(sender, subject=subject, from_=LONG_AGO).text
    assert f'"n": {2**70}' in text
    assert json.loads(text)[0]["event"]["data"] == {"n": 2**70, "t": 1}
