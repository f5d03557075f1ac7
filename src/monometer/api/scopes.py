"""Which scope each operation needs: the one table of access. What is not in it needs `admin`."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TypeAlias

from monometer.core.access import KeyScope

S = KeyScope


class Open(Enum):
    """Not a scope, but how little is asked."""

    ANY_KEY = auto()  # whatever its scopes
    NO_KEY = auto()  # nor is the Authorization header looked at


Need: TypeAlias = KeyScope | Open


@dataclass(frozen=True, slots=True)
class Rule:
    """For a path and all below it. `*` is one segment; of two rules the first one counts.

    `read` is for GET and HEAD, `write` for all other methods.
    """

    path: str
    read: Need
    write: Need


RULES: tuple[Rule, ...] = (
    # Ingest comes first, and is asked for most.
    Rule("/api/v1/events", S.EVENTS_READ, S.EVENTS_WRITE),
    Rule("/api/v2/events", S.EVENTS_READ, S.EVENTS_WRITE),
    Rule("/api/v3/openmeter/events", S.EVENTS_READ, S.EVENTS_WRITE),
    Rule("/api/v1/debug", S.EVENTS_READ, S.ADMIN),
    # A query is reading, whichever method it comes by.
    Rule("/api/v1/meters/*/query", S.METERS_READ, S.METERS_READ),
    Rule("/api/v1/meters", S.METERS_READ, S.METERS_WRITE),
    Rule("/api/v3/openmeter/meters/*/query", S.METERS_READ, S.METERS_READ),
    Rule("/api/v3/openmeter/meters", S.METERS_READ, S.METERS_WRITE),
    # What a subject or a customer is entitled to, before the subjects and customers themselves.
    Rule("/api/v1/subjects/*/entitlements", S.ENTITLEMENTS_READ, S.ENTITLEMENTS_WRITE),
    Rule("/api/v1/customers/*/entitlements", S.ENTITLEMENTS_READ, S.ENTITLEMENTS_WRITE),
    Rule("/api/v1/customers/*/access", S.ENTITLEMENTS_READ, S.ADMIN),
    Rule("/api/v2/customers/*/entitlements", S.ENTITLEMENTS_READ, S.ENTITLEMENTS_WRITE),
    Rule("/api/v1/entitlements", S.ENTITLEMENTS_READ, S.ENTITLEMENTS_WRITE),
    Rule("/api/v2/entitlements", S.ENTITLEMENTS_READ, S.ENTITLEMENTS_WRITE),
    Rule("/api/v1/grants", S.ENTITLEMENTS_READ, S.ENTITLEMENTS_WRITE),
    Rule("/api/v2/grants", S.ENTITLEMENTS_READ, S.ENTITLEMENTS_WRITE),
    Rule("/api/v3/openmeter/customers/*/entitlement-access", S.ENTITLEMENTS_READ, S.ADMIN),
    Rule("/api/v3/openmeter/entitlement-access/query", S.ENTITLEMENTS_READ, S.ENTITLEMENTS_READ),
    Rule("/api/v1/subjects", S.SUBJECTS_READ, S.SUBJECTS_WRITE),
    Rule("/api/v1/customers", S.CUSTOMERS_READ, S.CUSTOMERS_WRITE),
    Rule("/api/v3/openmeter/customers", S.CUSTOMERS_READ, S.CUSTOMERS_WRITE),
    Rule("/api/v1/features", S.FEATURES_READ, S.FEATURES_WRITE),
    Rule("/api/v3/openmeter/features/*/cost/query", S.METERS_READ, S.METERS_READ),
    Rule("/api/v3/openmeter/features", S.FEATURES_READ, S.FEATURES_WRITE),
    Rule("/api/v1/portal/tokens", S.PORTAL_READ, S.PORTAL_WRITE),
    # Answers to portal tokens only, which it checks by itself.
    Rule("/api/v1/portal/meters", Open.NO_KEY, Open.NO_KEY),
    # Polar's dialect.
    Rule("/v1/events", S.EVENTS_READ, S.EVENTS_WRITE),
    Rule("/v1/meters/*/events", S.EVENTS_READ, S.ADMIN),
    Rule("/v1/meters", S.METERS_READ, S.METERS_WRITE),
    Rule("/v1/customer-meters", S.METERS_READ, S.ADMIN),
    Rule("/v1/customers", S.CUSTOMERS_READ, S.CUSTOMERS_WRITE),
    # Togai's dialect.
    Rule("/togai/ingest", S.EVENTS_WRITE, S.EVENTS_WRITE),
    Rule("/togai/ingestBatch", S.EVENTS_WRITE, S.EVENTS_WRITE),
    Rule("/togai/entitled", S.ENTITLEMENTS_READ, S.ENTITLEMENTS_WRITE),
    Rule("/togai/events", S.EVENTS_READ, S.ADMIN),
    Rule("/togai/usage_meters", S.METERS_READ, S.METERS_WRITE),
    Rule("/togai/customers", S.CUSTOMERS_READ, S.CUSTOMERS_WRITE),
    Rule("/togai/accounts", S.CUSTOMERS_READ, S.CUSTOMERS_WRITE),
    Rule("/togai/metrics", S.METERS_READ, S.METERS_READ),
    Rule("/togai/event_schema", S.METERS_READ, S.METERS_WRITE),
    # monometer's own.
    Rule("/api/v1/keys", S.ADMIN, S.ADMIN),
    Rule("/api/v1/info", Open.ANY_KEY, S.ADMIN),
    Rule("/metrics", S.METRICS_READ, S.ADMIN),
    # What is the same on every server.
    Rule("/healthz", Open.NO_KEY, S.ADMIN),
    Rule("/version", Open.NO_KEY, S.ADMIN),
    Rule("/openapi.json", Open.NO_KEY, S.ADMIN),
    Rule("/api/swagger.json", Open.NO_KEY, S.ADMIN),
    Rule("/docs", Open.NO_KEY, S.ADMIN),
    Rule("/redoc", Open.NO_KEY, S.ADMIN),
)

READING = frozenset({"GET", "HEAD"})
# `$` as the framework's own patterns have it, so that both see the same path.
_PATTERN = re.compile(
    "|".join("({}(?=/|$))".format(re.escape(rule.path).replace(r"\*", "[^/]+")) for rule in RULES)
)


def rule_of(path: str) -> Rule | None:
    """The rule for a path as it was asked for, or for a template of one."""
    found = _PATTERN.match(path)
    return RULES[found.lastindex - 1] if found and found.lastindex else None


@lru_cache(maxsize=128)  # nearly every request is for one of a few paths
def need_of(method: str, path: str) -> Need:
    rule = rule_of(path)
    if rule is None:
        return KeyScope.ADMIN
    return rule.read if method in READING else rule.write
