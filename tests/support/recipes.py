"""What the walk over two namespaces asks of every operation: one entry for each operation id.

A new route needs an entry here and, where it keeps something, a step in `fill`. Values in braces
stand for what `fill` returned.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx

DAY: Final = "2024-06-15"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; the method and the path are the operation's. `headers` beside JSON's own."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(
        self, client: httpx.Client, method: str, template: str, facts: Mapping[str, str]
    ) -> httpx.Response:
        path = template.format_map(
            {name: text.format_map(facts) for name, text in self.path.items()}
        )
        return client.request(
            method,
            path,
            params={name: _filled(text, facts) for name, text in self.query.items()},
            headers={"content-type": JSON, **self.headers},
            content=None if self.body is None else json.dumps(_filled(self.body, facts)),
        )


def _filled(value: Any, facts: Mapping[str, str]) -> Any:
    """`value` with each text in braces replaced, so that JSON's own braces need no escape."""
    if isinstance(value, str):
        for name, fact in facts.items():
            value = value.replace(f"{{{name}}}", fact)
        return value
    if isinstance(value, Mapping):
        return {name: _filled(one, facts) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [_filled(one, facts) for one in value]
    return value


EVENT: Final = {
    "specversion": "1.0",
    "id": "{event_id}",
    "source": "{source}",
    "type": "{type}",
    "subject": "{subject}",
    "time": f"{DAY}T12:00:00Z",
    "data": {"v": 7, "g": "{group}"},
}
METER: Final = {
    "slug": "{slug}",
    "eventType": "{type}",
    "aggregation": "SUM",
    "valueProperty": "$.v",
    "groupBy": {"g": "$.g"},
}
FEATURE: Final = {"key": "{feature}", "name": "A feature", "meterSlug": "{slug}"}
ENTITLEMENT: Final = {
    "type": "metered",
    "featureKey": "{feature}",
    "usagePeriod": {"interval": "MONTH"},
    "issueAfterReset": 1000,
}
CONSUMPTION: Final = {
    "id": "{event_id}-consumed",
    "source": "{source}",
    "amount": 3,
    "data": {"g": "{group}"},
}
KEY: Final = {"name": "{key_name}", "scopes": ["meters:read"]}


def fill(client: httpx.Client) -> dict[str, str]:
    """Something of everything in the client's namespace. Returns the names and ids of it."""
    names = ("event_id", "source", "type", "subject", "group", "slug", "key_name", "feature")
    facts = {name: f"a{uuid4().hex}" for name in names}
    facts["meter_id"] = _made(client, "/api/v1/meters", METER, facts)["id"]
    facts["key_id"] = _made(client, "/api/v1/keys", KEY, facts)["id"]
    today = {**EVENT, "id": "{event_id}-now", "time": None}
    _made(client, "/api/v1/events", [EVENT, today], facts)
    _made(client, "/api/v1/features", FEATURE, facts)
    owned = f"/api/v1/subjects/{facts['subject']}/entitlements"
    facts["entitlement_id"] = _made(client, owned, ENTITLEMENT, facts)["id"]
    _made(client, f"{owned}/{facts['feature']}/consume", CONSUMPTION, facts)
    page = client.get("/api/v2/events", params={"limit": "1"}).raise_for_status().json()
    return {**facts, "cursor": page["nextCursor"]}


def _made(client: httpx.Client, path: str, body: Any, facts: Mapping[str, str]) -> Any:
    answer = client.post(path, json=_filled(body, facts)).raise_for_status()
    return answer.json() if answer.content else None


def _of_meter(**call: Any) -> list[Call]:
    """By slug and by id."""
    path: dict[str, str] = call.pop("path", {})
    return [
        Call(path={"meterIdOrSlug": meter, **path}, **call) for meter in ("{slug}", "{meter_id}")
    ]


def _of_entitlement(owner: str, **call: Any) -> list[Call]:
    """By the key of its feature and by its id."""
    return [
        Call(path={owner: "{subject}", "entitlementIdOrFeatureKey": name}, **call)
        for name in ("{feature}", "{entitlement_id}")
    ]


ALL_TIME: Final = {"from": "2000-01-01T00:00:00Z"}
OF_SUBJECT: Final = {"subject": ["{subject}"], "groupBy": ["subject", "g"]}
TELLING: Final = {"prefer": "return=representation"}

RECIPES: Final[dict[str, list[Call]]] = {
    "ingestEvents": [Call(body=EVENT, headers=TELLING), Call(body=[EVENT, EVENT], headers=TELLING)],
    "listEvents": [
        Call(),
        Call(query=ALL_TIME),
        Call(query={**ALL_TIME, "subject": "{subject}"}),
        Call(query={**ALL_TIME, "id": "{event_id}"}),
        Call(query={"customerId": "{meter_id}"}),
    ],
    "listEventsV2": [
        Call(),
        Call(query={"cursor": "{cursor}"}),
        Call(query={"filter": '{"subject": {"$eq": "{subject}"}}'}),
        Call(query={"filter": '{"id": {"$eq": "{event_id}"}}'}),
    ],
    "listMeters": [Call(), Call(query={"includeDeleted": "true"})],
    "getMeter": _of_meter(),
    "updateMeter": _of_meter(body={"name": "mine now", "groupBy": {"g": "$.other"}}),
    "deleteMeter": _of_meter(),
    "createMeter": [Call(body=METER), Call(body=METER)],
    "queryMeter": _of_meter(query={"subject": "{subject}", "groupBy": "g"}),
    "queryMeterPost": [*_of_meter(body=OF_SUBJECT), *_of_meter(body={})],
    "explainMeterQuery": _of_meter(body=OF_SUBJECT),
    "listMeterSubjects": _of_meter(),
    "listMeterGroupByValues": _of_meter(path={"groupByKey": "g"}, query=ALL_TIME),
    "getDebugMetrics": [Call()],
    "listCurrencies": [Call()],
    "getProgress": [Call(path={"id": "{meter_id}"})],
    "consumeEntitlement": _of_entitlement("subjectIdOrKey", body=CONSUMPTION),
    "consumeCustomerEntitlement": _of_entitlement("customerIdOrKey", body=CONSUMPTION),
    "createKey": [Call(body=KEY)],
    "listKeys": [Call(), Call(query={"includeRevoked": "true"})],
    "getKey": [Call(path={"keyId": "{key_id}"})],
    "revokeKey": [Call(path={"keyId": "{key_id}"})],
    "live": [Call()],
    "ready": [Call()],
    "metrics": [Call()],
    "version": [Call()],
}
