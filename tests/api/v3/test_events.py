"""Events in v3: the ingest of the first version answered with 202, and a list in pages."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tests.support.v3 import EVENTS, Client, Wrong, bracketed, event, failure, page_of, wrong

DAYS = range(1, 6)


@pytest.fixture(scope="module")
def source(v3: Client) -> str:
    """A source of five events of January 2024, ids `Id-1` to `Id-5`, sent in reverse."""
    source = uuid4().hex
    for day in reversed(DAYS):
        v3.send(
            {
                "id": f"Id-{day}",
                "source": source,
                "subject": "odd" if day % 2 else "even",
                "type": source,
                "time": f"2024-01-0{day}T12:00:00.5Z",
            }
        )
    return source


def ids(page: dict[str, Any]) -> str:
    return "".join(item["event"]["id"][-1] for item in page["data"])


def listed(v3: Client, source: str, **parameters: str) -> str:
    return ids(v3.page(EVENTS, filter__source=source, **parameters))


def test_one_event_an_array_and_lines_are_taken(v3: Client) -> None:
    source = uuid4().hex
    line = json.dumps(event(id="4", source=source))
    for body, media_type in (
        (event(id="1", source=source), "application/cloudevents+json"),
        ([event(id="2", source=source)], "application/cloudevents-batch+json"),
        ([event(id="3", source=source)], "application/json; charset=utf-8"),
    ):
        sent = v3.post(EVENTS, body, **{"content-type": media_type})
        assert (sent.status_code, sent.content) == (202, b"")
    lines = v3.http.post(EVENTS, content=line, headers={"content-type": "application/x-ndjson"})
    assert lines.status_code == 202
    assert sorted(listed(v3, source)) == list("1234")


def test_an_event_is_one_whichever_version_brings_it(v3: Client) -> None:
    one = event(data={"v": 1})
    v3.post("/api/v1/events", one).raise_for_status()
    v3.send({**one, "data": {"v": 2}})
    [item] = v3.page(EVENTS, filter__subject=one["subject"])["data"]
    assert item["event"]["data"] == {"v": 1}


def test_preferences_hold_as_in_the_first_version(v3: Client) -> None:
    good, bad = event(), event(id="")
    told = v3.post(EVENTS, [good, bad], prefer="handling=lenient")
    assert [one["status"] for one in told.json()["results"]] == ["accepted", "rejected"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": "x"}, "source"),
        (event(subject=""), "subject"),
        ([event(), event(time="now")], "1.time"),
        ([event(data="text")], "0.data"),
        ([], "body"),
        (5, "body"),
    ],
)
def test_bad_event_is_named_by_its_index_and_member(v3: Client, body: object, field: str) -> None:
    assert wrong(v3.post(EVENTS, body)) == [Wrong(field, "invalid", "body")]


def test_other_media_types_are_refused(v3: Client) -> None:
    answer = v3.post(EVENTS, event(), **{"content-type": "text/plain"})
    assert wrong(answer) == [Wrong("body", "invalid", "body")]


def test_item_tells_the_event_and_what_meters_say_of_it(v3: Client) -> None:
    meter = v3.create("sum")
    one = event(type=meter["event_type"], time="2024-01-01T00:00:00Z", data={"v": True, "w": 1.50})
    v3.send(one)
    v3.send(other := event())
    [item] = v3.page(EVENTS, filter__id=one["id"])["data"]
    assert item.keys() == {"event", "ingested_at", "stored_at", "validation_errors"}
    assert item["event"] == {**one, "datacontenttype": "application/json"}
    assert item["validation_errors"] == [
        {
            "code": "validation_error",
            "message": "invalid event: unsupported value property type: bool",
        }
    ]
    [item] = v3.page(EVENTS, filter__id=other["id"])["data"]
    [error] = item["validation_errors"]
    assert error["message"] == f"no meter found for event type: {other['type']}"


def test_event_that_meters_can_use_has_no_validation_errors(v3: Client) -> None:
    one = event(type=v3.create()["event_type"])
    v3.send(one)
    [item] = v3.page(EVENTS, filter__id=one["id"])["data"]
    assert "validation_errors" not in item


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("time", "54321"),
        ("time desc", "54321"),
        ("time asc", "12345"),
        ("ingested_at", "12345"),
        ("ingested_at asc", "54321"),
        ("stored_at desc", "12345"),
        ("stored_at asc", "54321"),
    ],
)
def test_sort_is_by_an_instant_the_latest_first(
    v3: Client, source: str, sort: str, expected: str
) -> None:
    assert listed(v3, source, sort=sort) == expected
    assert paged(v3, source, sort=sort) == expected


def paged(v3: Client, source: str, **parameters: str) -> str:
    """The ids of the whole list, read in pages of two."""
    found, after = "", None
    for _ in range(3):
        cursor: dict[str, str] = {} if after is None else {"page__after": after}
        page = v3.page(EVENTS, filter__source=source, page__size="2", **cursor, **parameters)
        found += ids(page)
        after = page["meta"]["page"]["next"]
        if after is None:
            return found
    raise AssertionError("more pages than events")


@pytest.mark.parametrize("sort", ["", "id", "time up", "type", "time desc, id"])
def test_other_sorts_are_refused(v3: Client, sort: str) -> None:
    answer = v3.http.get(EVENTS, params={"sort": sort})
    assert wrong(answer) == [Wrong("sort", "matches_regex", "query")]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"filter__subject": "odd"}, "531"),
        ({"filter__subject__neq": "odd"}, "42"),
        ({"filter__id__oeq": "Id-1,Id-4,Id-9"}, "41"),
        ({"filter__id__contains": "iD-2"}, "2"),
        ({"filter__id__ocontains": "-2,-3"}, "32"),
        ({"filter__id__gt": "Id-2", "filter__id__lte": "Id-4"}, "43"),
        ({"filter__type__exists": "true"}, "54321"),
        ({"filter__type__exists": "false"}, ""),
        ({"filter__time": "2024-01-03T12:00:00.5Z"}, "3"),
        ({"filter__time__eq": "2024-01-03T13:00:00.5+01:00"}, "3"),
        ({"filter__time__gte": "2024-01-02T00:00:00Z", "filter__time__lt": "2024-01-04T00:00:00Z"},
         "32"),
        ({"filter__time__gt": "2024-01-02T12:00:00.5Z", "filter__subject": "odd"}, "53"),
        ({"filter__stored_at__lt": "2024-01-01T00:00:00Z"}, ""),
        ({"filter__ingested_at__gte": "2024-01-01T00:00:00Z"}, "54321"),
    ],
)  # fmt: skip
def test_filters_hold_together(
    v3: Client, source: str, filters: dict[str, str], expected: str
) -> None:
    assert listed(v3, source, **filters) == expected


def test_meta_tells_where_the_page_begins_and_ends(v3: Client, source: str) -> None:
    page = v3.page(EVENTS, filter__source=source, page__size="2")["meta"]["page"]
    assert page.keys() == {"size", "first", "last", "next", "previous"}
    assert (page["size"], page["previous"]) == (2, None)
    assert page["next"] == page["last"] != page["first"]
    after_first = v3.page(EVENTS, filter__source=source, page__after=page["first"])
    assert ids(after_first) == "4321"


def test_full_last_page_is_known_to_be_the_last(v3: Client, source: str) -> None:
    page = v3.page(EVENTS, filter__source=source, page__size="5")
    assert (ids(page), page["meta"]["page"]["next"]) == ("54321", None)


def test_empty_page_has_no_cursors(v3: Client) -> None:
    page = v3.page(EVENTS, filter__source=uuid4().hex)
    assert page == {"data": [], "meta": {"page": {"size": 20, "next": None, "previous": None}}}


def test_cursor_of_another_order_is_refused(v3: Client, source: str) -> None:
    cursor = v3.page(EVENTS, filter__source=source)["meta"]["page"]["first"]
    answer = v3.http.get(EVENTS, params={"page[after]": cursor, "sort": "time asc"})
    assert wrong(answer) == [Wrong("page[after]", "invalid", "query")]


@pytest.mark.parametrize(
    ("parameters", "field", "rule"),
    [
        ({"page__size": "0"}, "page[size]", "min"),
        ({"page__size": "101"}, "page[size]", "max"),
        ({"page__number": "1"}, "page[number]", "unknown_property"),
        ({"page__before": "x"}, "page[before]", "invalid"),
        ({"page__after": "x"}, "page[after]", "invalid"),
        ({"page__after": "dGltZSBkZXNjLG5vdyx4"}, "page[after]", "invalid"),
        ({"page__after": "ÿ"}, "page[after]", "invalid"),
        ({"filter__data": "x"}, "filter[data]", "unknown_property"),
        ({"filter__time": "today"}, "filter[time][eq]", "is_date_time"),
        ({"filter__time__oeq": "2024-01-01T00:00:00Z"}, "filter[time][oeq]", "unknown_property"),
        ({"filter__customer_id": "me"}, "filter[customer_id][eq]", "matches_regex"),
        ({"filter__subject__eq": ""}, "filter[subject][eq]", "min_length"),
        ({"filter__subject__contains__or": "x"}, "filter[subject][contains][or]", "invalid"),
    ],
)
def test_parameter_in_another_form_is_refused_by_its_name(
    v3: Client, parameters: dict[str, str], field: str, rule: str
) -> None:
    answer = v3.http.get(EVENTS, params=bracketed(parameters))
    assert wrong(answer) == [Wrong(field, rule, "query")]


@pytest.mark.parametrize(
    "path", ["/api/v3/openmeter", "/api/v3/events", "/api/v3/openmeter/events/x"]
)
def test_unknown_path_is_a_failure_in_this_form(v3: Client, path: str) -> None:
    answer = v3.http.get(path)
    assert failure(answer) == (404, "The requested resource was not found")
    assert answer.json()["type"] == "https://kongapi.info/konnect/not-found"


def test_wrong_method_is_a_failure_in_this_form(v3: Client) -> None:
    answer = v3.http.patch(EVENTS)
    assert failure(answer) == (405, "Method Not Allowed")
    assert answer.headers["allow"] == "GET, POST"


def test_nul_in_a_url_is_a_failure_in_this_form(v3: Client) -> None:
    assert wrong(v3.http.get(f"{EVENTS}?filter[id]=%00"))


def test_body_above_the_limit_is_a_failure_in_this_form(v3: Client) -> None:
    answer = v3.http.post(
        EVENTS, content=b" " * (16 * 1024 * 1024 + 1), headers={"content-type": "application/json"}
    )
    assert failure(answer)[0] == 413


def test_bytes_of_a_url_that_are_no_text_match_nothing(v3: Client) -> None:
    assert page_of(v3.http.get(f"{EVENTS}?filter[id]=%ff"))["data"] == []
