"""Features, entitlements and grants through PyPI openmeter 1.0.0b185.

Reads {baseUrl, ...story.json} as its argument, prints {step: {value} or {error}} as JSON.
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import HttpResponseError  # type: ignore[import-not-found]
from openmeter import Client  # type: ignore[import-not-found]

story = json.loads(sys.argv[1])
client = Client(endpoint=story["baseUrl"])
given = story["entitling"]
feature, metered, subject = given["feature"], given["metered"], given["subject"]
key = feature["key"]
told: dict[str, Any] = {}


def step(name: str, call: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    try:
        value = call(*args, **keywords)
    except HttpResponseError as error:
        detail = error.response.json().get("detail")
        told[name] = {
            "error": {"name": type(error).__name__, "status": error.status_code, "detail": detail}
        }
        return None
    told[name] = {"value": value}
    return value


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the server's clock cannot be set


def grant(effective_at: str) -> dict[str, Any]:
    return {**given["grant"], "effectiveAt": effective_at}


def use(data: dict[str, Any]) -> None:
    event = {
        "specversion": "1.0", "id": str(data), "source": "s", "type": given["meter"]["eventType"],
        "subject": subject, "data": data,
    }  # fmt: skip
    client.ingest_events(event)


def features() -> None:
    client.create_meter(given["meter"])
    step("create feature", client.create_feature, feature)
    step("create feature again", client.create_feature, feature)
    step(
        "features in pages", client.list_features, page_size=1, meter_slug=[given["meter"]["slug"]]
    )
    step("feature", client.get_feature, key)
    step("feature missing", client.get_feature, f"{key}_missing")


def entitlements() -> None:
    made = step("create", client.create_entitlement, subject, metered)
    step("create again", client.create_entitlement, subject, metered)
    step("list", client.list_subject_entitlements, subject)
    step("get", client.get_entitlement, subject, key)
    step("get by id", client.get_entitlement_by_id, made["id"])
    step("get missing", client.get_entitlement, subject, f"{key}_missing")
    use(given["used"])
    use(given["unused"])
    step("value", client.get_entitlement_value, subject, key)
    step("value at", client.get_entitlement_value, subject, key, time=now())
    minute = now().replace(second=0, microsecond=0).isoformat()
    granted = step("grant", client.create_grant, subject, key, grant(minute))
    step("grant long ago", client.create_grant, subject, key, grant(given["longAgo"]))
    step("grants", client.list_entitlement_grants, subject, key)
    step("history", client.get_entitlement_history, subject, key, window_size="HOUR")
    step("all grants in pages", client.list_grants, subject=[subject])
    step("all entitlements in pages", client.list_entitlements, subject=[subject])
    step("void", client.void_grant, granted["id"])
    step("void again", client.void_grant, granted["id"])
    step("value after void", client.get_entitlement_value, subject, key)
    step(
        "reset in the same minute",
        client.reset_entitlement_usage, subject, key, {"effectiveAt": made["lastReset"]},
    )  # fmt: skip
    less = {**metered, "issueAfterReset": 5}
    step("override", client.override_entitlement, subject, key, less)
    step("value after override", client.get_entitlement_value, subject, key)
    step("delete", client.delete_entitlement, subject, key)
    step("delete again", client.delete_entitlement, subject, key)


features()
entitlements()
step("delete feature", client.delete_feature, key)
step("feature deleted", client.get_feature, key)
sys.stdout.write(json.dumps(told))
