"""Every published client gets the same exact rows from every form of the meter query."""

from typing import Final

import pytest
from tests.interop.story import EVERY, NEWEST, Row, Told

ACME, GLOBEX, OTHER = "-acme", "-globex", " b&c/d"
# The story's earliest and latest event, to the minute: the bounds of a query that gives none.
START, END = "2024-03-09T20:15:00Z", "2024-03-11T04:01:00Z"


def window(start: str, end: str, value: float, subject: str | None = None, **group: str) -> Row:
    return (start, end, subject, dict(group), value)


# An HOUR row by its start, as "09T20" for 2024-03-09T20:00Z.
def hour(start: str, value: float, subject: str | None = None, **group: str) -> Row:
    day, clock = start.split("T")
    end = f"{day}T{int(clock) + 1:02}"
    return window(f"2024-03-{start}:00:00Z", f"2024-03-{end}:00:00Z", value, subject, **group)


EXPECTED: Final[dict[str, list[Row]]] = {
    # 10 + "20.5" + 30 + 0.1 + 0.2 + 1000, the repeated event not counted
    "total": [window(START, END, 1060.8)],
    "range": [window("2024-03-10T00:00:00Z", "2024-03-11T00:00:00Z", 30.1)],
    "empty range": [],
    "minutes": [
        window("2024-03-11T03:59:00Z", "2024-03-11T04:00:00Z", 0.2),
        window("2024-03-11T04:00:00Z", "2024-03-11T04:01:00Z", 1000),
    ],
    # `to` is exclusive: the event of 12:00 sharp is out, empty hours are left out
    "hours": [hour("09T20", 10), hour("09T21", 20.5), hour("10T05", 30)],
    "days": [
        window("2024-03-09T00:00:00Z", "2024-03-10T00:00:00Z", 30.5),
        window("2024-03-10T00:00:00Z", "2024-03-11T00:00:00Z", 30.1),
        window("2024-03-11T00:00:00Z", "2024-03-12T00:00:00Z", 1000.2),
    ],
    # the middle day begins in winter time, ends in summer time and has 23 hours
    "days in New York": [
        window("2024-03-09T05:00:00Z", "2024-03-10T05:00:00Z", 30.5),
        window("2024-03-10T05:00:00Z", "2024-03-11T04:00:00Z", 30.3),
        window("2024-03-11T04:00:00Z", "2024-03-12T04:00:00Z", 1000),
    ],
    # a subject filter also groups, and each row has the bounds of its own events
    "one subject": [window(START, "2024-03-10T05:31:00Z", 60.5, ACME)],
    "two subjects": [
        window(START, "2024-03-10T05:31:00Z", 60.5, ACME),
        window("2024-03-11T04:00:00Z", END, 1000, OTHER),
    ],
    # combinations that occur; an absent property groups as ""
    "grouped": [
        window(START, "2024-03-10T12:01:00Z", 10.1, model="gpt-4", kind="input"),
        window("2024-03-09T21:45:00Z", "2024-03-11T04:00:00Z", 20.7, model="gpt-4", kind="output"),
        window(
            "2024-03-10T05:30:00Z", "2024-03-10T05:31:00Z", 30, model="small model", kind="input"
        ),
        window("2024-03-11T04:00:00Z", END, 1000, model="", kind="input"),
    ],
    "grouped by subject": [
        window(START, "2024-03-10T05:31:00Z", 60.5, ACME),
        window("2024-03-10T12:00:00Z", "2024-03-11T04:00:00Z", 0.3, GLOBEX),
        window("2024-03-11T04:00:00Z", END, 1000, OTHER),
    ],
    "everything": [
        hour("09T20", 10, ACME, model="gpt-4"),
        hour("09T21", 20.5, ACME, model="gpt-4"),
        hour("10T05", 30, ACME, model="small model"),
    ],
}
FILTERED: Final[dict[str, list[Row]]] = {
    "filtered": [window("2024-03-10T05:30:00Z", "2024-03-10T05:31:00Z", 30)],
    "filtered and grouped": [
        window(START, "2024-03-10T12:01:00Z", 10.1, kind="input"),
        window("2024-03-09T21:45:00Z", "2024-03-11T04:00:00Z", 20.7, kind="output"),
    ],
}
NEWER: Final[dict[str, list[Row]]] = {
    "months in New York": [window("2024-03-01T05:00:00Z", "2024-04-01T04:00:00Z", 1060.8)],
    "with a client id": [window(START, END, 1060.8)],
    "advanced in": [window(START, "2024-03-11T04:00:00Z", 60.8)],
    # an absent property is not equal to anything
    "advanced not equal": [window("2024-03-10T05:30:00Z", END, 1030)],
    "advanced and": [window("2024-03-09T21:45:00Z", "2024-03-11T04:00:00Z", 20.7)],
    "empty body": [window(START, END, 1060.8)],
    "body with everything": [
        hour("09T20", 10, ACME, model="gpt-4"),
        hour("10T05", 30, ACME, model="small model"),
    ],
}
AGGREGATES: Final = {"COUNT": 6, "AVG": 176.8, "MIN": 0.1, "MAX": 1000, "UNIQUE_COUNT": 6}


def unordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=repr)


@pytest.mark.parametrize("query", EXPECTED)
def test_query_gives_the_exact_rows(told: Told, query: str) -> None:
    assert unordered(told.rows(f"query {query}")) == unordered(EXPECTED[query])


