"""The shapes of features on the wire, and their conversions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monometer.api.openmeter.filters import FilterString, Ulid, filter_from_wire
from monometer.api.openmeter.meter_shapes import Metadata, Slug
from monometer.api.wire import STORABLE, Instant, instant_to_wire, left_out
from monometer.core.feature import TOKEN_TYPES
from monometer.core.feature import Feature as StoredFeature
from monometer.core.filter import Filter
from monometer.core.meter import GROUP_KEYS_MAX, KEY_CHARS_MAX, NAME_CHARS_MAX
from monometer.services.features import NewFeature

UNIT_COST_CHARS_MAX = 256

FEATURE_EXAMPLE: dict[str, Any] = {
    "key": "gpt4_tokens",
    "name": "GPT-4 tokens",
    "meterSlug": "tokens_total",
    "advancedMeterGroupByFilters": {"model": {"$in": ["gpt-4", "gpt-4o"]}},
    "metadata": {"team": "search"},
}


def _few_filters(filters: dict[str, Any]) -> dict[str, Any]:
    if len(filters) > GROUP_KEYS_MAX:
        raise ValueError(f"must not have more than {GROUP_KEYS_MAX} entries")
    return filters


Name = Annotated[str, Field(max_length=NAME_CHARS_MAX), STORABLE]
GroupKey = Annotated[str, Field(max_length=KEY_CHARS_MAX), STORABLE]
CostText = Annotated[str, Field(max_length=UNIT_COST_CHARS_MAX), STORABLE]
Numeric = Annotated[str, Field(max_length=UNIT_COST_CHARS_MAX, pattern=r"^-?[0-9]+(\.[0-9]+)?$")]


class FeatureOrderBy(StrEnum):
    ID = "id"
    KEY = "key"
    NAME = "name"
    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"


class FeatureManualUnitCost(BaseModel):
    """The same cost for each unit of usage."""

    type: Literal["manual"]
    amount: Numeric = Field(description="A decimal number, 0 or greater.", examples=["0.002"])


class FeatureLLMUnitCostPricing(BaseModel):
    """Prices of a model's tokens; this server has none."""

    inputPerToken: Numeric
    outputPerToken: Numeric
    cacheReadPerToken: Numeric = left_out()
    cacheWritePerToken: Numeric = left_out()
    reasoningPerToken: Numeric = left_out()


class FeatureLLMUnitCost(BaseModel):
    """The cost of a language model's tokens. Of each pair one is given: a value or a group key."""

    type: Literal["llm"]
    provider: CostText | None = None
    providerProperty: CostText | None = None
    model: CostText | None = None
    modelProperty: CostText | None = None
    tokenType: CostText | None = Field(None, description=f"One of {', '.join(TOKEN_TYPES)}.")
    tokenTypeProperty: CostText | None = None
    pricing: FeatureLLMUnitCostPricing = left_out()  # read-only


FeatureUnitCost = Annotated[FeatureManualUnitCost | FeatureLLMUnitCost, Field(discriminator="type")]


class FeatureCreateInputs(BaseModel):
    """What a feature is, and which usage counts against it."""

    model_config = ConfigDict(json_schema_extra={"examples": [FEATURE_EXAMPLE]})

    key: Slug
    name: Name
    metadata: Metadata | None = None
    meterSlug: Slug | None = Field(None, description="Without a meter there is no usage.")
    meterGroupByFilters: (
        Annotated[dict[GroupKey, Annotated[str, STORABLE]], AfterValidator(_few_filters)] | None
    ) = Field(None, deprecated=True, description="Group key → the one value that counts.")
    advancedMeterGroupByFilters: (
        Annotated[dict[GroupKey, FilterString], AfterValidator(_few_filters)] | None
    ) = Field(None, description="Group key → condition. An event must fulfil all.")
    unitCost: FeatureUnitCost | None = Field(None, description="Never changes a balance.")


class Feature(BaseModel):
    """A feature as it is kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **FEATURE_EXAMPLE,
                    "id": "01KDV7B0000000000000000000",
                    "createdAt": "2026-01-01T00:00:00.123456Z",
                    "updatedAt": "2026-01-01T00:00:00.123456Z",
                }
            ]
        }
    )

    id: Ulid
    key: Slug
    name: str
    createdAt: Instant
    updatedAt: Instant
    deletedAt: Instant | None = None
    archivedAt: Instant | None = None
    metadata: dict[str, str] | None = None
    meterSlug: Slug | None = None
    meterGroupByFilters: dict[str, str] | None = Field(
        None, deprecated=True, description="Only when every filter is `$eq`."
    )
    advancedMeterGroupByFilters: dict[str, FilterString] = left_out()
    unitCost: FeatureUnitCost = left_out()


class FeaturePaginatedResponse(BaseModel):
    totalCount: int
    page: int
    pageSize: int
    items: list[Feature]


ListFeaturesResult = list[Feature] | FeaturePaginatedResponse


def new_feature_from_wire(wire: FeatureCreateInputs) -> NewFeature:
    """Of the two kinds of filters, the advanced ones win when there are any."""
    simple: dict[str, Filter] = {
        name: {"$eq": value} for name, value in (wire.meterGroupByFilters or {}).items()
    }
    advanced = {
        name: filter_from_wire(one)
        for name, one in (wire.advancedMeterGroupByFilters or {}).items()
    }
    return NewFeature(
        key=wire.key,
        name=wire.name,
        meter_key=wire.meterSlug,
        filters=advanced or simple,
        unit_cost=None
        if wire.unitCost is None
        else wire.unitCost.model_dump(exclude_none=True, exclude={"pricing"}),
        metadata=wire.metadata,
    )


def feature_to_wire(feature: StoredFeature) -> dict[str, Any]:
    """Members that are unset, or empty, are left out."""
    optional = {
        "metadata": feature.metadata,
        "meterSlug": feature.meter and feature.meter.key,
        "meterGroupByFilters": _simple(feature.filters),
        "advancedMeterGroupByFilters": dict(sorted(feature.filters.items())),
        "unitCost": feature.unit_cost,
        "archivedAt": feature.archived_at and instant_to_wire(feature.archived_at),
    }
    return {
        "id": feature.id,
        "key": feature.key,
        "name": feature.name,
        "createdAt": instant_to_wire(feature.created_at),
        "updatedAt": instant_to_wire(feature.updated_at),
        **{name: value for name, value in optional.items() if value},
    }


def _simple(filters: Mapping[str, Filter]) -> dict[str, str] | None:
    """Group key → value, when every filter asks for one value; else None."""
    if any(one.keys() != {"$eq"} for one in filters.values()):
        return None
    return {name: one["$eq"] for name, one in sorted(filters.items())}
