"""Features, entitlements and grants of customers through PyPI openmeter 1.0.0b236.

Reads {baseUrl, ...story.json} as its argument, prints {step: {value} or {error}} as JSON. The
entitlements of subjects cannot be reached from this client.
"""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from corehttp.exceptions import HttpResponseError  # type: ignore[import-not-found]
from openmeter import Client  # type: ignore[import-not-found]

story = json.loads(sys.argv[1])
client = Client(endpoint=story["baseUrl"])
given = story["entitling"]
feature, metered, customer = given["feature"], given["metered"], given["customer"]
key, who = feature["key"], customer["key"]
told: dict[str, Any] = {}


def plain(value: Any) -> Any:
    """The JSON a model came from: models read as mappings of wire names to wire values."""
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, list) else value


def step(name: str, call: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    try:
        value = call(*args, **keywords)
    except HttpResponseError as error:
        problem = plain(error.model) if error.model else error.response.json()
        told[name] = {
            "error": {
                "name": type(error).__name__,
                "status": error.status_code,
                "detail": problem.get("detail"),
            }
        }
        return None
    told[name] = {"value": plain(value)}
    return value


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the server's clock cannot be set


def use(subject: str, data: dict[str, Any]) -> None:
    event = {
        "specversion": "1.0", "id": f"{subject}{data}", "source": "s",
        "type": given["meter"]["eventType"], "subject": subject, "data": data,
    }  # fmt: skip
    client.events.ingest_event(event)


def features() -> None:
    client.meters.create(given["meter"])
    step("create feature", client.features.create, feature)
    step("create feature again", client.features.create, feature)
    slugs = [given["meter"]["slug"]]
    step("features", client.features.list, meter_slug=slugs)
    step("features in pages", client.features.list, page=1, page_size=1, meter_slug=slugs)
    step("feature", client.features.get, key)
    step("feature missing", client.features.get, f"{key}_missing")


def of_customer() -> None:
    all_, one = client.customer_entitlements_v2, client.customer_entitlement_v2
    step("create customer", client.customers.create, customer)
    made = step("customer create", all_.post, who, metered)
    step("customer create again", all_.post, who, metered)
    step("customer list", all_.list, who)
    step("customer get", all_.get, who, key)
    use(customer["usageAttribution"]["subjectKeys"][0], given["used"])
    use(who, given["used"])
    use(who, given["unused"])
    step("customer value", one.get_customer_entitlement_value, who, key)
    step("customer value at", one.get_customer_entitlement_value, who, key, time=now())
    by_feature = client.customer_entitlement.get_customer_entitlement_value
    step("customer value v1", by_feature, who, key)
    step("customer value missing", by_feature, who, f"{key}_missing")
    step("access", client.customer.get_customer_access, who)
    minute = now().replace(second=0, microsecond=0).isoformat()
    grant = {"amount": 5, "effectiveAt": minute}
    granted = step("customer grant", one.create_customer_entitlement_grant, who, key, grant)
    step("customer grants", one.get_grants, who, key)
    step("customer history", one.get_customer_entitlement_history, who, key, window_size="DAY")
    step("get by id", client.entitlements.get, made["id"])
    step("all entitlements", client.entitlements.list, feature=[key])
    step("all grants", client.grants.list, feature=[key])
    step("all entitlements v2", client.entitlements_v2.list, customer_keys=[who])
    step("entitlement v2", client.entitlements_v2.get, made["id"])
    step("all grants v2", client.grants_v2.list, customer=[who])
    step("void v2", client.grants.delete, granted["id"])
    step(
        "customer reset in the same minute",
        one.reset_customer_entitlement, who, key, {"effectiveAt": plain(made)["lastReset"]},
    )  # fmt: skip
    step("customer override", all_.override, who, key, {**metered, "issueAfterReset": 5})
    step("delete customer in use", client.customers.delete, who)
    step("customer delete", all_.delete, who, key)
    step("delete customer", client.customers.delete, who)


features()
of_customer()
step("delete feature", client.features.delete, key)
step("feature deleted", client.features.get, key)
sys.stdout.write(json.dumps(told))
