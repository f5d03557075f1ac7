from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.support.events import event, stored

from monometer.core.aggregation import Aggregation
from monometer.core.evaluation import facts_of
from monometer.core.meter import Meter
from monometer.core.validation import problems

BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)


def meter(aggregation: Aggregation = Aggregation.SUM, event_type: str = "call") -> Meter:
    return Meter(
        namespace="ns",
        id="1",
        key="k",
        name="k",
        description=None,
        aggregation=aggregation,
        event_type=event_type,
        event_from=None,
        value_property=None if aggregation is Aggregation.COUNT else "$.v",
        group_by={},
        metadata=None,
        annotations=None,
        created_at=BEGINNING,
        updated_at=BEGINNING,
        deleted_at=None,
    )


def told(data: str | None, *meters: Meter) -> list[str]:
    return problems(facts_of(stored(event(data=data))), meters)


@pytest.mark.parametrize("v", ["1", "1e999", '"1"', '"1e3"', '".5"'])
def test_a_number_is_fine(v: str) -> None:
    assert told(f'{{"v": {v}}}', meter()) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "null and missing value property"),
        ("null", "null and missing value property"),
        ("{}", 'missing value property: "$.v"'),
        ('{"v": null}', "value cannot be null"),
        ('{"v": {}}', "unsupported value property type: map[string]interface {}"),
        ('{"v": []}', "unsupported value property type: []interface {}"),
        ('{"v": true}', "unsupported value property type: bool"),
        ('{"v": "NaN"}', "value cannot be NaN"),
        ('{"v": "nan"}', "value cannot be NaN"),
        ('{"v": "-Inf"}', "value cannot be infinity"),
        ('{"v": "Infinity"}', "value cannot be infinity"),
        ('{"v": "1,5"}', "value cannot be parsed as float64: 1,5"),
        ('{"v": ""}', "value cannot be parsed as float64: "),
        ('{"v": " 1"}', "value cannot be parsed as float64:  1"),
    ],
)
def test_a_meter_says_what_it_cannot_use(data: str | None, message: str) -> None:
    assert told(data, meter()) == [f"invalid event: {message}"]


def test_an_event_nobody_measures_says_so() -> None:
    assert told("{}", meter(event_type="other")) == ["no meter found for event type: call"]
    assert told("{}") == ["no meter found for event type: call"]


def test_counting_needs_no_value() -> None:
    assert told(None, meter(Aggregation.COUNT)) == []


@pytest.mark.parametrize("v", ['"a"', "true", "1", '""'])
def test_any_scalar_can_be_told_from_another(v: str) -> None:
    assert told(f'{{"v": {v}}}', meter(Aggregation.UNIQUE_COUNT)) == []


def test_each_meter_of_the_type_has_its_say() -> None:
    count, total, unique = (
        meter(one) for one in (Aggregation.COUNT, Aggregation.SUM, Aggregation.UNIQUE_COUNT)
    )
    assert len(told('{"v": "many"}', count, total, unique, meter(event_type="other"))) == 1
    assert len(told('{"v": null}', count, total, unique)) == 2


def test_a_defined_meter_takes_only_what_it_can_use() -> None:
    definition = {
        "dialect": "polar",
        "filter": {"conjunction": "and", "clauses": []},
        "aggregation": {"func": "sum", "property": "v"},
    }
    of_every_type = replace(meter(), event_type=None, definition=definition)
    assert told('{"v": 1}', of_every_type) == []
    assert told('{"v": "1"}', of_every_type) == ["no meter found for event type: call"]
    assert told('{"v": "1"}', of_every_type, meter()) == []
