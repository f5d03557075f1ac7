"""The shapes of meters in v3, and their conversions."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monometer.api.openmeter.filters import Ulid
from monometer.api.openmeter.meter_shapes import (
    METADATA_CHARS_MAX,
    PATH_CHARS_MAX,
    Description,
    GroupBy,
    Name,
    Path,
    Slug,
)
from monometer.api.openmeter.v3.filters import StringFilter
from monometer.api.openmeter.v3.paging import PaginatedMeta
from monometer.api.openmeter.v3.parameters import wrong
from monometer.api.wire import STORABLE, Instant, instant_to_wire
from monometer.core.aggregation import Aggregation
from monometer.core.meter import DESCRIPTION_CHARS_MAX, EVERY_TYPE, NAME_CHARS_MAX, texts_of
from monometer.core.meter import Meter as StoredMeter
from monometer.services.catalog import MeterChange, NewMeter

LABELS_MAX = 50
LABEL_CHARS_MAX = 63
LABEL_PATTERN = r"^[a-z0-9A-Z]([a-z0-9A-Z._-]*[a-z0-9A-Z])?$"

METER_EXAMPLE: dict[str, Any] = {
    "key": "tokens_total",
    "name": "Tokens",
    "description": "Tokens used by prompts",
    "event_type": "prompt",
    "aggregation": "sum",
    "value_property": "$.tokens",
    "dimensions": {"model": "$.model", "type": "$.type"},
    "labels": {"team": "search"},
}


def _few_labels(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > LABELS_MAX:
        raise ValueError(f"must not have more than {LABELS_MAX} labels")
    return labels


Labels = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=METADATA_CHARS_MAX), STORABLE],
        Annotated[str, Field(min_length=1, max_length=LABEL_CHARS_MAX, pattern=LABEL_PATTERN)],
    ],
    AfterValidator(_few_labels),
    Field(description="The first version's metadata."),
]


class MeterAggregationV3(StrEnum):
    SUM = "sum"
    COUNT = "count"
    UNIQUE_COUNT = "unique_count"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    LATEST = "latest"


class UpdateMeterRequest(BaseModel):
    """The whole of a meter's free part: what is left out is cleared, but for the description."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "Tokens", "dimensions": {"model": "$.model"}}],
        },
    )

    name: Name | None = Field(None, description="Needed.")
    description: Description | None = None
    labels: Labels | None = None
    dimensions: GroupBy | None = None


class CreateMeterRequest(BaseModel):
    """What a meter takes from events, and how it adds that up."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [METER_EXAMPLE]})

    name: Name
    description: Description | None = None
    labels: Labels | None = None
    key: Slug
    aggregation: MeterAggregationV3
    event_type: Annotated[str, Field(min_length=1, max_length=PATH_CHARS_MAX), STORABLE]
    events_from: Instant | None = Field(None, description="Earlier events do not count.")
    value_property: Path | None = Field(
        None, description="JSONPath of the value; not for count, needed by the others."
    )
    dimensions: GroupBy | None = None


class MeterV3(BaseModel):
    """A meter as it is kept. Members that are unset are left out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **METER_EXAMPLE,
                    "id": "01KDV7B0000000000000000000",
                    "created_at": "2026-01-01T00:00:00.123456Z",
                    "updated_at": "2026-01-01T00:00:00.123456Z",
                }
            ]
        }
    )

    id: Ulid
    name: str = Field(min_length=1, max_length=NAME_CHARS_MAX)
    description: str | None = Field(None, max_length=DESCRIPTION_CHARS_MAX)
    labels: dict[str, str] | None = Field(
        None, description="Metadata of the first version as it is, whatever its form."
    )
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None = None
    key: Slug
    aggregation: MeterAggregationV3
    event_type: str = Field(min_length=1)
    events_from: Instant | None = None
    value_property: str | None = Field(None, min_length=1)
    dimensions: dict[str, str] | None = None


class MeterPagePaginatedResponse(BaseModel):
    data: list[MeterV3]
    meta: PaginatedMeta


class ListMetersParamsFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: StringFilter | None = None
    name: StringFilter | None = None


def new_meter_from_wire(wire: CreateMeterRequest) -> NewMeter:
    return NewMeter(
        key=wire.key,
        aggregation=Aggregation(wire.aggregation.upper()),
        event_type=wire.event_type,
        name=wire.name,
        description=wire.description,
        event_from=wire.events_from,
        value_property=wire.value_property,
        group_by=wire.dimensions or {},
        metadata=wire.labels,
    )


def meter_change_from_wire(wire: UpdateMeterRequest) -> MeterChange:
    """Raises InvalidParameters without a name, which the contract leaves to the server to need."""
    if wire.name is None:
        raise wrong("name", "is required", rule="required")
    return MeterChange(
        name=wire.name,
        description=wire.description,
        group_by=wire.dimensions or {},
        metadata=wire.labels,
    )


def meter_to_wire(meter: StoredMeter) -> dict[str, Any]:
    optional = {
        "description": meter.description,
        "labels": texts_of(meter.metadata),
        "deleted_at": meter.deleted_at and instant_to_wire(meter.deleted_at),
        "events_from": meter.event_from and instant_to_wire(meter.event_from),
        "value_property": meter.value_property,
        "dimensions": dict(sorted(meter.group_by.items())),
    }
    return {
        "id": meter.id,
        "key": meter.key,
        "name": meter.name,
        "aggregation": meter.aggregation.lower(),
        "event_type": meter.event_type or EVERY_TYPE,
        "created_at": instant_to_wire(meter.created_at),
        "updated_at": instant_to_wire(meter.updated_at),
        **{name: value for name, value in optional.items() if value},
    }
