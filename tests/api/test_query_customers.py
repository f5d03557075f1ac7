"""A meter query by customer: whose usage it is, in JSON and in CSV."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

import pytest
from tests.support.metering import Meter, at, refusal
from tests.support.owners import Owners, Record, word

UNKNOWN_ID = "01HM6ZYX00000000000000000A"
LATER = "2024-06-16T12:00:00Z"


class Market(NamedTuple):
    """A meter and two customers: ACME with key, two subjects and four events, and ZEN with one."""

    meter: Meter
    acme: Record
    zen: Record
    eu: str
    us: str


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Owners]:
    with Owners(base_url) as owners:
        yield owners


@pytest.fixture(scope="module")
def market(api: Owners) -> Market:
    meter = api.create("SUM", groupBy={"g": "$.g"})
    eu, us, zen = f"eu{word()}", f"us{word()}", word()
    found = Market(meter, api.customer(eu, us), api.customer(zen), eu, us)
    api.send(
        meter,
        at(subject=eu, data={"v": "1.1", "g": "x"}),
        at(LATER, subject=eu, data={"v": 2, "g": "y"}),
        at(subject=us, data={"v": 4, "g": "x"}),
        at(subject=found.acme["key"], data={"v": 8, "g": "x"}),
        at(subject=found.acme["id"], data={"v": 16, "g": "x"}),
        at(subject=zen, data={"v": 32, "g": "y"}),
        at(subject=word(), data={"v": 64, "g": "y"}),
    )
    return found


def told(api: Owners, meter: Meter, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Rows as (customer, subject, groups, value); by GET and by POST they are the same."""
    answer = api.query(meter, params)
    assert answer.status_code == HTTPStatus.OK, answer.text
    many = ("filterCustomerId", "groupBy", "subject")
    body = {
        name: [value] if name in many and isinstance(value, str) else value
        for name, value in params.items()
    }
    assert api.query_by_body(meter, body).text == answer.text
    rows = answer.json()["data"]
    return [(row["customerId"], row["subject"], row["groupBy"], row["value"]) for row in rows]


def test_customers_usage_is_that_of_its_id_its_key_and_its_subject_keys(
    api: Owners, market: Market
) -> None:
    customer = market.acme["id"]
    expected: list[tuple[Any, ...]] = [(customer, None, {}, 31.1)]
    assert told(api, market.meter, {"filterCustomerId": customer}) == expected


def test_rows_are_by_customer_and_others_have_none(api: Owners, market: Market) -> None:
    ids = [market.zen["id"], market.acme["id"]]
    rows = told(api, market.meter, {"filterCustomerId": ids})
    expected = {market.acme["id"]: 31.1, market.zen["id"]: 32}
    assert rows == [(one, None, {}, expected[one]) for one in sorted(ids)]


def test_asking_to_group_by_customer_changes_nothing(api: Owners, market: Market) -> None:
    filtered = {"filterCustomerId": market.acme["id"]}
    expected = told(api, market.meter, filtered)
    assert told(api, market.meter, {**filtered, "groupBy": "customer_id"}) == expected


def test_id_may_be_in_either_case_and_is_answered_as_it_is(api: Owners, market: Market) -> None:
    customer = market.zen["id"]
    rows = told(api, market.meter, {"filterCustomerId": [customer.lower(), customer]})
    assert rows == [(customer, None, {}, 32)]


def test_customer_and_subject_filters_hold_at_once(api: Owners, market: Market) -> None:
    asked = {"filterCustomerId": market.acme["id"], "subject": [market.us, market.eu, "zoe"]}
    customer = market.acme["id"]
    assert told(api, market.meter, asked) == [
        (customer, market.eu, {}, 3.1),
        (customer, market.us, {}, 4),
    ]
    assert told(api, market.meter, {**asked, "subject": "zoe"}) == []


def test_windows_and_groups_combine_with_customers(api: Owners, market: Market) -> None:
    customer = market.acme["id"]
    asked = {"filterCustomerId": customer, "windowSize": "DAY", "groupBy": ["g", "customer_id"]}
    assert told(api, market.meter, asked) == [
        (customer, None, {"g": "x"}, 29.1),
        (customer, None, {"g": "y"}, 2),
    ]
    assert told(api, market.meter, {**asked, "from": LATER}) == [(customer, None, {"g": "y"}, 2)]


def test_row_has_no_customer_unless_asked_for(api: Owners, market: Market) -> None:
    for row in api.query(market.meter, {"groupBy": "subject"}).json()["data"]:
        assert "customerId" not in row


@pytest.mark.parametrize("subject", [None, "zoe"])
def test_customer_without_usage_has_no_row(
    api: Owners, market: Market, subject: str | None
) -> None:
    """Not even one of zero: the answer is grouped."""
    meter = api.create("COUNT")
    asked = {"filterCustomerId": market.acme["id"]}
    assert told(api, meter, asked if subject is None else {**asked, "subject": subject}) == []


def test_unknown_customer_is_not_found_as_it_was_given(api: Owners, market: Market) -> None:
    for unknown in ("someone", UNKNOWN_ID, UNKNOWN_ID.lower(), market.acme["key"]):
        answer = api.query(market.meter, {"filterCustomerId": [market.acme["id"], unknown]})
        assert refusal(answer) == (404, f"not found error: customer with id {unknown} not found")


