"""The usage of a feature: its meter's, of the events that pass every filter."""

from datetime import UTC, datetime
from typing import Any

from monometer.core.aggregation import Aggregation
from monometer.core.evaluation import facts_of, holds
from monometer.core.event import Event, StoredEvent
from monometer.core.feature import Feature
from monometer.core.meter import Meter

AT = datetime(2024, 6, 15, tzinfo=UTC)
METER = Meter(
    namespace="n", id="m", key="tokens", name="Tokens", description=None,
    aggregation=Aggregation.SUM, event_type="prompt", event_from=None, value_property="$.tokens",
    group_by={"model": "$.model", "kind": "$.kind"}, metadata=None, annotations=None,
    created_at=AT, updated_at=AT, deleted_at=None,
)  # fmt: skip


def feature(meter: Meter | None, **filters: Any) -> Feature:
    return Feature(
        namespace="n", id="f", key="f", name="F", description=None, meter=meter, filters=filters,
        unit_cost=None, metadata=None, created_at=AT, updated_at=AT, archived_at=None,
    )  # fmt: skip


def counts(one: Feature, data: str) -> bool:
    event = Event(
        namespace="n", id="1", source="s", type="prompt", subject="x", time=AT, data=data,
        ingested_at=AT,
    )  # fmt: skip
    measure = one.measure()
    assert measure is not None
    return holds(measure.where, facts_of(StoredEvent(event, AT)))


def test_feature_without_a_meter_has_no_usage() -> None:
    assert feature(None).measure() is None


def test_feature_without_filters_has_the_meters_own_measure() -> None:
    assert feature(METER).measure() == METER.measure()


def test_event_must_pass_every_filter() -> None:
    one = feature(METER, model={"$in": ["a", "b"]}, kind={"$ne": "x"})
    assert counts(one, '{"model": "a", "kind": "y"}')
    assert not counts(one, '{"model": "a", "kind": "x"}')
    assert not counts(one, '{"model": "c", "kind": "y"}')


def test_group_key_that_the_meter_has_lost_reads_as_absent() -> None:
    assert not counts(feature(METER, lost={"$eq": "a"}), '{"lost": "a"}')
    assert counts(feature(METER, lost={"$ne": "a"}), '{"lost": "a"}')
