"""Each operation needs one scope, and no other will do."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any, Final

import httpx
import pytest
from tests.support.access import Guarded, new_key

from monometer.api.scopes import READING, RULES, Open, Rule, need_of, rule_of
from monometer.app import create_app
from monometer.config import Settings
from monometer.core.access import KeyScope

DOCUMENT: Final = create_app(Settings()).openapi()
OPERATIONS: Final = [
    (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
]
REFUSED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
# Beside the table itself, so that a slip in it shows.
EXPECTED: Final = {
    ("POST", "/api/v1/events"): KeyScope.EVENTS_WRITE,
    ("GET", "/api/v1/events"): KeyScope.EVENTS_READ,
    ("GET", "/api/v2/events"): KeyScope.EVENTS_READ,
    ("GET", "/api/v1/meters"): KeyScope.METERS_READ,
    ("POST", "/api/v1/meters"): KeyScope.METERS_WRITE,
    ("PUT", "/api/v1/meters/m"): KeyScope.METERS_WRITE,
    ("DELETE", "/api/v1/meters/m"): KeyScope.METERS_WRITE,
    ("DELETE", "/api/v1/meters/query"): KeyScope.METERS_WRITE,
    ("POST", "/api/v1/meters/m/query"): KeyScope.METERS_READ,
    ("POST", "/api/v1/meters/m/query/explain"): KeyScope.METERS_READ,
    ("GET", "/api/v1/meters/m/subjects"): KeyScope.METERS_READ,
    ("POST", "/api/v1/subjects"): KeyScope.SUBJECTS_WRITE,
    ("DELETE", "/api/v1/subjects/entitlements"): KeyScope.SUBJECTS_WRITE,
    ("POST", "/api/v1/subjects/s/entitlements"): KeyScope.ENTITLEMENTS_WRITE,
    ("GET", "/api/v1/subjects/s/entitlements/e/value"): KeyScope.ENTITLEMENTS_READ,
    ("POST", "/api/v1/subjects/s/entitlements/e/grants"): KeyScope.ENTITLEMENTS_WRITE,
    ("PUT", "/api/v1/customers/c"): KeyScope.CUSTOMERS_WRITE,
    ("GET", "/api/v1/customers/c/access"): KeyScope.ENTITLEMENTS_READ,
    ("POST", "/api/v1/subjects/s/entitlements/e/consume"): KeyScope.ENTITLEMENTS_WRITE,
    ("POST", "/api/v1/customers/c/entitlements/f/consume"): KeyScope.ENTITLEMENTS_WRITE,
    ("GET", "/api/v1/customers/c/entitlements/f/value"): KeyScope.ENTITLEMENTS_READ,
    ("POST", "/api/v2/customers/c/entitlements"): KeyScope.ENTITLEMENTS_WRITE,
    ("GET", "/api/v2/grants"): KeyScope.ENTITLEMENTS_READ,
    ("DELETE", "/api/v1/grants/g"): KeyScope.ENTITLEMENTS_WRITE,
    ("POST", "/api/v1/features"): KeyScope.FEATURES_WRITE,
    ("GET", "/api/v1/portal/tokens"): KeyScope.PORTAL_READ,
    ("POST", "/api/v1/portal/tokens/invalidate"): KeyScope.PORTAL_WRITE,
    ("GET", "/api/v1/portal/meters/m/query"): Open.NO_KEY,
    ("GET", "/api/v1/portal/metersandmore"): KeyScope.ADMIN,
    ("GET", "/api/v1/portal"): KeyScope.ADMIN,
    ("POST", "/api/v3/openmeter/events"): KeyScope.EVENTS_WRITE,
    ("POST", "/api/v3/openmeter/meters/m/query"): KeyScope.METERS_READ,
    ("PATCH", "/api/v3/openmeter/features/f"): KeyScope.FEATURES_WRITE,
    ("PUT", "/api/v3/openmeter/customers/c"): KeyScope.CUSTOMERS_WRITE,
    ("GET", "/api/v3/openmeter/customers/c/entitlement-access"): KeyScope.ENTITLEMENTS_READ,
    ("POST", "/api/v3/openmeter/entitlement-access/query"): KeyScope.ENTITLEMENTS_READ,
    ("POST", "/v1/events/ingest"): KeyScope.EVENTS_WRITE,
    ("GET", "/v1/meters/m/events"): KeyScope.EVENTS_READ,
    ("GET", "/v1/meters/m/quantities"): KeyScope.METERS_READ,
    ("GET", "/v1/customer-meters"): KeyScope.METERS_READ,
    ("PATCH", "/v1/customers/external/a/b"): KeyScope.CUSTOMERS_WRITE,
    ("GET", "/api/v1/keys"): KeyScope.ADMIN,
    ("GET", "/api/v1/info/currencies"): Open.ANY_KEY,
    ("GET", "/metrics"): KeyScope.METRICS_READ,
    ("GET", "/healthz/live"): Open.NO_KEY,
    ("POST", "/healthz/live"): KeyScope.ADMIN,
    ("GET", "/healthzzz"): KeyScope.ADMIN,
    ("GET", "/api/v1/eventsandmore"): KeyScope.ADMIN,
    ("GET", "//api/v1/events"): KeyScope.ADMIN,
    ("GET", "/API/v1/events"): KeyScope.ADMIN,
    ("GET", "/nowhere"): KeyScope.ADMIN,
    ("GET", "/"): KeyScope.ADMIN,
    ("GET", ""): KeyScope.ADMIN,
}


@pytest.fixture(scope="module")
async def keys(guarded_database_url: str) -> dict[KeyScope, str]:
    """A key with each scope alone."""
    return {scope: await new_key(guarded_database_url, scopes=[scope]) for scope in KeyScope}


@pytest.fixture(scope="module")
def clients(guarded: Guarded, keys: dict[KeyScope, str]) -> Iterator[dict[KeyScope, httpx.Client]]:
    with ExitStack() as stack:
        yield {scope: stack.enter_context(guarded.client(key)) for scope, key in keys.items()}


@pytest.fixture(params=OPERATIONS, ids=" ".join)
def operation(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Method and path template."""
    found: tuple[str, str] = request.param
    return found