def test_deleted_customer_is_unknown_and_its_usage_is_the_next_ones(api: Owners) -> None:
    meter, subject = api.create(), word()
    first = api.customer(subject)
    api.send(meter, at(subject=subject))
    api.delete_customer(first["id"])
    answer = api.query(meter, {"filterCustomerId": first["id"]})
    assert refusal(answer)[0] == HTTPStatus.NOT_FOUND
    second = api.customer(subject)
    assert told(api, meter, {"filterCustomerId": second["id"]}) == [(second["id"], None, {}, 1)]


def test_usage_moves_along_with_the_subject_also_that_of_the_past(api: Owners) -> None:
    meter, subject = api.create(), word()
    api.send(meter, at(subject=subject))
    first, second = api.customer(subject), api.customer()
    both = {"filterCustomerId": [first["id"], second["id"]]}
    assert told(api, meter, both) == [(first["id"], None, {}, 1)]
    api.replaced(first["id"], name="n", key=first["key"])
    assert told(api, meter, both) == []
    attribution = {"subjectKeys": [subject]}
    api.replaced(second["id"], name="n", usageAttribution=attribution)
    assert told(api, meter, both) == [(second["id"], None, {}, 1)]


def test_subject_belongs_to_the_customer_whose_key_it_is_before_one_that_lists_it(
    api: Owners,
) -> None:
    meter, subject = api.create(), word()
    owner = api.customer(key=subject)
    lister = api.customer(subject, owner["id"])
    api.send(meter, at(subject=subject), at(subject=owner["id"]))
    both = {"filterCustomerId": [owner["id"], lister["id"]]}
    assert told(api, meter, both) == [(owner["id"], None, {}, 2)]
    assert told(api, meter, {"filterCustomerId": lister["id"]}) == []
    api.delete_customer(owner["id"])
    assert told(api, meter, {"filterCustomerId": lister["id"]}) == [(lister["id"], None, {}, 2)]


def test_a_customer_may_have_very_many_subjects(api: Owners) -> None:
    meter, keys = api.create(), [word() for _ in range(1000)]
    customers = [api.customer(*keys[i::10]) for i in range(10)]
    api.send(meter, *(at(subject=key) for key in keys))
    ids = [one["id"] for one in customers]
    rows = told(api, meter, {"filterCustomerId": ids})
    assert rows == [(one, None, {}, 100) for one in sorted(ids)]


def csv(api: Owners, meter: Meter, params: dict[str, Any]) -> list[str]:
    answer = api.query(meter, params, accept="text/csv")
    assert answer.status_code == HTTPStatus.OK, answer.text
    return [line.split(",", 2)[2] for line in answer.text.splitlines()]


def test_csv_has_the_customer_where_it_was_asked_for(api: Owners, market: Market) -> None:
    customer = market.acme["id"]
    asked = {"filterCustomerId": customer}
    assert csv(api, market.meter, asked) == ["customer_id,value", f"{customer},31.100000"]
    key = market.acme["key"]
    between = {**asked, "groupBy": ["g", "customer_id", "subject"], "subject": key}
    assert csv(api, market.meter, between) == [
        "subject,g,customer_id,value",
        f"{key},x,{customer},8.000000",
    ]
    before = {**asked, "groupBy": ["customer_id", "g"], "subject": key}
    assert csv(api, market.meter, before) == [
        "subject,customer_id,g,value",
        f"{key},{customer},x,8.000000",
    ]


def test_csv_by_subject_has_the_display_names_of_those_that_are_known(api: Owners) -> None:
    meter, named, nameless, unknown = api.create(), f"a{word()}", f"b{word()}", f"c{word()}"
    api.send(meter, *(at(subject=one) for one in (named, nameless, unknown)))
    assert csv(api, meter, {"subject": unknown}) == ["subject,value", f"{unknown},1.000000"]
    api.upsert({"key": named, "displayName": "A, B"}, {"key": nameless})
    subjects = [named, nameless, unknown]
    expected = [
        "subject,subject_display_name,value",
        f'{named},"A, B",1.000000',
        f"{nameless},,1.000000",
        f"{unknown},,1.000000",
    ]
    assert csv(api, meter, {"subject": subjects}) == expected
    assert csv(api, meter, {"groupBy": "subject"}) == expected
    assert csv(api, meter, {}) == ["value", "3.000000"]
    assert csv(api, meter, {"subject": unknown})[0] == "subject,value"
    for one in (named, nameless):
        api.one("DELETE", "subjects", one)
    assert csv(api, meter, {"subject": subjects})[0] == "subject,value"


def test_explanation_takes_customers_too(api: Owners, market: Market) -> None:
    path = f"/api/v1/meters/{market.meter['slug']}/query/explain"
    answer = api.post(path, {"filterCustomerId": [market.acme["id"]]})
    assert answer.status_code == HTTPStatus.OK
    unknown = api.post(path, {"filterCustomerId": [UNKNOWN_ID]})
    assert refusal(unknown)[0] == HTTPStatus.NOT_FOUND
