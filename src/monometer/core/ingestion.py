"""An ingestion: that an event was sent for an event schema, and what became of it.

Source: Togai's events, "statuses".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from monometer.core.definition import TOGAI
from monometer.core.evaluation import Facts, evaluate, holds
from monometer.core.expression import Expression, Predicate
from monometer.core.meter import Meter
from monometer.core.numbers import storable
from monometer.core.usage_meter import rules_of


class IngestionStatus(StrEnum):
    METERED = "INGESTION_COMPLETED_EVENT_METERED"
    NOT_METERED = "INGESTION_COMPLETED_EVENT_NOT_METERED"
    NO_MATCHING_METERS = "INGESTION_COMPLETED_NO_MATCHING_METERS"
    SCHEMA_NOT_DEFINED = "INGESTION_FAILED_SCHEMA_NOT_DEFINED"
    ACCOUNT_NOT_FOUND = "INGESTION_FAILED_ACCOUNT_NOT_FOUND"
    ENRICHMENT_FAILED = "INGESTION_FAILED_ENRICHMENT_FAILED"
    NO_EVENT_ID = "INGESTION_FAILED_NO_EVENT_ID"
    UNITS_INVALID = "INGESTION_FAILED_UNITS_INVALID"
    FAILED = "INGESTION_FAILED"
    DUPLICATE_EVENT = "INGESTION_FAILED_DUPLICATE_EVENT"
    INSUFFICIENT_CREDITS = "INGESTION_FAILED_INSUFFICIENT_CREDITS"

    @property
    def is_completed(self) -> bool:
        """Whether the event is stored, and counts for whichever meter takes it."""
        return self in _COMPLETED


_COMPLETED = frozenset(
    {IngestionStatus.METERED, IngestionStatus.NOT_METERED, IngestionStatus.NO_MATCHING_METERS}
)


class MeterUnits(NamedTuple):
    """What an event is for a meter of its schema; None where the meter does not take it."""

    meter_id: str
    name: str
    units: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestion:
    """`reference_id` is a ULID; later ones are greater. `event_id` None: there was none.

    `account` is the one that was found, else what the sender called it. `payload` is the event as
    it was written, with the id of a template. `enriched` are the fields that its schema has made:
    name, ATTRIBUTE or DIMENSION, and value. `schema_version` None: there was no such schema.
    """

    namespace: str
    reference_id: str
    event_id: str | None
    schema: str
    schema_version: int | None
    account: str
    time: datetime
    status: IngestionStatus
    description: str | None
    payload: Mapping[str, Any]
    units: Sequence[MeterUnits]
    enriched: Sequence[tuple[str, str, str]]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Metering:
    """A meter as far as one event needs it. `units` None is 1.

    `is_strict`: an event that passes must come to a number, or else it is invalid.
    """

    meter_id: str
    name: str
    passes: Predicate
    units: Expression | None
    is_strict: bool


def metering_of(meter: Meter) -> Metering:
    """Of a usage meter, or of one that another dialect has made."""
    written = meter.written_in(TOGAI)
    if written is None:
        measure = meter.measure()
        passes, units = measure.where, measure.value
    else:
        rules = rules_of(written)
        passes, units = rules.passes, rules.units
    return Metering(
        meter_id=meter.id,
        name=meter.name,
        passes=passes,
        units=units,
        is_strict=written is not None,
    )


def metered(meters: Sequence[Metering], facts: Facts) -> tuple[IngestionStatus, list[MeterUnits]]:
    """Invalid units for one meter are so for all: the event counts for none of them."""
    if not meters:
        return IngestionStatus.NO_MATCHING_METERS, []
    found: list[MeterUnits] = []
    for one in meters:
        units = Decimal(1) if holds(one.passes, facts) else None
        if units is not None and one.units is not None:
            value = evaluate(one.units, facts)
            units = value if isinstance(value, Decimal) and storable(value) else None
            if units is None and one.is_strict:
                return IngestionStatus.UNITS_INVALID, [MeterUnits(one.meter_id, one.name, None)]
        found.append(MeterUnits(one.meter_id, one.name, units))
    is_metered = any(one.units is not None for one in found)
    return (IngestionStatus.METERED if is_metered else IngestionStatus.NOT_METERED), found
