"""Every published client keeps subjects; those that know customers keep these and ask by them."""

from typing import Any

import pytest
from tests.interop.story import NEWEST, Row, Told
from tests.interop.test_meters import BAD_REQUEST, CONFLICT, NOT_FOUND

START = "2024-03-09T20:15:00Z"
ACME: Row = (START, "2024-03-10T05:31:00Z", None, {}, 60.5)
ACME_AND_GLOBEX: Row = (START, "2024-03-11T04:00:00Z", None, {}, 60.8)


def described(record: dict[str, Any]) -> dict[str, Any]:
    """Without what the server chose."""
    chosen = {"id", "createdAt", "updatedAt"}
    return {name: value for name, value in record.items() if name not in chosen}


def customer(told: Told) -> dict[str, Any]:
    found: dict[str, Any] = told.value("customer create")
    return found


def test_subjects_come_back_with_everything_they_were_given(told: Told) -> None:
    acme, slashed = told.value("subject upsert")
    assert described(acme) == {
        "key": f"{told.tag}-acme",
        "displayName": "ACME",
        "metadata": {"crm": {"id": "7"}},
        "stripeCustomerId": "cus_1",
    }
    assert described(slashed) == {"key": f"{told.tag} b&c/d", "metadata": {}}


def test_change_of_a_subject_clears_what_is_null_and_keeps_the_rest(told: Told) -> None:
    [changed] = told.value("subject upsert again")
    acme = told.value("subject upsert")[0]
    kept = {name: value for name, value in acme.items() if name != "displayName"}
    assert {**changed, "updatedAt": None} == {**kept, "updatedAt": None}
    assert told.value("subject get") == changed


def test_key_with_a_slash_is_found_and_deleted(told: Told) -> None:
    """However the client writes it into a path."""
    slashed = told.value("subject upsert")[1]
    assert told.value("subject get slashed") == slashed
    assert told.value("subject delete") is None
    assert told.error("subject get deleted") == {
        "name": NOT_FOUND[told.client],
        "status": 404,
        "detail": f"not found error: subject not found: {slashed['key']}",
    }


def test_subjects_are_listed_in_a_bare_array(told: Told) -> None:
    keys = [subject["key"] for subject in told.value("subject list")]
    acme, slashed = keys.index(f"{told.tag}-acme"), keys.index(f"{told.tag} b&c/d")
    assert acme < slashed


def test_invalid_subject_is_the_clients_bad_request_error(told: Told) -> None:
    error = told.error("subject upsert invalid")
    assert (error["name"], error["status"]) == (BAD_REQUEST[told.client], 400)
    assert "/0/key" in error["detail"]


@pytest.mark.parametrize("told", ["node-beta232"], indirect=True)
def test_one_subject_may_be_sent_without_an_array(told: Told) -> None:
    assert [subject["key"] for subject in told.value("subject upsert one")] == [f"{told.tag}-acme"]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_customer_comes_back_with_everything_it_was_given(told: Told) -> None:
    assert described(customer(told)) == {
        "name": f"{told.tag} ACME",
        "key": f"{told.tag}_acme",
        "primaryEmail": f"{told.tag}@acme.test",
        "usageAttribution": {"subjectKeys": [f"{told.tag}-acme"]},
        "currency": "USD",
        "billingAddress": {"country": "US", "postalCode": "94103"},
        "metadata": {"crm": "7"},
    }
    for step in ("customer get", "customer get by id"):
        assert told.value(step) == customer(told)


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_customers_are_listed_in_pages_by_every_filter(told: Told) -> None:
    page = {"totalCount": 1, "page": 1, "pageSize": 2, "items": [customer(told)]}
    assert told.value("customer list") == page


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_refused_customer_is_the_clients_own_error(told: Told) -> None:
    assert told.error("customer create again") == {
        "name": CONFLICT[told.client],
        "status": 409,
        "detail": f"conflict error: a customer with the key {told.tag}_acme already exists",
    }
    assert told.error("customer create invalid") == {
        "name": BAD_REQUEST[told.client],
        "status": 400,
        "detail": "validation error: invalid currency: XXX is not known",
    }
    missing = told.error("customer get missing")
    assert (missing["name"], missing["status"]) == (NOT_FOUND[told.client], 404)


@pytest.mark.parametrize("step", ["query of a customer", "query body of a customer"])
@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_query_of_a_customer_has_its_usage_and_tells_whose_it_is(told: Told, step: str) -> None:
    assert told.rows(step) == [ACME]
    [row] = told.value(step)["data"]
    assert row["customerId"] == customer(told)["id"]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_csv_of_a_customer_names_it(told: Told) -> None:
    assert told.value("csv of a customer") == (
        "window_start,window_end,customer_id,value\n"
        f"2024-03-09T20:15:00Z,2024-03-10T05:31:00Z,{customer(told)['id']},60.500000\n"
    )


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_events_of_a_customer_are_listed_and_name_it(told: Told) -> None:
    v2 = told.value("events v2 of a customer")  # which the Python client gathers from its pages
    lists = [told.value("events of a customer"), v2 if isinstance(v2, list) else v2["items"]]
    for listed in lists:
        assert told.ids(listed) == ["3", "2", "1"]
        assert {item["customerId"] for item in listed} == {customer(told)["id"]}


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_replacing_a_customer_clears_what_is_left_out_and_moves_usage(told: Told) -> None:
    assert described(told.value("customer update")) == {
        "name": f"{told.tag} ACME",
        "key": f"{told.tag}/acme",
        "usageAttribution": {"subjectKeys": [f"{told.tag}-acme", f"{told.tag}-globex"]},
    }
    assert told.rows("query of a changed customer") == [ACME_AND_GLOBEX]


@pytest.mark.parametrize("told", NEWEST, indirect=True)
def test_deleted_customer_is_gone_by_key_and_stays_by_id(told: Told) -> None:
    assert told.value("customer delete") is None
    assert told.error("customer get deleted")["status"] == 404
    assert told.value("customer get deleted by id")["deletedAt"]
    again = told.error("customer delete again")
    assert (again["status"], again["detail"]) == (
        412,
        f"precondition failed error: customer is deleted: {customer(told)['id']}",
    )


@pytest.mark.parametrize("told", ["python-b236"], indirect=True)
def test_replies_fit_the_typed_models(told: Told) -> None:
    assert told.value("subject typed") == [f"{told.tag}-acme", 0]
    assert told.value("customer typed") == ["USD", "US"]
