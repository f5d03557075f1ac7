"""`GET /api/v2/events`: a filter object for each member of an event."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.metering import instant, refusal
from tests.support.sending import Filters, Sender, event

CUSTOMER = "01HM6ZYX0000000000000000AB"
NAMES = ["apple", "Banana", "b%n", "b_n", "cherry", "b\\n", "émile"]
BY_CODE_POINT = ["Banana", "apple", "b%n", "b\\n", "b_n", "cherry", "émile"]


@pytest.fixture(scope="module")
def kind(sender: Sender) -> str:
    """Type of events whose subjects are NAMES, an hour apart."""
    kind: str = event()["type"]
    sender.accept(
        [
            event(type=kind, subject=name, source=f"s-{name}", time=f"2024-01-01T{hour:02}:00:00Z")
            for hour, name in enumerate(NAMES)
        ]
    )
    return kind


def found(sender: Sender, kind: str, **filters: dict[str, Any]) -> list[str]:
    items = sender.listed({"type": {"$eq": kind}, **filters})
    return [item["event"]["subject"] for item in items][::-1]


def problem(sender: Sender, filter_: object) -> str:
    text = filter_ if isinstance(filter_, str) else json.dumps(filter_)
    status, detail = refusal(sender.page(filter=text))
    assert status == 400
    assert detail is not None
    return detail


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({}, NAMES),
        ({"$eq": "apple"}, ["apple"]),
        ({"$eq": "Apple"}, []),
        ({"$ne": "apple"}, NAMES[1:]),
        ({"$in": ["cherry", "apple", "x"]}, ["apple", "cherry"]),
        ({"$in": []}, []),
        ({"$nin": ["cherry", "apple", "x"]}, ["Banana", "b%n", "b_n", "b\\n", "émile"]),
        ({"$nin": []}, NAMES),
        ({"$like": "b_n"}, ["b%n", "b_n", "b\\n"]),
        ({"$like": r"b\_n"}, ["b_n"]),
        ({"$like": r"b\%n"}, ["b%n"]),
        ({"$like": r"b\\n"}, ["b\\n"]),
        ({"$like": "%an%"}, ["Banana"]),
        ({"$like": "b"}, []),
        ({"$like": "%"}, NAMES),
        ({"$like": "_mile"}, ["émile"]),
        ({"$nlike": "b_n"}, ["apple", "Banana", "cherry", "émile"]),
        ({"$ilike": "b%N"}, ["b%n", "b_n", "b\\n"]),
        ({"$ilike": "bANANa"}, ["Banana"]),
        ({"$ilike": r"B\_n"}, ["b_n"]),
        ({"$nilike": "B%"}, ["apple", "cherry", "émile"]),
        ({"$gt": "apple"}, ["b%n", "b_n", "cherry", "b\\n", "émile"]),
        ({"$gte": "apple"}, ["apple", "b%n", "b_n", "cherry", "b\\n", "émile"]),
        ({"$lt": "apple"}, ["Banana"]),
        ({"$lte": "apple"}, ["apple", "Banana"]),
        ({"$gt": "z"}, ["émile"]),
        ({"$and": [{"$gt": "a"}, {"$lt": "b_"}]}, ["apple", "b%n", "b\\n"]),
        ({"$or": [{"$eq": "apple"}, {"$like": "c%"}]}, ["apple", "cherry"]),
        ({"$and": []}, NAMES),
        ({"$or": []}, []),
        ({"$and": [{}]}, NAMES),
        ({"$or": [{}, {"$eq": "x"}]}, NAMES),
    ],
)
def test_condition_on_a_text(
    sender: Sender, kind: str, condition: dict[str, Any], names: list[str]
) -> None:
    assert found(sender, kind, subject=condition) == names


def test_texts_are_ordered_by_code_point() -> None:
    assert sorted(NAMES) == BY_CODE_POINT


@pytest.mark.parametrize(
    ("condition", "hours"),
    [
        ({}, range(7)),
        ({"$gt": "2024-01-01T02:00:00Z"}, range(3, 7)),
        ({"$gte": "2024-01-01T02:00:00Z"}, range(2, 7)),
        ({"$lt": "2024-01-01T02:00:00Z"}, range(2)),
        ({"$lte": "2024-01-01T02:00:00Z"}, range(3)),
        ({"$lt": "2024-01-01T02:00:00.000001Z"}, range(3)),
        ({"$gt": "2024-01-01T01:59:59.9999999Z"}, range(2, 7)),
        ({"$gte": "2024-01-01T04:00:00+02:00"}, range(2, 7)),
        ({"$and": [{"$gt": "2024-01-01T00:00:00Z"}, {"$lt": "2024-01-01T02:00:00Z"}]}, [1]),
        (
            {"$or": [{"$lt": "2024-01-01T01:00:00Z"}, {"$gt": "2024-01-01T05:00:00Z"}]},
            [0, 6],
        ),
        ({"$gt": "0001-01-01T00:00:00Z"}, range(7)),
        ({"$lt": "9999-12-31T23:59:59.999999Z"}, range(7)),
        ({"$gt": "9999-12-31T23:59:59.999999Z"}, []),
    ],
)
def test_condition_on_the_time(
    sender: Sender, kind: str, condition: dict[str, Any], hours: "range | list[int]"
) -> None:
    assert found(sender, kind, time=condition) == [NAMES[hour] for hour in hours]


def test_condition_on_the_time_of_ingestion(sender: Sender, kind: str) -> None:
    at = instant(sender.listed({"type": {"$eq": kind}})[0]["ingestedAt"])
    later = at + timedelta(microseconds=1)
    assert found(sender, kind, ingestedAt={"$gte": at.isoformat()}) == NAMES
    assert found(sender, kind, ingestedAt={"$gt": at.isoformat()}) == []
    assert found(sender, kind, ingestedAt={"$lt": later.isoformat()}) == NAMES


def test_every_member_can_be_filtered(sender: Sender) -> None:
    sent = event()
    sender.accept(sent)
    for name in ("id", "subject", "type"):
        [item] = sender.listed({name: {"$eq": sent[name]}})
        assert item["event"]["id"] == sent["id"]
    both = {"source": {"$eq": "test"}, "id": {"$eq": sent["id"]}}
    assert len(sender.listed(both)) == 1
    assert sender.listed({**both, "source": {"$ne": "test"}}) == []


def test_members_combine_with_and(sender: Sender, kind: str) -> None:
    after = {"$gte": "2024-01-01T02:00:00Z"}
    assert found(sender, kind, subject={"$like": "b_n"}, source={"$ne": "s-b_n"}, time=after) == [
        "b%n", "b\\n",
    ]  # fmt: skip


def test_events_of_any_age_are_listed(sender: Sender) -> None:
    sent = event(time="1000-01-01T00:00:00Z")
    sender.accept(sent)
    assert sender.one_of(sent)["time"] == "1000-01-01T00:00:00Z"


@pytest.mark.parametrize("filter_", ["", "{}", '{"subject": null}', '{"subject": {"$eq": null}}'])
def test_filter_of_nothing_takes_everything(sender: Sender, kind: str, filter_: str) -> None:
    assert kind
    answer = sender.page(filter=filter_, limit="5")
    assert len(answer.json()["items"]) == 5


def test_unknown_members_are_ignored(sender: Sender, kind: str) -> None:
    unknown: dict[str, Any] = {"foo": {"$eq": 1}, "data": 5, "$or": []}
    assert found(sender, kind, subject={"$eq": "apple", "$foo": 1}, **unknown) == ["apple"]


@pytest.mark.parametrize(
    "condition",
    [
        {"$eq": "a", "$ne": "b"}, {"$in": ["a"], "$like": "b"}, {"$gt": "a", "$lt": "b"},
        {"$and": [{"$eq": "a"}], "$or": [{"$eq": "a"}]}, {"$and": [{"$eq": "a", "$ne": "b"}]},
        {"$eq": "a", "$and": []},
    ],
)  # fmt: skip
def test_two_operators_in_one_object_are_refused(
    sender: Sender, condition: dict[str, object]
) -> None:
    for name in ("id", "source", "subject", "type"):
        detail = problem(sender, {name: condition})
        assert detail == "validation error: filter is invalid: multiple operators are set"


def test_two_operators_on_the_time_are_refused(sender: Sender) -> None:
    at = "2024-01-01T00:00:00Z"
    detail = "validation error: filter is invalid: multiple operators are set"
    assert problem(sender, {"time": {"$gt": at, "$lt": at}}) == detail


@pytest.mark.parametrize("outer", ["$and", "$or"])
@pytest.mark.parametrize("inner", ["$and", "$or"])
def test_second_level_of_nesting_is_refused(sender: Sender, outer: str, inner: str) -> None:
    detail = "validation error: filter complexity exceeds maximum allowed depth"
    deep: dict[str, Any] = {"$eq": "a"}
    for _ in range(40):
        deep = {outer: [deep]}
    conditions: list[dict[str, Any]]
    conditions = [{outer: [{inner: [{"$eq": "a"}]}]}, {outer: [{inner: []}]}, deep]
    for condition in conditions:
        assert problem(sender, {"id": condition}) == detail
    time = {"time": {outer: [{inner: [{"$gt": "2024-01-01T00:00:00Z"}]}]}}
    assert problem(sender, time) == detail


@pytest.mark.parametrize(
    "condition",
    [
        {"$eq": ""}, {"$ne": ""}, {"$in": [""]}, {"$nin": ["a", ""]}, {"$like": ""},
        {"$nlike": ""}, {"$ilike": ""}, {"$nilike": ""}, {"$gt": ""}, {"$lte": ""},
        {"$and": [{"$eq": "a"}, {"$eq": ""}]}, {"$or": [{"$in": [""]}]},
    ],
)  # fmt: skip
def test_empty_operand_is_refused(sender: Sender, condition: dict[str, object]) -> None:
    detail = problem(sender, {"subject": condition})
    assert detail == "validation error: filter is invalid: format mismatch"


@pytest.mark.parametrize("pattern", ["\\", "a\\", "\\\\\\"])
@pytest.mark.parametrize("operator", ["$like", "$nlike", "$ilike", "$nilike"])
def test_pattern_that_ends_in_a_lone_backslash_is_refused(
    sender: Sender, operator: str, pattern: str
) -> None:
    detail = problem(sender, {"id": {operator: pattern}})
    assert detail == "validation error: filter is invalid: pattern ends in a lone backslash"


@pytest.mark.parametrize(
    ("filter_", "place"),
    [
        ("{", ""), ("{}}", ""), ("nul", ""), ("null", ""), ("[]", ""), ("5", ""), ('"x"', ""),
        ("\ufeff{}", ""), ('{"id": {"$eq": "\\ud800"}}', ""), ('{"\\udfff": 1}', ""),
        ('{"id": ' + '{"$and": [' * 300 + "]}" * 300 + "}", ""),
        ('{"id": "x"}', "id: "), ('{"id": 5}', "id: "), ('{"id": []}', "id: "),
        ('{"id": {"$eq": 5}}', "id.$eq: "), ('{"id": {"$eq": {}}}', "id.$eq: "),
        ('{"id": {"$in": "x"}}', "id.$in: "), ('{"id": {"$in": [1]}}', "id.$in.0: "),
        ('{"id": {"$in": [null]}}', "id.$in.0: "), ('{"id": {"$and": {}}}', "id.$and: "),
        ('{"id": {"$and": [1]}}', "id.$and.0: "), ('{"time": {"$gt": 5}}', "time.$gt: "),
        ('{"time": {"$or": [{"$gt": "now"}]}}', "time.$or.0.$gt: "),
        ('{"id": {"$eq": "\\u0000"}}', "id.$eq: must not contain a NUL character"),
        ('{"id": {"$in": ["\\u0000"]}}', "id.$in.0: must not contain a NUL character"),
        ('{"time": {"$gt": ""}}', "time.$gt: must be an RFC 3339 date-time with an offset"),
    ],
)  # fmt: skip
def test_malformed_filter_is_refused_with_its_place(
    sender: Sender, filter_: str, place: str
) -> None:
    detail = problem(sender, filter_)
    assert detail.startswith(f'parameter "filter" in query has an error: {place}')
    assert "Value error" not in detail


def test_operators_are_bounded(sender: Sender, kind: str) -> None:
    """All filters of a request together: here `$or`, what it holds, and the one on the type."""
    apples = [{"$eq": "apple"}] * 98
    filters: Filters = {"subject": {"$or": apples}, "type": {"$eq": kind}}
    assert [item["event"]["subject"] for item in sender.listed(filters)] == ["apple"]
    detail = problem(sender, {**filters, "source": {"$ne": "x"}})
    assert detail == "validation error: filter is invalid: more than 100 operators"


def test_thousands_of_values_are_taken(sender: Sender, kind: str) -> None:
    values = [*map(str, range(3000)), "cherry"]
    assert found(sender, kind, subject={"$in": values}) == ["cherry"]


def test_pattern_of_many_wildcards_is_answered_in_time(sender: Sender) -> None:
    sent = event(id="a" * 1000)
    sender.accept(sent)
    filters = {"id": {"$like": "%a" * 400 + "b"}, "subject": {"$eq": sent["subject"]}}
    answer = sender.page(filter=json.dumps(filters))
    assert answer.json()["items"] == []
    assert answer.elapsed.total_seconds() < 5


@pytest.mark.parametrize("condition", [{}, {"$eq": CUSTOMER}, {"$nin": [CUSTOMER]}, {"$in": None}])
def test_customer_filter_knows_in_only(sender: Sender, condition: dict[str, object]) -> None:
    detail = problem(sender, {"customerId": condition})
    assert detail == "validation error: customer id filter supports only in"


def test_unknown_customer_is_refused(sender: Sender) -> None:
    detail = problem(sender, {"customerId": {"$in": [CUSTOMER, CUSTOMER.lower()]}})
    assert detail == (
        "validation error: validate input: customers not found in namespace default: "
        f"{CUSTOMER}, {CUSTOMER.lower()}"
    )


def test_customer_is_a_ulid(sender: Sender) -> None:
    detail = problem(sender, {"customerId": {"$in": [CUSTOMER, "x"]}})
    assert detail.startswith('parameter "filter" in query has an error: customerId.$in.1: ')
