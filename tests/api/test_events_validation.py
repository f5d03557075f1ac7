"""What today's meters say of each listed event."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from tests.support.metering import Metering
from tests.support.own_server import base_url, server_database_url
from tests.support.sending import Sender, event, with_data

NUMERIC = ["SUM", "AVG", "MIN", "MAX", "LATEST"]
NOTHING = "invalid event: null and missing value property"
MISSING = 'invalid event: missing value property: "$.v"'
NULL = "invalid event: value cannot be null"
NAN = "invalid event: value cannot be NaN"
INFINITY = "invalid event: value cannot be infinity"


WIDE_ONE = "\N{FULLWIDTH DIGIT ONE}"


def unparsed(text: str) -> str:
    return f"invalid event: value cannot be parsed as float64: {text}"


def unsupported(kind: str) -> str:
    return f"invalid event: unsupported value property type: {kind}"


OBJECT, ARRAY = unsupported("map[string]interface {}"), unsupported("[]interface {}")

# Data without a value for any meter but COUNT, and with no number but a value to be told apart.
WORTHLESS = {
    "null": NOTHING, "{}": MISSING, '{"V": 1}': MISSING, '{"w": {"v": 1}}': MISSING,
    '{"v": null}': NULL, '{"v": {}}': OBJECT, '{"v": {"v": 1}}': OBJECT, '{"v": []}': ARRAY,
    '{"v": [1]}': ARRAY,
}  # fmt: skip
NO_NUMBERS = {
    '{"v": true}': unsupported("bool"), '{"v": false}': unsupported("bool"),
    '{"v": "NaN"}': NAN, '{"v": "nan"}': NAN,
    '{"v": "Inf"}': INFINITY, '{"v": "+Inf"}': INFINITY, '{"v": "-Inf"}': INFINITY,
    '{"v": "Infinity"}': INFINITY, '{"v": "-infinity"}': INFINITY,
    '{"v": "abc"}': unparsed("abc"), '{"v": ""}': unparsed(""), '{"v": " 1"}': unparsed(" 1"),
    '{"v": "1,5"}': unparsed("1,5"), '{"v": "0x10"}': unparsed("0x10"),
    '{"v": "1_000"}': unparsed("1_000"), f'{{"v": "{WIDE_ONE}"}}': unparsed(WIDE_ONE),
    '{"v": "1e1000"}': unparsed("1e1000"), '{"v": "é\\n"}': unparsed("é\n"),
}  # fmt: skip
NUMBERS = [
    "1", "-1.5", "0", "1e3", '"100"', '"0.456"', '"1e3"', '"-.5"', '"+1"', '"1."', "1e999",
]  # fmt: skip


# On the server that others share they make meters that take every type of event.
__all__ = ["base_url", "server_database_url"]


@pytest.fixture(scope="module")
def sender(base_url: str) -> Iterator[Sender]:
    with Sender(base_url) as client:
        yield client


@pytest.fixture(scope="module")
def metering(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as client:
        yield client


def errors(sender: Sender, kind: str, *texts: str) -> list[str | None]:
    """What is said of an event of that type with each data, None where that is nothing."""
    subjects = [uuid4().hex for _ in texts]
    bodies = [
        with_data(text, type=kind, subject=subject)
        for text, subject in zip(texts, subjects, strict=True)
    ]
    sender.accept(f"[{','.join(bodies)}]")
    by_subject = {
        item["event"]["subject"]: item.get("validationError")
        for item in sender.listed({"type": {"$eq": kind}})
    }
    return [by_subject[subject] for subject in subjects]


@pytest.mark.parametrize("aggregation", NUMERIC)
def test_numeric_meter_needs_a_number(metering: Metering, sender: Sender, aggregation: str) -> None:
    kind = metering.create(aggregation)["eventType"]
    expected = {**WORTHLESS, **NO_NUMBERS}
    assert dict(zip(expected, errors(sender, kind, *expected), strict=True)) == expected


@pytest.mark.parametrize("aggregation", NUMERIC)
def test_number_and_numeric_string_are_values(
    metering: Metering, sender: Sender, aggregation: str
) -> None:
    kind = metering.create(aggregation)["eventType"]
    texts = [f'{{"v": {number}}}' for number in NUMBERS]
    assert errors(sender, kind, *texts) == [None] * len(texts)


def test_unique_count_takes_every_scalar(metering: Metering, sender: Sender) -> None:
    kind = metering.create("UNIQUE_COUNT")["eventType"]
    assert dict(zip(WORTHLESS, errors(sender, kind, *WORTHLESS), strict=True)) == WORTHLESS
    scalars = [*NO_NUMBERS, '{"v": 1}', '{"v": "x"}']
    assert errors(sender, kind, *scalars) == [None] * len(scalars)


def test_count_takes_everything(metering: Metering, sender: Sender) -> None:
    kind = metering.create()["eventType"]
    texts = [*WORTHLESS, *NO_NUMBERS, '{"v": 1}']
    assert errors(sender, kind, *texts) == [None] * len(texts)


def test_absent_data_is_like_null(metering: Metering, sender: Sender) -> None:
    for aggregation, message in (("SUM", NOTHING), ("UNIQUE_COUNT", NOTHING), ("COUNT", None)):
        kind = metering.create(aggregation)["eventType"]
        sender.accept(event(type=kind))
        [item] = sender.listed({"type": {"$eq": kind}})
        assert item.get("validationError") == message


def test_path_is_told_as_the_meter_has_it(metering: Metering, sender: Sender) -> None:
    path = '$["a b"].c[0]'
    kind = metering.create("SUM", valueProperty=path)["eventType"]
    assert errors(sender, kind, '{"a b": {"c": []}}', '{"a b": {"c": [1]}}') == [
        f'invalid event: missing value property: "{path}"',
        None,
    ]


def test_event_of_no_meter_is_told(sender: Sender) -> None:
    kind = event()["type"]
    assert errors(sender, kind, "{}") == [f"no meter found for event type: {kind}"]


def test_valid_event_has_no_error_and_no_customer(metering: Metering, sender: Sender) -> None:
    sent = event(type=metering.create()["eventType"])
    sender.accept(sent)
    [item] = sender.listed({"subject": {"$eq": sent["subject"]}})
    assert set(item) == {"event", "ingestedAt", "storedAt"}


def test_every_failing_meter_has_a_line(metering: Metering, sender: Sender) -> None:
    kind = uuid4().hex
    for aggregation, path in (
        ("SUM", "$.a"), ("AVG", "$.b"), ("MAX", "$.c"), ("UNIQUE_COUNT", "$.b"), ("COUNT", None),
    ):  # fmt: skip
        metering.create(aggregation, eventType=kind, valueProperty=path)
    [found, none] = errors(sender, kind, '{"b": true, "c": 1}', '{"a": 1, "b": 2, "c": 3}')
    assert found is not None
    assert sorted(found.split("\n")) == [
        'invalid event: missing value property: "$.a"', unsupported("bool"),
    ]  # fmt: skip
    assert none is None


def test_meters_of_today_decide(metering: Metering, sender: Sender) -> None:
    kind, subject = uuid4().hex, uuid4().hex
    sender.accept(with_data('{"v": "x"}', type=kind, subject=subject))

    def error() -> str | None:
        [item] = sender.listed({"subject": {"$eq": subject}})
        found: str | None = item.get("validationError")
        return found

    assert error() == f"no meter found for event type: {kind}"
    meter = metering.create("SUM", eventType=kind)
    assert error() == unparsed("x")
    metering.create(eventType=kind)
    assert error() == unparsed("x")
    metering.http.delete(f"/api/v1/meters/{meter['id']}").raise_for_status()
    assert error() is None


def test_both_lists_say_the_same(metering: Metering, sender: Sender) -> None:
    subject = uuid4().hex
    kind = metering.create("SUM")["eventType"]
    sender.accept(with_data('{"v": null}', type=kind, subject=subject))
    listed = sender.http.get("/api/v1/events", params={"subject": subject})
    paged = sender.page(filter=f'{{"subject": {{"$eq": "{subject}"}}}}')
    assert listed.json() == paged.json()["items"]
    assert listed.json()[0]["validationError"] == NULL
