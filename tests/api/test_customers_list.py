"""The list of customers: filters, order and pages, each customer with all it has."""

from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus

import pytest
from tests.support.databases import new_database
from tests.support.metering import refusal
from tests.support.owners import Owners, Record
from tests.support.server import running_server

CUSTOMERS = "/api/v1/customers"


@pytest.fixture(scope="module")
async def quiet_database(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def api(quiet_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owners]:
    """A server of its own, since a list holds the customers of everybody."""
    with (
        running_server(quiet_database, tmp_path_factory.mktemp("customers")) as url,
        Owners(url) as owners,
    ):
        yield owners


@pytest.fixture(scope="module")
def people(api: Owners) -> dict[str, Record]:
    """Four customers, created in this order; Dora is deleted."""
    made = {
        "Berta": api.customer("b-one", "B-two", key="Key%B", name="Berta", primaryEmail="B@x.test"),
        "adam": api.customer("a_one", key="key-a", name="adam"),
        "Cyd": api.customer("c-one", key=None, name="Cyd", primaryEmail="cyd@y.test"),
        "Dora": api.customer("d-one", key="key-d", name="Dora"),
    }
    api.delete_customer(made["Dora"]["id"])
    made["Dora"] = api.one("GET", "customers", made["Dora"]["id"]).json()
    return made


def names(api: Owners, **params: str | int) -> list[str]:
    return [one["name"] for one in api.listed(**params)]


def test_page_holds_whole_customers_by_name(api: Owners, people: dict[str, Record]) -> None:
    answer = api.http.get(CUSTOMERS).json()
    expected = [people[name] for name in ("Berta", "Cyd", "adam")]
    assert answer == {"totalCount": 3, "page": 1, "pageSize": 100, "items": expected}


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"key": "KEY"}, ["Berta", "adam"]),
        ({"key": "%"}, ["Berta"]),
        ({"key": "key-d"}, []),
        ({"name": "A"}, ["Berta", "adam"]),
        ({"name": ""}, ["Berta", "Cyd", "adam"]),
        ({"primaryEmail": "TEST"}, ["Berta", "Cyd"]),
        ({"primaryEmail": "@Y"}, ["Cyd"]),
        ({"subject": "-ONE"}, ["Berta", "Cyd"]),
        ({"subject": "b-two"}, ["Berta"]),
        ({"subject": "_"}, ["adam"]),
        ({"name": "b", "subject": "c"}, []),
        ({"name": "d", "key": "key"}, ["adam"]),
        ({"planKey": "pro"}, []),
        ({"planKey": ""}, []),
        ({"expand": "subscriptions"}, ["Berta", "Cyd", "adam"]),
    ],
)
def test_filters_take_parts_in_any_case_and_hold_at_once(
    api: Owners, params: dict[str, str], expected: list[str]
) -> None:
    assert names(api, **params) == expected


def test_deleted_customers_are_listed_on_demand(api: Owners, people: dict[str, Record]) -> None:
    assert names(api, includeDeleted="true") == ["Berta", "Cyd", "Dora", "adam"]
    assert people["Dora"] in api.listed(includeDeleted="true", key="key-d")
    assert people["Dora"]["usageAttribution"] == {"subjectKeys": ["d-one"]}


def test_subject_is_one_of_a_live_customer(api: Owners, people: dict[str, Record]) -> None:
    assert "Dora" in people
    assert names(api, includeDeleted="true", subject="d-one") == []


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ("name", ["Berta", "Cyd", "adam"]),
        ("createdAt", ["Berta", "adam", "Cyd"]),
        ("id", ["Berta", "adam", "Cyd"]),
    ],
)
def test_list_is_ordered_by_any_of_three_members_in_either_order(
    api: Owners, order_by: str, expected: list[str]
) -> None:
    assert names(api, orderBy=order_by) == expected
    assert names(api, orderBy=order_by, order="DESC") == expected[::-1]


def test_pages_hold_everyone_once(api: Owners, people: dict[str, Record]) -> None:
    assert len(people) == 4
    pages = [names(api, page=page, pageSize=2) for page in (1, 2, 3, 1_000_000)]
    assert pages == [["Berta", "Cyd"], ["adam"], [], []]
    answer = api.http.get(CUSTOMERS, params={"page": 3, "pageSize": 2}).json()
    assert answer == {"totalCount": 3, "page": 3, "pageSize": 2, "items": []}


@pytest.mark.parametrize(
    "params",
    [
        {"page": 0}, {"page": 1_000_001}, {"pageSize": 0}, {"pageSize": 1001}, {"page": "x"},
        {"orderBy": "key"}, {"order": "up"}, {"expand": "plans"}, {"includeDeleted": "maybe"},
    ],
)  # fmt: skip
def test_wrong_parameter_is_refused_by_name(api: Owners, params: dict[str, str | int]) -> None:
    [name] = params
    answer = api.http.get(CUSTOMERS, params=params)
    status, detail = refusal(answer)
    assert status == HTTPStatus.BAD_REQUEST
    assert name in str(detail)
