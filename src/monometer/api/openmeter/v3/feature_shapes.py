"""The shapes of features in v3, and their conversions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from monometer.api.openmeter.feature_shapes import CostText, Numeric
from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.meter_shapes import Description, Name, Slug
from monometer.api.openmeter.v3.dimension_filters import filter_from_wire, filter_to_wire
from monometer.api.openmeter.v3.filters import StringFilter, UlidFilter
from monometer.api.openmeter.v3.meter_shapes import Labels
from monometer.api.openmeter.v3.paging import PaginatedMeta
from monometer.api.openmeter.v3.query_shapes import FILTERS_MAX, QueryFilterStringMapItem
from monometer.api.wire import STORABLE, Instant, instant_to_wire, left_out
from monometer.core.feature import Feature as StoredFeature
from monometer.core.meter import DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX, texts_of
from monometer.services.features import NewFeature

FEATURE_EXAMPLE: dict[str, Any] = {
    "key": "gpt4_tokens",
    "name": "GPT-4 tokens",
    "description": "Tokens of every GPT-4 model",
    "meter": {
        "id": "01KDV7B0000000000000000001",
        "filters": {"model": {"in": ["gpt-4", "gpt-4o"]}},
    },
    "unit_cost": {"type": "manual", "amount": "0.002"},
    "labels": {"team": "search"},
}

# v3's word → the first version's, in which costs are kept.
_COST_NAMES = {
    "type": "type",
    "amount": "amount",
    "provider": "provider",
    "provider_property": "providerProperty",
    "model": "model",
    "model_property": "modelProperty",
    "token_type": "tokenType",
    "token_type_property": "tokenTypeProperty",
}


class BillingFeatureManualUnitCost(BaseModel):
    """The same cost for each unit of usage, in US dollars."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["manual"]
    amount: Numeric = Field(description="A decimal number, 0 or greater.", examples=["0.002"])


class BillingFeatureLLMTokenType(StrEnum):
    INPUT = "input"
    OUTPUT = "output"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    REASONING = "reasoning"
    REQUEST = "request"
    RESPONSE = "response"


class BillingFeatureLLMUnitCostPricing(BaseModel):
    """Prices of a model's tokens; this server has none."""

    model_config = ConfigDict(extra="forbid")

    input_per_token: Numeric
    output_per_token: Numeric
    cache_read_per_token: Numeric = left_out()
    reasoning_per_token: Numeric = left_out()
    cache_write_per_token: Numeric = left_out()


class BillingFeatureLLMUnitCost(BaseModel):
    """The cost of a language model's tokens. Of each pair one is given: a value or a dimension."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["llm"]
    provider_property: CostText | None = None
    provider: CostText | None = None
    model_property: CostText | None = None
    model: CostText | None = None
    token_type_property: CostText | None = None
    token_type: BillingFeatureLLMTokenType | None = None
    pricing: BillingFeatureLLMUnitCostPricing = left_out()  # read-only


BillingFeatureUnitCost = Annotated[
    BillingFeatureManualUnitCost | BillingFeatureLLMUnitCost, Field(discriminator="type")
]


class FeatureMeterReference(BaseModel):
    """Whose usage counts, and which of it."""

    model_config = ConfigDict(extra="forbid")

    id: Ulid
    filters: (
        Annotated[
            dict[Annotated[str, STORABLE], QueryFilterStringMapItem],
            Field(max_length=FILTERS_MAX),
        ]
        | None
    ) = Field(None, description="Dimension → condition. An event must fulfil all.")


class UpdateFeatureRequest(BaseModel):
    """What of a feature may change. What is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"unit_cost": {"type": "manual", "amount": "0.002"}}]},
    )

    unit_cost: BillingFeatureUnitCost | None = Field(None, description="null takes it away.")


class CreateFeatureRequest(BaseModel):
    """What a feature is, and which usage counts against it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [FEATURE_EXAMPLE]})

    name: Name
    description: Description | None = None
    labels: Labels | None = None
    key: Slug
    meter: FeatureMeterReference | None = Field(
        None, description="Without a meter there is no usage."
    )
    unit_cost: BillingFeatureUnitCost | None = Field(None, description="Never changes a balance.")


class FeatureV3(BaseModel):
    """A feature as it is kept. Members that are unset are left out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **FEATURE_EXAMPLE,
                    "id": "01KDV7B0000000000000000000",
                    "created_at": "2026-01-01T00:00:00.123456Z",
                    "updated_at": "2026-01-01T00:00:00.123456Z",
                }
            ]
        }
    )

    id: Ulid
    name: str = Field(max_length=NAME_CHARS_MAX)
    description: str | None = Field(None, max_length=DESCRIPTION_CHARS_MAX)
    labels: dict[str, str] | None = Field(
        None, description="Metadata of the first version as it is, whatever its form."
    )
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None = None
    key: Slug
    meter: FeatureMeterReference = left_out()
    unit_cost: BillingFeatureUnitCost = left_out()


class FeaturePagePaginatedResponse(BaseModel):
    data: list[FeatureV3]
    meta: PaginatedMeta


class ListFeatureParamsFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    meter_id: UlidFilter | None = None
    key: StringFilter | None = None
    name: StringFilter | None = None


def new_feature_from_wire(wire: CreateFeatureRequest) -> NewFeature:
    """Raises InvalidParameters for a condition that contradicts itself."""
    filters = (wire.meter and wire.meter.filters) or {}
    return NewFeature(
        key=wire.key,
        name=wire.name,
        description=wire.description,
        meter_key=None if wire.meter is None else wire.meter.id.upper(),
        filters={
            name: filter_from_wire(one, f"meter.filters.{name}") for name, one in filters.items()
        },
        unit_cost=unit_cost_from_wire(wire.unit_cost),
        metadata=wire.labels,
    )


def unit_cost_from_wire(
    wire: BillingFeatureManualUnitCost | BillingFeatureLLMUnitCost | None,
) -> dict[str, Any] | None:
    if wire is None:
        return None
    members = wire.model_dump(mode="json", exclude_none=True, exclude={"pricing"})
    return {_COST_NAMES[name]: value for name, value in members.items()}


def feature_to_wire(feature: StoredFeature) -> dict[str, Any]:
    optional = {
        "description": feature.description,
        "labels": texts_of(feature.metadata),
        "deleted_at": feature.archived_at and instant_to_wire(feature.archived_at),
        "meter": _meter_to_wire(feature),
        "unit_cost": feature.unit_cost and _unit_cost_to_wire(feature.unit_cost),
    }
    return {
        "id": feature.id,
        "key": feature.key,
        "name": feature.name,
        "created_at": instant_to_wire(feature.created_at),
        "updated_at": instant_to_wire(feature.updated_at),
        **{name: value for name, value in optional.items() if value},
    }


def _meter_to_wire(feature: StoredFeature) -> dict[str, Any] | None:
    if feature.meter is None:
        return None
    filters = {name: filter_to_wire(one) for name, one in sorted(feature.filters.items())}
    return {"id": feature.meter.id, **({"filters": filters} if filters else {})}


def _unit_cost_to_wire(cost: Mapping[str, Any]) -> dict[str, Any]:
    return {name: cost[kept] for name, kept in _COST_NAMES.items() if kept in cost}
