"""The shapes of meters on the wire, and their conversions."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from monometer.api.openmeter.filters import Ulid
from monometer.api.wire import STORABLE, Instant, instant_to_wire
from monometer.core.aggregation import Aggregation
from monometer.core.meter import (
    DESCRIPTION_CHARS_MAX,
    EVERY_TYPE,
    KEY_CHARS_MAX,
    KEY_PATTERN,
    NAME_CHARS_MAX,
    texts_of,
)
from monometer.core.meter import (
    Meter as StoredMeter,
)
from monometer.services.catalog import MeterChange, NewMeter

PATH_CHARS_MAX = 1024
METADATA_ENTRIES_MAX = 100
METADATA_CHARS_MAX = 1024

METER_EXAMPLE: dict[str, Any] = {
    "slug": "tokens_total",
    "name": "Tokens",
    "description": "Tokens used by prompts",
    "eventType": "prompt",
    "aggregation": "SUM",
    "valueProperty": "$.tokens",
    "groupBy": {"model": "$.model", "type": "$.type"},
}


def _few_entries(entries: dict[str, str]) -> dict[str, str]:
    if len(entries) > METADATA_ENTRIES_MAX:
        raise ValueError(f"must not have more than {METADATA_ENTRIES_MAX} entries")
    return entries


Path = Annotated[str, Field(min_length=1, max_length=PATH_CHARS_MAX), STORABLE]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX), STORABLE]
Description = Annotated[str, Field(min_length=1, max_length=DESCRIPTION_CHARS_MAX), STORABLE]
Short = Annotated[str, Field(max_length=METADATA_CHARS_MAX), STORABLE]
Metadata = Annotated[dict[Short, Short], AfterValidator(_few_entries)]
Slug = Annotated[str, Field(min_length=1, max_length=KEY_CHARS_MAX, pattern=KEY_PATTERN)]
GroupBy = Annotated[
    dict[Annotated[str, Field(max_length=KEY_CHARS_MAX), STORABLE], Path],
    Field(description="Group key → JSONPath into an event's data."),
]


class MeterAggregation(StrEnum):
    SUM = "SUM"
    COUNT = "COUNT"
    UNIQUE_COUNT = "UNIQUE_COUNT"
    AVG = "AVG"
    MIN = "MIN"
    MAX = "MAX"
    LATEST = "LATEST"


class MeterOrderBy(StrEnum):
    KEY = "key"
    NAME = "name"
    AGGREGATION = "aggregation"
    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"


class SortOrder(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


class MeterUpdate(BaseModel):
    """The whole of a meter's free part: what is left out is reset, but for the description."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Tokens", "groupBy": {"model": "$.model"}}]}
    )

    description: Description | None = None
    metadata: Metadata | None = None
    name: Name | None = Field(None, description="By default the slug.")
    groupBy: GroupBy | None = None


class MeterCreate(MeterUpdate):
    """What a meter takes from events, and how it adds that up."""

    model_config = ConfigDict(json_schema_extra={"examples": [METER_EXAMPLE]})

    slug: Slug
    aggregation: MeterAggregation
    eventType: Annotated[str, Field(min_length=1, max_length=PATH_CHARS_MAX), STORABLE]
    eventFrom: Instant | None = Field(None, description="Earlier events do not count.")
    valueProperty: Path | None = Field(
        None, description="JSONPath of the value; not for COUNT, needed by the others."
    )


class Meter(BaseModel):
    """A meter as it is kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **METER_EXAMPLE,
                    "id": "01KDV7B0000000000000000000",
                    "metadata": None,
                    "annotations": None,
                    "createdAt": "2026-01-01T00:00:00.123456Z",
                    "updatedAt": "2026-01-01T00:00:00.123456Z",
                }
            ]
        }
    )

    id: Ulid
    description: str | None = Field(None, max_length=DESCRIPTION_CHARS_MAX)
    metadata: dict[str, str] | None = None
    createdAt: Instant
    updatedAt: Instant
    deletedAt: Instant | None = None
    name: str = Field(min_length=1, max_length=NAME_CHARS_MAX)
    slug: Slug
    aggregation: MeterAggregation
    eventType: str = Field(min_length=1)
    eventFrom: Instant | None = None
    valueProperty: str | None = Field(None, min_length=1)
    groupBy: dict[str, str] | None = None
    annotations: dict[str, Any] | None = None
    windowSize: Annotated[
        str, WithJsonSchema({"type": "string", "enum": ["MINUTE"], "deprecated": True})
    ] = Field("MINUTE", description="For clients of early versions, which need it.")


def new_meter_from_wire(wire: MeterCreate) -> NewMeter:
    return NewMeter(
        key=wire.slug,
        aggregation=Aggregation(wire.aggregation),
        event_type=wire.eventType,
        name=wire.name,
        description=wire.description,
        event_from=wire.eventFrom,
        value_property=wire.valueProperty,
        group_by=wire.groupBy or {},
        metadata=wire.metadata,
    )


def meter_change_from_wire(wire: MeterUpdate) -> MeterChange:
    return MeterChange(
        name=wire.name,
        description=wire.description,
        group_by=wire.groupBy or {},
        metadata=wire.metadata,
    )


def meter_to_wire(meter: StoredMeter) -> dict[str, Any]:
    """`metadata` and `annotations` are null when unset; other unset members are left out.

    Of a meter that another dialect defines, event type and value property tell what they can.
    """
    instants = {
        "createdAt": meter.created_at,
        "updatedAt": meter.updated_at,
        "deletedAt": meter.deleted_at,
        "eventFrom": meter.event_from,
    }
    optional = {
        "description": meter.description,
        "valueProperty": meter.value_property,
        "groupBy": dict(sorted(meter.group_by.items())) or None,
        **{name: at and instant_to_wire(at) for name, at in instants.items()},
    }
    return {
        "id": meter.id,
        "slug": meter.key,
        "name": meter.name,
        "aggregation": meter.aggregation.value,
        "eventType": meter.event_type or EVERY_TYPE,
        "windowSize": "MINUTE",
        "metadata": texts_of(meter.metadata),
        "annotations": meter.annotations,
        **{name: value for name, value in optional.items() if value is not None},
    }
