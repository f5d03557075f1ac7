"""Bodies as events, one by one: the quick path and the careful one must agree."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monometer.api.event_data import DataLimits
from monometer.api.openmeter.cloudevents import Decoded, Reception, Rejected
from monometer.api.openmeter.event_bodies import BATCH, JSON, ONE, Received, events_of
from monometer.api.problems import MalformedRequest
from monometer.core.event import Event

NOW = datetime(2024, 1, 1, tzinfo=UTC)
NDJSON = "application/x-ndjson"
RECEPTION = Reception(
    namespace="ns", now=NOW, text_bytes_max=64, data=DataLimits(bytes_max=200, depth_max=4)
)
GOOD = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "u"}

member_values = st.one_of(
    st.none(), st.integers(), st.text(max_size=5), st.just("\0"), st.just("\ud800"),
    st.just("1.0"), st.just("x" * 65), st.lists(st.none(), max_size=1),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)  # fmt: skip
names = st.sampled_from([*GOOD, "time", "data", "datacontenttype", "data_base64", "other"])
events = st.dictionaries(names, member_values, max_size=3).map(lambda wrong: {**GOOD, **wrong})


def received(body: str | bytes, media_type: str = JSON, events_max: int = 100) -> Received:
    raw = body if isinstance(body, bytes) else body.encode()
    return events_of({"content-type": media_type}, raw, RECEPTION, events_max)


def essence(one: Decoded) -> tuple[object, ...]:
    """Of a rejection the field alone: the wording may depend on how it was found."""
    return ("rejected", one.field) if isinstance(one, Rejected) else tuple(one)


@settings(deadline=None)
@given(st.lists(events, min_size=1, max_size=6))
def test_an_event_fares_the_same_in_every_company(sent: list[dict[str, Any]]) -> None:
    texts = [json.dumps(one) for one in sent]
    alone = [essence(*received(text, ONE).events) for text in texts]
    batch = [essence(one) for one in received(f"[{','.join(texts)}]", BATCH).events]
    lines = [essence(one) for one in received("\n".join(texts), NDJSON).events]
    assert alone == batch == lines


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for media_type in (ONE, BATCH, JSON, NDJSON):
        try:
            found = received(body, media_type)
        except MalformedRequest as error:
            assert error.message  # noqa: PT017 - either way is right
        else:
            assert all(isinstance(one, Event | Rejected) for one in found.events)


@settings(deadline=None)
@given(st.lists(events, min_size=1, max_size=3), st.data())
def test_a_damaged_body_is_read_or_refused(sent: list[dict[str, Any]], data: st.DataObject) -> None:
    body = bytearray(json.dumps(sent).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + 1] = data.draw(st.binary(max_size=2))
    try:
        found = received(bytes(body), BATCH)
    except MalformedRequest:
        return
    assert all(isinstance(one, Event | Rejected) for one in found.events)


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=30), st.binary(max_size=60))
def test_any_header_and_body_of_binary_mode_are_read_or_refused(value: str, body: bytes) -> None:
    headers = {"ce-specversion": "1.0", "ce-source": "s", "ce-type": "t", "ce-subject": "u"}
    found = events_of({**headers, "ce-id": value}, body, RECEPTION, 100)
    assert found.alone
    assert isinstance(found.events[0], Event | Rejected)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=15).filter(lambda text: "\0" not in text))
def test_percent_encoded_header_is_read_back(text: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in text.encode())
    headers = {f"ce-{name}": member for name, member in GOOD.items()}
    [found] = events_of({**headers, "ce-id": encoded}, b"", RECEPTION, 100).events
    assert isinstance(found, Event)
    assert found.id == text


@pytest.mark.parametrize(
    ("body", "media_type", "alone"),
    [
        ("EVENT", ONE, True), ("EVENT", JSON, True), (" EVENT", JSON, True),
        ("[EVENT]", JSON, False), (" [EVENT]", JSON, False), ("[EVENT]", BATCH, False),
        ("EVENT", NDJSON, False),
    ],
)  # fmt: skip
def test_event_in_an_array_or_on_a_line_is_not_alone(
    body: str, media_type: str, alone: bool
) -> None:
    found = received(body.replace("EVENT", json.dumps(GOOD)), media_type)
    assert found.alone is alone
    assert len(found.events) == 1


def test_spaced_json_finds_its_elements() -> None:
    body = json.dumps([GOOD, {"id": "bad"}, GOOD], indent=2).replace("\n", "\r\n")
    first, second, third = received(body, BATCH).events
    assert isinstance(first, Event)
    assert second == Rejected("/source", "is missing", "bad", None)
    assert first == third


@pytest.mark.parametrize("text", ["1" * 5000, "1." + "1" * 5000, "-1e9999"])
def test_numbers_too_large_for_python_do_not_hide_which_event_is_bad(text: str) -> None:
    body = f'[{json.dumps(GOOD)[:-1]},"other":{text}}},{{}}]'
    good, bad = received(body, BATCH).events
    assert isinstance(good, Event)
    assert isinstance(bad, Rejected)


@pytest.mark.parametrize("media_type", [BATCH, NDJSON])
def test_no_more_events_are_looked_at_than_are_taken(media_type: str) -> None:
    joined = {BATCH: "[{},{},{},", NDJSON: "{}\n{}\n{}\n"}[media_type]
    with pytest.raises(MalformedRequest, match="more than 2 events in one request"):
        received(f"{joined} this is not looked at", media_type, events_max=2)
