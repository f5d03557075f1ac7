"""Pages of `GET /api/v2/events`: nothing twice, nothing left out, and no cursor breaks it."""

import base64
import json
from uuid import uuid4

import pytest
from tests.support.metering import refusal
from tests.support.sending import Event, Sender, event

AT = "2024-01-01T00:00:00Z"
KEY = "0f8fad5b-d9cb-469f-a165-70867728950e"
WIDE_KEY = "\N{FULLWIDTH DIGIT ONE}" * 32


def stored(sender: Sender, count: int, time: str = AT) -> tuple[str, list[Event]]:
    subject = event()["subject"]
    sent = [event(subject=subject, time=time) for _ in range(count)]
    sender.accept(sent)
    return subject, sent


def page(
    sender: Sender, subject: str, limit: int, cursor: str | None = None
) -> tuple[list[str], str | None]:
    """Ids, and the next cursor."""
    parameters = {"filter": json.dumps({"subject": {"$eq": subject}}), "limit": str(limit)}
    answer = sender.page(**parameters, **({} if cursor is None else {"cursor": cursor}))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) <= {"items", "nextCursor"}
    return [item["event"]["id"] for item in body["items"]], body.get("nextCursor")


def encoded(text: str | bytes) -> str:
    raw = text if isinstance(text, bytes) else text.encode()
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 20])
def test_pages_hold_every_event_once(sender: Sender, limit: int) -> None:
    """Although all of them have the same time."""
    subject, sent = stored(sender, 20)
    items = sender.listed({"subject": {"$eq": subject}}, limit=limit)
    assert sorted(item["event"]["id"] for item in items) == sorted(one["id"] for one in sent)


def test_order_is_newest_first_and_the_same_in_every_page_size(sender: Sender) -> None:
    subject, _ = stored(sender, 10, "2024-01-01T00:00:00.5Z")
    more = [event(subject=subject, time=f"2024-01-01T00:00:00.50000{i}Z") for i in range(5)]
    sender.accept(more)
    orders = [
        [item["event"]["id"] for item in sender.listed({"subject": {"$eq": subject}}, limit=limit)]
        for limit in (1, 4, 100)
    ]
    assert orders[0] == orders[1] == orders[2]
    assert orders[0][:4] == [one["id"] for one in more[:0:-1]]


def test_short_page_is_the_last(sender: Sender) -> None:
    subject, _ = stored(sender, 3)
    assert page(sender, subject, 4)[1] is None
    assert page(sender, uuid4().hex, 1) == ([], None)


def test_full_last_page_is_followed_by_an_empty_one(sender: Sender) -> None:
    subject, _ = stored(sender, 4)
    _, cursor = page(sender, subject, 2)
    second, cursor = page(sender, subject, 2, cursor)
    assert len(second) == 2
    assert cursor is not None
    assert page(sender, subject, 2, cursor) == ([], None)


def test_pages_stay_put_while_events_keep_coming(sender: Sender) -> None:
    subject, sent = stored(sender, 12)
    seen: list[str] = []
    late: set[str] = set()
    cursor: str | None = None
    while True:
        ids, cursor = page(sender, subject, 3, cursor)
        seen += ids
        if cursor is None:
            break
        newer = event(subject=subject, time="2024-01-01T00:00:00.000001Z")
        same = event(subject=subject, time=AT)
        sender.accept([newer, same])
        late.add(same["id"])
        assert newer["id"] not in seen
    assert len(seen) == len(set(seen))
    assert {one["id"] for one in sent} <= set(seen) <= {one["id"] for one in sent} | late


def test_cursor_is_a_place_and_works_with_another_filter_and_limit(sender: Sender) -> None:
    subject, sent = stored(sender, 6)
    order, _ = page(sender, subject, 100)
    _, cursor = page(sender, subject, 2)
    assert page(sender, subject, 100, cursor) == (order[2:], None)
    other = event(time="2023-01-01T00:00:00Z")
    sender.accept(other)
    assert page(sender, other["subject"], 1, cursor)[0] == [other["id"]]
    assert len(sent) == 6


def test_cursor_survives_the_longest_fraction(sender: Sender) -> None:
    subject, _ = stored(sender, 2, "2024-01-01T00:00:00.123456Z")
    first, cursor = page(sender, subject, 1)
    second, _ = page(sender, subject, 1, cursor)
    assert len({*first, *second}) == 2


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_cursor_before_or_after_everything_is_answered(sender: Sender, time: str) -> None:
    subject, sent = stored(sender, 1)
    ids, _ = page(sender, subject, 10, encoded(f"{time},{KEY}"))
    assert ids == ([] if time.startswith("0001") else [sent[0]["id"]])


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "====", "é", "AAAA", "a" * 50_000, "MjAyNA",
        encoded(""), encoded(","), encoded("a,b"), encoded(AT), encoded(f"{AT},"),
        encoded(f",{KEY}"), encoded(f"{AT},{KEY},x"), encoded(f"{AT},{KEY[:-1]}"),
        encoded(f"{AT},{KEY}0"), encoded(f"{AT},{KEY}\0"), encoded(f"{AT} {KEY}"),
        encoded(f"2024-01-01,{KEY}"), encoded(f"0001-01-01T00:00:00+10:00,{KEY}"),
        encoded(f"9999-12-31T23:59:59-10:00,{KEY}"), encoded(f"0000-01-01T00:00:00Z,{KEY}"),
        encoded(f"infinity,{KEY}"), encoded(b"\xff\xfe"), encoded(f"{AT},{WIDE_KEY}"),
        encoded(f"{AT},'; DROP TABLE event; --"), encoded(f"{AT},{KEY}") + "\n",
        encoded(f"{AT},{KEY}xy").rstrip("="),
    ],
)  # fmt: skip
def test_cursor_that_was_never_given_is_refused(sender: Sender, cursor: str) -> None:
    answer = sender.page(cursor=cursor)
    assert refusal(answer) == (400, "validation error: cursor is invalid")
