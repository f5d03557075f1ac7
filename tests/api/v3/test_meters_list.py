"""The list of meters in v3: pages, filters and sorts."""

from collections.abc import Sequence
from uuid import uuid4

import pytest
from tests.support.v3 import METERS, Client, Wrong, bracketed, wrong

MADE = (  # the end of the key, name, aggregation
    ("b", "100% Tokens", "sum"),
    ("c", "api calls", "count"),
    ("a", "API errors", "count"),
    ("d", "Tokens_out", "max"),
)


@pytest.fixture(scope="module")
def mine(v3: Client) -> str:
    """Start of the keys of these meters, made in this order; one more is deleted."""
    start = f"m{uuid4().hex}"
    for end, name, aggregation in MADE:
        v3.create(aggregation, key=f"{start}_{end}", name=name)
    gone = v3.create(key=f"{start}_e")
    v3.http.delete(f"{METERS}/{gone['id']}")
    return start


def listed(v3: Client, mine: str, **parameters: str) -> Sequence[str]:
    parameters = {"filter__key__contains": mine, **parameters}
    return "".join(one["key"][-1] for one in v3.page(METERS, **parameters)["data"])


def test_live_meters_come_in_the_order_they_were_made(v3: Client, mine: str) -> None:
    assert listed(v3, mine) == "bcad"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("key", "abcd"),
        ("key desc", "dcba"),
        ("name", "badc"),
        ("name asc", "badc"),
        ("name desc", "cdab"),
        ("created_at desc", "dacb"),
        ("updated_at", "bcad"),
    ],
)
def test_sort_is_by_any_of_five_members(v3: Client, mine: str, sort: str, expected: str) -> None:
    assert listed(v3, mine, sort=sort) == expected


def test_equal_members_come_by_id(v3: Client, mine: str) -> None:
    assert listed(v3, mine, sort="aggregation") == "cadb"


@pytest.mark.parametrize("sort", ["", "id", "key up", "key  desc", "key,name", "KEY", "key desc\n"])
def test_other_sorts_are_refused(v3: Client, sort: str) -> None:
    answer = v3.http.get(METERS, params={"sort": sort})
    assert wrong(answer) == [Wrong("sort", "matches_regex", "query")]


@pytest.mark.parametrize(
    ("operator", "operand", "expected"),
    [
        ("eq", "api calls", "c"),
        ("neq", "api calls", "bad"),
        ("contains", "TOKENS", "bd"),
        ("contains", "0% t", "b"),
        ("contains", "s_o", "d"),
        ("contains", "%", "b"),
        ("ocontains", "calls,ERRORS", "ca"),
        ("oeq", "api calls,API errors,none", "ca"),
        ("gt", "API errors", "cd"),
        ("gte", "API errors", "cad"),
        ("lt", "Tokens_out", "ba"),
        ("lte", "Tokens_out", "bad"),
        ("exists", "true", "bcad"),
        ("exists", "false", ""),
        ("eq", "'; DROP TABLE meter; --", ""),
    ],
)
def test_filter_takes_what_its_operator_says(
    v3: Client, mine: str, operator: str, operand: str, expected: str
) -> None:
    assert listed(v3, mine, **{f"filter__name__{operator}": operand}) == expected


def test_filter_without_an_operator_is_equality(v3: Client, mine: str) -> None:
    assert listed(v3, mine, filter__name="api calls") == "c"


def test_operators_hold_together(v3: Client, mine: str) -> None:
    assert listed(v3, mine, filter__name__gte="API errors", filter__name__lt="Tokens_out") == "a"


def test_pages_hold_every_meter_once(v3: Client, mine: str) -> None:
    pages = [
        v3.page(METERS, filter__key__contains=mine, page__size="3", page__number=str(number))
        for number in (1, 2, 3)
    ]
    assert ["".join(m["key"][-1] for m in page["data"]) for page in pages] == ["bca", "d", ""]
    assert [page["meta"]["page"] for page in pages] == [
        {"number": number, "size": 3, "total": 4} for number in (1, 2, 3)
    ]


def test_page_has_twenty_meters_by_default(v3: Client) -> None:
    assert v3.page(METERS)["meta"]["page"]["size"] == 20


def test_largest_page_and_number_are_taken(v3: Client) -> None:
    page = v3.page(METERS, page__size="1000", page__number="1000000")
    assert page["data"] == []


@pytest.mark.parametrize(
    ("parameters", "field", "rule"),
    [
        ({"page__size": "0"}, "page[size]", "min"),
        ({"page__size": "1001"}, "page[size]", "max"),
        ({"page__size": "many"}, "page[size]", "is_integer"),
        ({"page__number": "0"}, "page[number]", "min"),
        ({"page__number": "1000001"}, "page[number]", "max"),
        ({"page__number": "9" * 5000}, "page[number]", "is_integer"),
        ({"page__after": "x"}, "page[after]", "unknown_property"),
        ({"page": "2"}, "page", "invalid"),
        ({"filter": "x"}, "filter", "invalid"),
        ({"filter[key": "x"}, "filter[key", "invalid"),
        ({"filter[key]x": "x"}, "filter[key]x", "invalid"),
        ({"filter__slug": "x"}, "filter[slug]", "unknown_property"),
        ({"filter__key__like": "x"}, "filter[key][like]", "unknown_property"),
        ({"filter__key__": "x"}, "filter[key][]", "unknown_property"),
        ({"filter__key__eq__x": "x"}, "filter[key][eq][x]", "invalid"),
        ({"filter__key": ""}, "filter[key][eq]", "min_length"),
        ({"filter__key__exists": "perhaps"}, "filter[key][exists]", "is_boolean"),
        ({"filter__key": "x", "filter__key__eq": "x"}, "filter[key][eq]", "invalid"),
        ({"filter__key__eq": "x", "filter__key": "x"}, "filter[key]", "invalid"),
        ({"filter__key__oeq": ",".join("x" * 101)}, "filter", "invalid"),
        ({"filter" + "[a]" * 5000: "x"}, "filter" + "[a]" * 5000, "invalid"),
    ],
)
def test_parameter_in_another_form_is_refused_by_its_name(
    v3: Client, parameters: dict[str, str], field: str, rule: str
) -> None:
    answer = v3.http.get(METERS, params=bracketed(parameters))
    assert wrong(answer) == [Wrong(field, rule, "query")]


def test_parameter_given_twice_is_refused(v3: Client) -> None:
    answer = v3.http.get(f"{METERS}?filter[key]=a&filter[key]=b")
    assert wrong(answer) == [Wrong("filter[key]", "invalid", "query")]


def test_other_parameters_are_ignored(v3: Client, mine: str) -> None:
    assert listed(v3, mine, filters="x", pages__size="x", order="y") == "bcad"
