"""What a clause means, by the JSON type of what is stored."""

from collections.abc import Iterator

import pytest
from tests.support.polar import Polar, Tree, clause, every, refusal, some

STORED = {
    "text 100": "100", "text b": "b", "100": 100, "2.5": 2.5, "yes": True, "no": False,
    "text t": "t", "percent": "50%_\\",
}  # fmt: skip
V = "metadata.v"


@pytest.fixture(scope="module")
def counted(base_url: str) -> Iterator[Polar]:
    """A client that has sent one event for each of STORED, and one without the property."""
    client = Polar(base_url)
    for name, value in STORED.items():
        client.ingest({"metadata": {"id": name, "v": value}})
    client.ingest({"metadata": {"id": "missing"}}, {"metadata": {"id": "deep", "a.b": 1}})
    yield client
    client.http.close()


def found(client: Polar, *clauses: Tree) -> set[str]:
    """Which events a meter of that filter counts."""
    meter = client.create(filter_=client.of_name(*clauses))
    return {
        event["metadata"]["id"] for event in client.items("/v1/events", meter_id=meter, limit=99)
    }


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", "100", {"text 100"}),
        ("eq", 100, {"text 100", "100"}),
        ("eq", True, {"text t", "yes"}),  # a boolean's text form is t; 1 is not stored
        ("eq", False, {"no"}),
        ("ne", "100", {"text b", "text t", "percent"}),
        ("ne", 100, {"text b", "text t", "percent", "2.5"}),
        ("ne", True, {"text 100", "text b", "percent", "100", "2.5", "no"}),
        ("gt", "5", {"text b", "text t", "percent"}),  # texts by code point
        ("gt", 5, {"text b", "text t", "percent", "100"}),
        ("gte", 100, {"text 100", "text b", "text t", "percent", "100"}),
        ("lt", 100, {"2.5"}),
        ("lte", 2, {"text 100"}),
        ("lt", True, {"text 100", "text b", "percent", "no"}),
        ("like", "00", {"text 100", "100"}),
        ("like", "%", {"percent"}),
        ("like", "_\\", {"percent"}),
        ("like", "B", set()),
        ("like", "ru", {"yes"}),
        ("like", "", set(STORED)),
        ("not_like", "0", {"text b", "2.5", "yes", "no", "text t"}),
    ],
)
def test_a_clause_compares_by_the_type_of_what_is_stored(
    counted: Polar, operator: str, value: object, expected: set[str]
) -> None:
    assert found(counted, clause(V, operator, value)) == expected


def test_the_events_own_members_take_values_of_their_type_alone(counted: Polar) -> None:
    name = counted.name
    all_ = {*STORED, "missing", "deep"}
    assert found(counted, clause("name", "like", name[3:9])) == all_
    assert found(counted, clause("name", "ne", 5)) == set()
    assert found(counted, clause("name", "not_like", True)) == set()
    assert found(counted, clause("source", "eq", "user")) == all_
    assert found(counted, clause("source", "ne", "system")) == all_
    noon = 1718452800
    assert found(counted, clause("timestamp", "eq", noon)) == all_
    assert found(counted, clause("timestamp", "gt", noon)) == set()
    assert found(counted, clause("timestamp", "like", 17184)) == all_
    assert found(counted, clause("timestamp", "ne", "x")) == set()


def test_filters_nest_and_empty_ones_take_everything(counted: Polar) -> None:
    all_ = {*STORED, "missing", "deep"}
    either = some(clause(V, "eq", "b"), clause("missing", "ne", "x"), clause(V, "eq", 100))
    assert found(counted, either) == {"text b", "text 100", "100"}
    assert found(counted, every(either, clause(V, "like", "1"))) == {"text 100", "100"}
    assert found(counted, some()) == all_
    assert found(counted, some(every(some(every(clause(V, "eq", True)))))) == {"yes", "text t"}


def test_dots_descend_and_are_no_part_of_a_name(polar: Polar) -> None:
    event = {
        "specversion": "1.0", "id": polar.name, "source": "s", "type": polar.name,
        "subject": "ann", "data": {"a": {"b": 7}, "a.b": 1, "metadata": {"c": 3}},
    }  # fmt: skip
    assert polar.http.post("/api/v1/events", json=event).status_code == 204
    wide = {"start_timestamp": "2026-01-01T00:00:00Z", "end_timestamp": "2035-01-01T00:00:00Z"}
    asked = {**wide, "interval": "year"}
    assert polar.total(polar.create("sum", on="metadata.a.b"), **asked) == 7
    assert polar.total(polar.create("sum", on="metadata.metadata.c"), **asked) == 3


@pytest.mark.parametrize(
    ("value", "type_"),
    [(1.5, "int_from_float"), (2**31, "less_than_equal"), (-(2**31) - 1, "greater_than_equal")],
)
def test_a_value_is_a_text_a_boolean_or_a_small_integer(
    polar: Polar, value: object, type_: str
) -> None:
    body = {
        "name": "odd",
        "filter": every(clause("v", "eq", value)),
        "aggregation": {"func": "count"},
    }
    assert type_ in {one for _, one in refusal(polar.http.post("/v1/meters/", json=body))}


@pytest.mark.parametrize(
    "filter_",
    [
        {"conjunction": "xor", "clauses": []},
        {"conjunction": "and"},
        every(clause("v", "matches", "x")),
        every(clause("v", "eq", None)),
        every(clause("v", "eq", "x" * 1001)),
        every(clause("", "eq", "x")),
        every(clause("a\0", "eq", "x")),
        every(clause("." * 40, "eq", "x")),
        every(*[clause("v", "eq", 1)] * 501),
        "everything",
    ],
    ids=lambda filter_: str(filter_)[:40],
)
def test_a_malformed_filter_is_refused(polar: Polar, filter_: Tree) -> None:
    body = {"name": "odd", "filter": filter_, "aggregation": {"func": "count"}}
    for place, _ in refusal(polar.http.post("/v1/meters/", json=body)):
        assert place[:2] == ["body", "filter"]


def test_deep_filters_are_taken_or_refused_but_never_an_error(polar: Polar) -> None:
    statuses = []
    for depth in (50, 99, 101, 300, 5_000):
        text = '{"conjunction":"and","clauses":[' * depth + "]}" * depth
        body = f'{{"name":"deep","filter":{text},"aggregation":{{"func":"count"}}}}'
        headers = {"content-type": "application/json"}
        statuses.append(polar.http.post("/v1/meters/", content=body, headers=headers).status_code)
    assert statuses == [201, 201, 422, 422, 422]
