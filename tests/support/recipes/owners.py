"""Subjects, customers and portal tokens."""

from typing import Any, Final

import httpx
from tests.support.recipes.call import Call, Facts, asking, each, made

NAMES: Final = ("customer_key", "customer_name", "customer_email")
SUBJECT: Final = {"key": "{subject}", "displayName": "Somebody"}
CUSTOMER: Final = {
    "key": "{customer_key}",
    "name": "{customer_name}",
    "primaryEmail": "{customer_email}@example.com",
    "usageAttribution": {"subjectKeys": ["{subject}"]},
}
TOKEN: Final = {"subject": "{subject}", "allowedMeterSlugs": ["{slug}"]}


def fill(client: httpx.Client, facts: Facts) -> None:
    (subject,) = made(client, "/api/v1/subjects", [SUBJECT], facts)
    facts["subject_id"] = subject["id"]
    facts["customer_id"] = made(client, "/api/v1/customers", CUSTOMER, facts)["id"]
    facts["token_id"] = made(client, "/api/v1/portal/tokens", TOKEN, facts)["id"]
    made(client, "/api/v1/portal/tokens/invalidate", {"id": "of another party"}, facts)


def _of_subject(**call: Any) -> list[Call]:
    return each({"subjectIdOrKey": ("{subject}", "{subject_id}")}, **call)


def _of_customer(**call: Any) -> list[Call]:
    return each({"customerIdOrKey": ("{customer_key}", "{customer_id}")}, **call)


RECIPES: Final[dict[str, list[Call]]] = {
    "listSubjects": [Call()],
    "upsertSubject": [Call(body=[{**SUBJECT, "displayName": "Mine now"}])],
    "getSubject": _of_subject(),
    "deleteSubject": _of_subject(),
    "listCustomers": asking(
        {"key": "{customer_key}"},
        {"name": "{customer_name}"},
        {"primaryEmail": "{customer_email}"},
        {"subject": "{subject}"},
        {"includeDeleted": "true"},
    ),
    "createCustomer": [Call(body=CUSTOMER), Call(body=CUSTOMER)],
    "getCustomer": _of_customer(),
    "updateCustomer": _of_customer(body={**CUSTOMER, "name": "mine now"}),
    "deleteCustomer": _of_customer(),
    "createPortalToken": [Call(body=TOKEN), Call(body={"subject": "{subject}"})],
    "listPortalTokens": [Call()],
    "invalidatePortalTokens": [
        Call(body={"id": "{token_id}"}),
        Call(body={"subject": "{subject}"}),
        Call(body={}),
    ],
    # Asked with portal tokens for the same subject, each of the client's own namespace.
    "queryPortalMeter": each(
        {"meterSlug": ("{slug}", "{meter_id}")}, query={"filterCustomerId": "{customer_id}"}
    ),
}
