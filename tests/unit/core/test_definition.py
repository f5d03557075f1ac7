"""What a definition comes to: a type where one is demanded, a predicate and a value."""

from typing import Any

import pytest
from tests.support.polar import clause, every, some

from monometer.core.aggregation import Aggregation
from monometer.core.clauses import NOTHING, TIME
from monometer.core.definition import Defined, read
from monometer.core.errors import InvalidInput
from monometer.core.expression import EVERYTHING, Number
from monometer.core.jsonpath import parse
from monometer.core.meter import Measure
from monometer.store.cells import Kind, fingerprint
from monometer.store.projections import wanted_for

NAMED, OTHER = clause("name", "eq", "call"), clause("v", "eq", 1)


def defined(filter_: Any, **aggregation: str) -> Defined:
    return read(
        {"dialect": "polar", "filter": filter_, "aggregation": aggregation or {"func": "count"}}
    )


@pytest.mark.parametrize(
    ("filter_", "event_type"),
    [
        (every(NAMED), "call"),
        (some(NAMED), "call"),
        (every(every(some(NAMED)), OTHER), "call"),
        (every(), None),
        (every(OTHER), None),
        (some(NAMED, OTHER), None),
        (some(NAMED, NAMED), None),
        (every(clause("name", "ne", "call")), None),
        (every(clause("name", "like", "call")), None),
        (every(clause("name", "eq", 5)), None),
    ],
)
def test_a_type_that_is_demanded_in_any_case_is_the_event_type(
    filter_: Any, event_type: str | None
) -> None:
    assert defined(filter_).event_type == event_type


def test_nothing_is_left_of_a_filter_by_type_alone() -> None:
    assert defined(every(NAMED)).where == EVERYTHING


def test_a_value_is_a_number_strictly() -> None:
    says = defined(every(NAMED), func="sum", property="a.b c")
    assert says.aggregation is Aggregation.SUM
    assert says.value == Number(parse('$.a["b c"]'), strings=False)
    assert says.value_property == '$.a["b c"]'
    assert says.where != EVERYTHING  # other events are none of the meter's


def test_the_events_own_members_have_no_path() -> None:
    seconds = defined(every(), func="max", property="timestamp")
    assert (seconds.value, seconds.value_property) == (TIME, None)
    assert NOTHING in getattr(defined(every(), func="max", property="name").where, "of", ())
    assert defined(every(), func="unique", property="name").value_property == "$.name"


def test_a_meter_of_one_type_has_projections_and_one_of_all_has_none() -> None:
    def measure(filter_: Any) -> Measure:
        says = defined(filter_, func="sum", property="v")
        return Measure(
            aggregation=says.aggregation, event_type=says.event_type, value=says.value,
            where=says.where,
        )  # fmt: skip

    assert len(wanted_for("ns", measure(every(NAMED, OTHER)))) == 2
    assert wanted_for("ns", measure(every(OTHER))) == []
    one, another = measure(every(NAMED)), measure(every(NAMED, OTHER))
    assert fingerprint(Kind.GROUP, one) != fingerprint(Kind.GROUP, another)


def test_a_path_has_an_end() -> None:
    with pytest.raises(InvalidInput):
        defined(every(clause("." * 32, "eq", 1)))
