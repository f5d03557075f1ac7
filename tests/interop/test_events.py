"""Every published client sends events in each form it has, and lists them again."""

from typing import Any

import pytest
from tests.interop.story import NEWEST, OLDEST, Told, instant

NEWEST_FIRST = ["6", "5", "4", "3", "2", "1"]
SENDING = {
    "node-beta185": ["ingest one", "ingest many", "ingest least"],
    "node-beta232": ["ingest one", "ingest many", "ingest least"],
    "python-b185": ["ingest one", "ingest plain dictionary", "ingest many"],
    "python-b236": [
        "ingest one",
        "ingest model",
        "ingest json object",
        "ingest json array",
        "ingest many",
    ],
}


def test_every_form_of_sending_is_accepted_with_an_empty_answer(told: Told) -> None:
    for step in SENDING[told.client]:
        assert told.value(step) is None, step


def test_listed_event_is_the_one_that_was_sent(told: Told) -> None:
    first: dict[str, Any] = told.value("events")[-1]
    assert set(first) == {"event", "ingestedAt", "storedAt"}
    event = first["event"]
    assert event["time"].startswith("2024-03-09T20:15:00.25")
    assert {name: value for name, value in event.items() if name != "time"} == {
        "specversion": "1.0",
        "id": f"{told.tag}-1",
        "source": f"/{told.tag}",
        "type": f"{told.tag}.prompt",
        "subject": f"{told.tag}-acme",
        "datacontenttype": "application/json",
        "data": {"tokens": 10, "model": "gpt-4", "kind": "input"},
    }
    assert instant(first["ingestedAt"]) <= instant(first["storedAt"])


def test_listing_is_newest_first_and_a_repeated_event_appears_once(told: Told) -> None:
    assert told.ids(told.value("events")) == NEWEST_FIRST


def test_listing_is_filtered_by_subject(told: Told) -> None:
    assert told.ids(told.value("events of a subject")) == ["3", "2", "1"]


def test_listing_stops_at_the_limit(told: Told) -> None:
    assert told.ids(told.value("events limited")) == ["6", "5"]
    assert told.error("events limit too high")["status"] == 400


@pytest.mark.parametrize("told", ["node-beta185", "node-beta232"], indirect=True)
def test_event_of_type_and_subject_only_is_filled_in_by_the_client(told: Told) -> None:
    [listed] = told.value("events of today")
    assert listed["event"]["source"] == "@openmeter/sdk"
    assert len(listed["event"]["id"]) == 36
    assert "data" not in listed["event"]
    kind = f"{told.tag}.nothing.measures.this"
    assert f"no meter found for event type: {kind}" in listed["validationError"]


def test_event_without_a_required_field_is_refused(told: Told) -> None:
    error = told.error("ingest invalid")
    assert error["status"] == 400
    assert error["detail"]


def test_value_that_is_no_number_is_accepted_and_explained_in_the_listing(told: Told) -> None:
    assert told.value("ingest unusable") is None
    [listed] = told.value("events unusable")
    expected = "invalid event: value cannot be parsed as float64: many"
    assert expected in listed["validationError"]


@pytest.mark.parametrize("told", OLDEST, indirect=True)
def test_has_error_of_the_old_clients_is_accepted(told: Told) -> None:
    assert isinstance(told.value("events with errors"), list)


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_listing_of_an_unknown_customer_is_refused(told: Told) -> None:
    error = told.error("events of a stranger")
    assert error["status"] == 400
    assert "01HM6ZYX00000000000000000A" in error["detail"]


@pytest.mark.parametrize("told", ["node-beta232"], indirect=True)
def test_v2_pages_by_cursor_and_ends_without_one(told: Told) -> None:
    everything = told.value("events v2")
    assert told.ids(everything["items"]) == NEWEST_FIRST
    assert "nextCursor" not in everything
    first, second = told.value("events v2 page 1"), told.value("events v2 page 2")
    assert told.ids(first["items"]) == NEWEST_FIRST[:4]
    assert told.ids(second["items"]) == NEWEST_FIRST[4:]
    assert "nextCursor" not in second
    assert told.error("events v2 bad cursor")["status"] == 400


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
def test_v2_iterator_of_the_client_walks_every_page(told: Told) -> None:
    assert told.ids(told.value("events v2")) == NEWEST_FIRST
    assert told.ids(told.value("events v2 paged by two")) == NEWEST_FIRST


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_v2_filters_by_several_fields_at_once(told: Told) -> None:
    found = told.value("events v2 filtered")
    assert told.ids(found if isinstance(found, list) else found["items"]) == ["3", "2"]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_v2_filter_of_two_operators_is_refused(told: Told) -> None:
    error = told.error("events v2 bad filter")
    assert error["status"] == 400
    assert "multiple operators are set" in error["detail"]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_metrics_count_the_events_of_today_by_subject(told: Told) -> None:
    text = told.value("metrics")
    assert "# TYPE openmeter_events counter" in text
    if told.client == "node-beta232":
        assert f'openmeter_events_total{{subject="{told.tag}-least"}} 1.0' in text


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_currencies_and_progress_answer_typed(told: Told) -> None:
    currencies = {currency["code"]: currency for currency in told.value("currencies")}
    assert currencies["USD"] == {"code": "USD", "name": "US Dollar", "symbol": "$", "subunits": 2}
    assert currencies["JPY"]["subunits"] == 0
    assert told.error("progress")["status"] == 404
