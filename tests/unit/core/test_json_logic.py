"""Rules of JSON-logic by example: what they come to on one event, and which are refused."""

from decimal import Decimal

import pytest
from tests.support.events import NOON, event, stored

from monometer.core.errors import InvalidInput
from monometer.core.evaluation import evaluate, facts_of, holds
from monometer.core.json_logic import DEPTH_MAX, number_of, parse, predicate_of

FACTS = facts_of(
    stored(
        event(
            subject="acme",
            time=NOON,
            data='{"attributes": {"bytes": 1.50, "calls": "3"}, "dimensions": {"region": "eu"},'
            ' "tokens": 7}',
        )
    )
)


@pytest.mark.parametrize(
    ("rule", "number"),
    [
        ("1", 1),
        ('{"var": "attributes.bytes"}', "1.5"),
        ('{"var": "attribute.calls"}', 3),
        ('{"var": ["attributes.none", 5]}', 5),
        ('{"var": "data.tokens"}', 7),
        ('{"if": [{"missing": ["attributes.bytes"]}, 0, {"var": "attributes.bytes"}]}', "1.5"),
        ('{"if": [{"missing": ["attributes.none"]}, 0, {"var": "attributes.bytes"}]}', 0),
        ('{"if": [{"missing_some": [1, ["attributes.none", "attributes.calls"]]}, 0, 1]}', 1),
        ('{"if": [{"missing_some": [2, ["attributes.none", "attributes.calls"]]}, 0, 1]}', 0),
        ('{"reduce": [[1, {"var": "attributes.calls"}], {"+": [{"var": "current"}, 1]}, 0]}', 4),
        ('{"+": [{"var": "attributes.bytes"}, {"var": "attributes.calls"}, "1"]}', "5.5"),
        ('{"+": [{"var": "attributes.bytes"}, {"var": "dimensions.region"}]}', None),
        ('{"/": [1, 3]}', "0.33333333333333333333"),
        ('{"/": [1, 0]}', None),
        ('{"-": [{"var": "attributes.bytes"}]}', "-1.5"),
        ('{"max": [1, {"var": "attributes.calls"}, 2]}', 3),
        ('{"log": 4}', 4),
        ('{"var": "data[\\"tokens\\"]"}', 7),
        ('{"duration.as": ["P1DT12H", "HOURS"]}', 36),
        ('{"duration.as": [{"duration.of": [90, "SECONDS"]}, "MINUTES"]}', "1.5"),
        ('{"duration.as": [{"duration.between": ["2024-06-15", {"var": "timestamp"}]}, "DAYS"]}',
         "0.5"),
        ('{"duration.as": [{"duration.of": [{"var": "attribute.calls"}, "HOURS"]}, "MILLIS"]}',
         10_800_000),
    ],
)  # fmt: skip
def test_a_computation_comes_to_a_number(rule: str, number: str | int | None) -> None:
    right = None if number is None else Decimal(number)
    assert evaluate(number_of(parse(rule)), FACTS) == right


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ('{"==": [{"var": "dimensions.region"}, "eu"]}', True),
        ('{"==": [{"var": "attributes.calls"}, "3.0"]}', True),
        ('{"===": [{"var": "attributes.calls"}, "3"]}', False),
        ('{"<": [1, {"var": "attributes.bytes"}, 2]}', True),
        ('{"in": [{"var": "dimensions.region"}, ["us", "eu"]]}', True),
        ('{"in": ["e", {"var": "dimensions.region"}]}', True),
        ('{"in": ["%", {"var": "dimensions.region"}]}', False),
        ('{"==": [{"var": "accountId"}, "acme"]}', True),
        ('{"==": [{"cat": ["e", "u"]}, {"var": "dimensions.region"}]}', True),
        ('{"some": [["us", {"var": "dimensions.region"}], {"==": [{"var": ""}, "eu"]}]}', True),
        ('{"!": {"missing": ["dimensions.region"]}}', True),
        ('{"and": [1, "", 2]}', False),
        ('{"==": [{"substr": [{"var": "accountId"}, 1, 2]}, "cm"]}', True),
        ('{"==": [{"substr": [{"var": "accountId"}, -2]}, "me"]}', True),
        ('{"==": [{"substr": [{"var": "accountId"}, 0, -1]}, "acm"]}', True),
        ('{">=": [{"var": "timestamp"}, "2024-06-15T14:00:00+02:00"]}', True),
        ('{"<": [{"date": "2024-06-15"}, {"var": "timestamp"}, "2024-06-16"]}', True),
        ('{">": [{"date.sub": [{"var": "timestamp"}, "PT12H"]}, {"date": "2024-06-15"}]}', False),
        ('{"==": [{"date.add": [{"var": "timestamp"}, "-PT12H"]}, {"date": "2024-06-15"}]}', True),
        ('{">": [{"duration.between": ["2024-06-14", {"var": "timestamp"}]}, "P1D"]}', True),
        ('{"!!": {"var": "timestamp"}}', True),
        ("[]", False),
    ],
)
def test_a_matcher_is_truthy_or_not(rule: str, matches: bool) -> None:
    assert holds(predicate_of(parse(rule)), FACTS) is matches


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("{", "not valid JSON"),
        ("Infinity", "not valid JSON"),
        ("1e9999", "no number that can be kept"),
        ('"\\ud800"', "surrogate"),
        ('"\\u0000"', "NUL"),
        ('{"var": "dimensions.\\u0000"}', "NUL"),
        ("{}", "one member"),
        ('{"+": 1, "-": 2}', "one member"),
        ('{"substr": ["abc", {"var": "attributes.calls"}]}', "whole numbers"),
        ('{"substr": ["abc", 0.5]}', "whole numbers"),
        ('{"substr": ["abc"]}', "two or three arguments"),
        ('{"date": {"var": "dimensions.region"}}', "written in the rule"),
        ('{"date": "yesterday"}', "no date"),
        ('{"date": "0900-01-01"}', "years of events"),
        ('{"date.add": [{"var": "timestamp"}, "P1M"]}', "no duration"),
        ('{"date.add": [{"var": "timestamp"}, "P400000D"]}', "1 000 years"),
        ('{"duration.as": ["P1D", "YEARS"]}', "no unit"),
        ('{"duration.as": ["P1D"]}', "takes 2 arguments"),
        ('{"+": [{"var": "timestamp"}, 1]}', "duration.as"),
        ('{"==": [{"var": "timestamp"}, {"var": "dimensions.region"}]}', "compared with dates"),
        ('{"cat": [{"var": "timestamp"}]}', "made a text"),
        ('{"var": "attributes"}', "no variable"),
        ('"ten"', "measures nothing"),
        ("true", "measures nothing"),
        ('{"max": [1, null]}', "measures nothing"),
        ('{"var": "timestamp"}', "duration.as"),
        ('{"var": 1}', "name of a variable"),
        ('{"-": [1, 2, 3]}', "takes two arguments"),
        ('{"+": [[1], 2]}', "a list cannot be used"),
        ('{"if": [true, [1], 2]}', "no result"),
        ('{"+": [{"cat": ["1", "2"]}, 1]}', "cat"),
        ('{"in": [{"var": "dimensions.region"}, {"var": "dimensions.region"}]}', "written"),
        ('{"!":' * (DEPTH_MAX + 1) + "1" + "}" * (DEPTH_MAX + 1), "nested deeper"),
        ("[" * 700 + "]" * 700, "nested deeper"),
        ('{"max":[1,' * 8 + "1" + "]}" * 8, "simpler"),
        ('"' + "x" * 1500 + '"', "longer"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(rule: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        number_of(parse(rule))
