"""The shapes of customers' entitlements on the wire of v2, and their conversions."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from monometer.api.openmeter.entitlement_inputs import (
    METERED_EXAMPLE,
    EntitlementBooleanCreateInputs,
    EntitlementStaticCreateInputs,
    MeteredCreateInputs,
    new_metered_from_wire,
    new_of,
    new_unmetered_from_wire,
)
from monometer.api.openmeter.entitlement_shapes import (
    KEPT_EXAMPLE,
    KeptBoolean,
    KeptMetered,
    KeptStatic,
    kept_to_wire,
)
from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.grant_shapes import (
    EntitlementGrantCreateInputV2,
    Priority,
    new_grant_from_wire_v2,
)
from monometer.api.wire import NotNegative, left_out, number_to_wire
from monometer.core.entitled import Entitled
from monometer.core.entitlement import Metered
from monometer.services.new_entitlements import NewEntitlement

GRANTS_MAX = 100  # of a request


class IssueAfterReset(BaseModel):
    """The balance that every reset restores."""

    amount: NotNegative
    priority: Priority | None = Field(None, description="Left out, 1.")


class IssuedAfterReset(BaseModel):
    amount: NotNegative
    priority: Priority = left_out()


class EntitlementMeteredV2CreateInputs(MeteredCreateInputs):
    """Credit that usage burns down."""

    model_config = ConfigDict(json_schema_extra={"examples": [METERED_EXAMPLE]})

    issue: IssueAfterReset | None = Field(None, description="Wins over issueAfterReset.")
    grants: list[EntitlementGrantCreateInputV2] | None = Field(
        None, max_length=GRANTS_MAX, description="Given at once; not together with issue."
    )


EntitlementV2CreateInputs = Annotated[
    EntitlementMeteredV2CreateInputs
    | EntitlementStaticCreateInputs
    | EntitlementBooleanCreateInputs,
    Field(discriminator="type"),
]


class EntitlementMeteredV2(KeptMetered):
    """A metered entitlement as it is kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**KEPT_EXAMPLE, "customerId": "01KDV780000000000000000000"}]
        }
    )

    customerId: Ulid
    customerKey: str = left_out()
    issue: IssuedAfterReset = left_out()


class EntitlementStaticV2(KeptStatic):
    """A static entitlement as it is kept."""

    customerId: Ulid
    customerKey: str = left_out()


class EntitlementBooleanV2(KeptBoolean):
    """A boolean entitlement as it is kept."""

    customerId: Ulid
    customerKey: str = left_out()


EntitlementV2 = Annotated[
    EntitlementMeteredV2 | EntitlementStaticV2 | EntitlementBooleanV2, Field(discriminator="type")
]


class EntitlementV2PaginatedResponse(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "totalCount": 1,
                    "page": 1,
                    "pageSize": 100,
                    "items": [{**KEPT_EXAMPLE, "customerId": "01KDV780000000000000000000"}],
                }
            ]
        }
    )

    totalCount: int
    page: int
    pageSize: int
    items: list[EntitlementV2]


def new_entitlement_from_wire_v2(
    wire: EntitlementMeteredV2CreateInputs
    | EntitlementStaticCreateInputs
    | EntitlementBooleanCreateInputs,
) -> NewEntitlement:
    """Raises InvalidInput."""
    if not isinstance(wire, EntitlementMeteredV2CreateInputs):
        return new_unmetered_from_wire(wire)
    terms = new_metered_from_wire(wire)
    if wire.issue is not None:
        terms = replace(
            terms,
            issue_after_reset=wire.issue.amount,
            issue_after_reset_priority=wire.issue.priority,
        )
    given = tuple(new_grant_from_wire_v2(one) for one in wire.grants or ())
    return new_of(wire, replace(terms, grants=given))


def entitlement_to_wire_v2(found: Entitled, now: datetime) -> dict[str, Any]:
    wire = kept_to_wire(found, now)
    wire["customerId"] = found.entitlement.customer_id
    if found.customer_key is not None:
        wire["customerKey"] = found.customer_key
    terms = found.entitlement.terms
    if isinstance(terms, Metered):
        wire["issue"] = {"amount": number_to_wire(terms.issue_after_reset)}
        if terms.issue_after_reset_priority is not None:
            wire["issue"]["priority"] = terms.issue_after_reset_priority
    return wire
