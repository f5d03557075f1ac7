"""Every published client manages features, entitlements and grants: what its README shows."""

from typing import Any, Final

import pytest
from tests.interop.story import EVERY, NEWEST, OLDEST, Told
from tests.interop.test_meters import BAD_REQUEST, CONFLICT, NOT_FOUND

# Those that reach the entitlements of subjects, and those that know customers.
OF_SUBJECTS: Final = ("node-beta185", "node-beta232", "python-b185")
ISSUED: Final = 10_000_000


def of(*clients: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entitling", clients, indirect=True)


def is_refused(told: Told, step: str, status: int, detail: str) -> None:
    names = {400: BAD_REQUEST, 404: NOT_FOUND, 409: CONFLICT}[status]
    error = told.error(step)
    assert (error["name"], error["status"]) == (names[told.client], status)
    assert detail in error["detail"]


def items(listed: Any) -> list[dict[str, Any]]:
    """Of an array or a page."""
    found: list[dict[str, Any]] = listed["items"] if isinstance(listed, dict) else listed
    return found


def test_feature_is_created_found_listed_and_archived(entitling: Told) -> None:
    made = entitling.value("create feature")
    assert made["key"] == f"{entitling.tag}_ai_tokens"
    assert made["meterGroupByFilters"] == {"model": "gpt-4"}
    assert entitling.value("feature") == made
    page = entitling.value("features in pages")
    assert (page["totalCount"], page["items"]) == (1, [made])
    is_refused(entitling, "create feature again", 409, "already exists")
    is_refused(entitling, "feature missing", 404, "feature not found")
    assert entitling.value("delete feature") is None
    is_refused(entitling, "feature deleted", 404, "feature not found")


@of(*(client for client in EVERY if client != "python-b185"))
def test_features_come_as_an_array_without_a_page(entitling: Told) -> None:
    assert entitling.value("create feature") in entitling.value("features")


@of(*OF_SUBJECTS)
def test_entitlement_is_created_once_and_found_by_key_and_id(entitling: Told) -> None:
    made = entitling.value("create")
    assert made["subjectKey"] == f"{entitling.tag}-customer-1"
    assert made["usagePeriod"]["interval"] == "MONTH"
    assert made["issueAfterReset"] == ISSUED
    assert entitling.value("get by id") == made
    if entitling.client in OLDEST:
        assert entitling.value("get") == made
        assert entitling.value("list") == [made]
        is_refused(entitling, "get missing", 404, "entitlement not found")
    if entitling.client == "python-b185":  # it returns the problem of a conflict as data
        assert entitling.value("create again")["status"] == 409
        assert entitling.value("create again")["extensions"] == {"conflictingEntityId": made["id"]}
    else:
        is_refused(entitling, "create again", 409, f"entitlement with id {made['id']}")


@of(*OF_SUBJECTS)
def test_value_is_what_was_issued_less_what_was_used(entitling: Told) -> None:
    for step in ("value", "value at"):
        assert entitling.value(step) == {
            "hasAccess": True, "balance": ISSUED - 15, "usage": 15, "overage": 0,
            "totalAvailableGrantAmount": ISSUED,
        }  # fmt: skip


@of(*OF_SUBJECTS)
def test_grant_is_created_listed_and_voided(entitling: Told) -> None:
    made = entitling.value("grant")
    assert (made["amount"], made["priority"]) == (100, 1)
    assert made["expiration"] == {"duration": "HOUR", "count": 12}
    assert made["recurrence"]["interval"] == "MONTH"
    assert made in entitling.value("grants")
    for step in ("all grants", "all grants in pages"):
        if step in entitling.steps:
            assert made["id"] in {one["id"] for one in items(entitling.value(step))} or (
                entitling.value(step)["totalCount"] == 2
            )
    is_refused(entitling, "grant long ago", 400, "is before the current usage period")
    assert entitling.value("void") is None
    is_refused(entitling, "void again", 400, "grant already voided")
    assert entitling.value("value after void")["usage"] == 15


@of(*OF_SUBJECTS)
def test_history_tells_windows_and_segments(entitling: Told) -> None:
    told = entitling.value("history")
    assert sum(one["usage"] for one in told["burndownHistory"]) == 15
    assert set(told) == {"windowedHistory", "burndownHistory"}


@of("node-beta185")
def test_calls_of_the_readme_that_name_too_little_are_refused(entitling: Told) -> None:
    is_refused(entitling, "history without a window size", 400, "windowSize")
    # With two arguments this client asks for an entitlement named [object Object].
    assert entitling.error("reset as in the README")["status"] in {400, 404}


@of(*OF_SUBJECTS)
def test_reset_needs_a_minute_of_its_own(entitling: Told) -> None:
    is_refused(entitling, "reset in the same minute", 400, "must be after last reset")


@of(*OF_SUBJECTS)
def test_override_and_delete_replace_and_end_it(entitling: Told) -> None:
    made = entitling.value("override")
    assert made["issueAfterReset"] == 5
    assert made["id"] != entitling.value("create")["id"]
    # Both begin in the same minute, so the new one measures the same usage.
    assert entitling.value("value after override")["totalAvailableGrantAmount"] == 5
    assert entitling.value("delete") is None
    is_refused(entitling, "delete again", 404, "entitlement not found")


@of(*OF_SUBJECTS)
def test_entitlements_of_a_subject_are_listed_from_all(entitling: Told) -> None:
    for step in ("all entitlements", "all entitlements in pages"):
        if step in entitling.steps:
            assert [one["id"] for one in items(entitling.value(step))] == [
                entitling.value("create")["id"]
            ]


@of(*NEWEST)
def test_customers_entitlement_is_created_found_and_listed(entitling: Told) -> None:
    made = entitling.value("customer create")
    assert made["customerKey"] == f"{entitling.tag}-globex"
    assert made["customerId"] == entitling.value("create customer")["id"]
    assert made["issue"] == {"amount": ISSUED}
    assert entitling.value("customer get") == made
    assert entitling.value("entitlement v2") == made
    assert entitling.value("customer list")["items"] == [made]
    assert entitling.value("all entitlements v2")["items"] == [made]
    is_refused(entitling, "customer create again", 409, "already exists")


@of(*NEWEST)
def test_value_of_a_customer_counts_its_subjects_and_its_key(entitling: Told) -> None:
    value = entitling.value("customer value")
    assert (value["balance"], value["usage"]) == (ISSUED - 30, 30)
    assert list(value["grantBalances"].values()) == [ISSUED - 30]
    by_feature = entitling.value("customer value v1")
    assert by_feature == {name: one for name, one in value.items() if name != "grantBalances"}
    assert entitling.value("customer value missing") == {"hasAccess": False}
    access = entitling.value("access")["entitlements"]
    assert access == {f"{entitling.tag}_ai_tokens": value}


@of(*NEWEST)
def test_grants_of_a_customer_are_created_listed_and_voided(entitling: Told) -> None:
    made = entitling.value("customer grant")
    assert (made["amount"], made["maxRolloverAmount"]) == (5, 5)
    assert "expiration" not in made
    assert made in entitling.value("customer grants")["items"]
    assert made["id"] in {one["id"] for one in entitling.value("all grants v2")["items"]}
    assert entitling.value("void v2") is None


@of(*NEWEST)
def test_customers_entitlement_is_overridden_and_holds_the_customer(entitling: Told) -> None:
    assert set(entitling.value("customer history")) == {"windowedHistory", "burndownHistory"}
    is_refused(entitling, "customer reset in the same minute", 400, "must be after last reset")
    assert entitling.value("customer override")["issueAfterReset"] == 5
    is_refused(entitling, "delete customer in use", 409, "has active entitlements")
    assert entitling.value("customer delete") is None
    assert entitling.value("delete customer") is None