def test_every_operation_is_in_the_table(operation: tuple[str, str]) -> None:
    assert rule_of(operation[1]) is not None


@pytest.mark.parametrize(("operation", "need"), EXPECTED.items())
def test_table_says_what_is_meant(operation: tuple[str, str], need: KeyScope | Open) -> None:
    assert need_of(*operation) is need


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.path)
def test_no_rule_is_hidden_behind_an_earlier_one(rule: Rule) -> None:
    assert rule_of(rule.path.replace("*", "x")) is rule
    assert rule_of(rule.path.replace("*", "x") + "/below") is rule


@pytest.mark.parametrize("odd", ["query", "entitlements", "keys", "x y", "\u00e9", "\n", ".."])
def test_what_stands_in_a_path_does_not_change_what_it_needs(
    operation: tuple[str, str], odd: str
) -> None:
    method, template = operation
    assert need_of(method, re.sub(r"{\w+}", odd, template)) is need_of(method, template)


def test_one_scope_opens_an_operation_and_no_other_does(
    operation: tuple[str, str], clients: dict[KeyScope, httpx.Client], guarded: Guarded
) -> None:
    method, template = operation
    need = need_of(method, template)
    opening = {KeyScope.ADMIN, need} if isinstance(need, KeyScope) else set(KeyScope)
    assert {scope for scope, client in clients.items() if passes(client, method, template)} == (
        opening
    )
    with guarded.client(None) as stranger:
        assert passes(stranger, method, template) is (need is Open.NO_KEY)


def passes(client: httpx.Client, method: str, template: str) -> bool:
    """Whether it is let through to where it is told that nothing is there, or its form is wrong."""
    path = re.sub(r"{\w+}", "01ARZ3NDEKTSV4RRFFQ69G5FAV", template)
    body: dict[str, Any] = {} if method in READING else {"content": b"{"}
    answer = client.request(method, path, **body)
    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    # Portal tokens have a 401 of their own, which speaks of another thing.
    of_its_own = need_of(method, template) is Open.NO_KEY and "API key" not in answer.text
    return of_its_own or answer.status_code not in REFUSED