def test_windows_come_in_the_order_of_time(told: Told) -> None:
    for query in ("minutes", "hours", "days", "days in New York", "everything"):
        assert told.rows(f"query {query}") == EXPECTED[query], query


@pytest.mark.parametrize("query", FILTERED)
@pytest.mark.parametrize("told", [c for c in EVERY if c != "python-b236"], indirect=True)
def test_filter_by_group_takes_the_clients_bracket_form(told: Told, query: str) -> None:
    assert unordered(told.rows(f"query {query}")) == unordered(FILTERED[query])


@pytest.mark.parametrize("query", NEWER)
@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_newer_query_forms_give_the_exact_rows(told: Told, query: str) -> None:
    assert unordered(told.rows(f"query {query}")) == unordered(NEWER[query])


@pytest.mark.parametrize("filters", ["in", "not equal", "and"])
@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_advanced_filters_in_the_body_act_as_in_the_url(told: Told, filters: str) -> None:
    expected = NEWER[f"advanced {filters}"]
    assert told.rows(f"query body advanced {filters}") == expected


@pytest.mark.parametrize("aggregation", AGGREGATES)
def test_every_aggregation_gives_its_exact_value(told: Told, aggregation: str) -> None:
    assert told.value(f"create {aggregation}")["aggregation"] == aggregation
    expected = [window(START, END, AGGREGATES[aggregation])]
    assert told.rows(f"aggregate {aggregation}") == expected


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_latest_is_the_value_of_the_newest_event(told: Told) -> None:
    assert told.rows("aggregate LATEST") == [window(START, END, 1000)]


def test_answer_repeats_the_bounds_and_the_window_it_was_asked_for(told: Told) -> None:
    answer = told.value("query everything")
    assert answer["from"].startswith("2024-03-09T20:00:00")
    assert answer["to"].startswith("2024-03-10T12:00:00")
    assert answer["windowSize"] == "HOUR"
    assert set(told.value("query total")) == {"data"}


BAD_QUERIES: Final = {
    "unknown group": "invalid group by: nope",
    "unknown zone": "Mars/Olympus",
    "unknown window": "windowSize",
    "reversed range": "from must be before to",
}


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_wrong_query_is_the_clients_typed_error_with_the_reason(told: Told, query: str) -> None:
    error = told.error(f"query {query}")
    assert error["status"] == 400
    assert BAD_QUERIES[query] in error["detail"]


@pytest.mark.parametrize("query", BAD_QUERIES)
@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_wrong_query_in_a_body_is_refused_alike(told: Told, query: str) -> None:
    error = told.error(f"query body {query}")
    assert error["status"] == 400
    assert BAD_QUERIES[query] in error["detail"]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_query_of_an_unknown_customer_is_not_found(told: Told) -> None:
    error = told.error("query of a stranger")
    assert error["status"] == 404
    assert "01HM6ZYX00000000000000000A" in error["detail"]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_csv_has_the_subject_column_and_six_decimals(told: Told) -> None:
    assert told.value("csv").replace(told.tag, "") == (
        "window_start,window_end,subject,value\n"
        "2024-03-09T20:15:00Z,2024-03-10T05:31:00Z,-acme,60.500000\n"
    )


@pytest.mark.parametrize("told", ["node-beta232"], indirect=True)
def test_csv_of_a_posted_query_has_the_asked_columns(told: Told) -> None:
    header, *rows = told.value("csv post").splitlines()
    assert header == "window_start,window_end,model,value"
    assert sorted(row.split(",", 2)[2] for row in rows) == [
        ",1000.000000",
        "gpt-4,30.800000",
        "small model,30.000000",
    ]


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
def test_csv_of_a_post_without_a_body_is_the_total(told: Told) -> None:
    assert told.value("csv post") == (
        "window_start,window_end,value\n2024-03-09T20:15:00Z,2024-03-11T04:01:00Z,1060.800000\n"
    )


@pytest.mark.parametrize("told", [c for c in EVERY if c != "node-beta232"], indirect=True)
def test_subjects_of_the_meter_in_alphabetical_order(told: Told) -> None:
    assert [s.removeprefix(told.tag) for s in told.value("subjects")] == [OTHER, ACME, GLOBEX]


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
def test_subjects_before_an_instant_exclude_it(told: Told) -> None:
    assert told.value("subjects before") == [f"{told.tag}-acme"]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_group_values_in_alphabetical_order_with_the_absent_one(told: Told) -> None:
    assert told.value("group by values") == ["", "gpt-4", "small model"]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_group_values_have_a_bounded_past_and_known_keys(told: Told) -> None:
    error = told.error("group by values too old")
    assert (error["status"], "90 days" in error["detail"]) == (400, True)
    error = told.error("group by values unknown")
    assert (error["status"], "not valid for this meter" in error["detail"]) == (400, True)


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
def test_rows_fit_the_typed_model(told: Told) -> None:
    assert told.value("row typed") == [30.5, "2024-03-09T00:00:00+00:00"]


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
def test_asynchronous_client_gets_the_same_rows(told: Told) -> None:
    assert told.rows("query async") == EXPECTED["one subject"]


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
@pytest.mark.parametrize("query", FILTERED)
def test_broken_group_filter_of_the_newest_python_client_is_explained(
    told: Told, query: str
) -> None:
    """The client sends a Python dictionary as text; a silent answer would be a wrong number."""
    error = told.error(f"query broken {query}")
    assert error["status"] == 400
    assert "filterGroupBy" in error["detail"]
