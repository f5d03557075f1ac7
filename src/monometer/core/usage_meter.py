"""A usage meter: which events of a schema it takes, and how many units each is.

Source: Togai's usage meters, "evaluation".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from monometer.core import json_logic
from monometer.core.aggregation import Aggregation
from monometer.core.expression import (
    AllOf,
    AnyOf,
    Attribute,
    Compare,
    Expression,
    Literal,
    Number,
    OneOf,
    Predicate,
    Text,
)
from monometer.core.jsonpath import Path

RULES_KEPT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`units` None is 1 for each event; else what is no number there makes an event invalid.

    `path` is where they are in the data, for those who know nothing else; None if it takes more.
    """

    passes: Predicate
    units: Expression | None
    path: Path | None


def rules_of(definition: Mapping[str, Any]) -> Rules:
    """What a definition says (`core/definition.py`). Raises InvalidInput for rules not allowed."""
    demands: list[Predicate] = [AnyOf(tuple(map(_came_within, definition["active"])))]
    for one in definition.get("filters") or ():
        places = (Text(Path((kind, one["field"]))) for kind in ("dimensions", "attributes"))
        demands.append(AnyOf(tuple(OneOf(place, (one["value"],)) for place in places)))
    units, path = None, None
    for one in definition.get("computations") or ():
        if one.get("matcher") is not None:
            demands.append(_test_of(one["matcher"]))
        if definition["aggregation"] == Aggregation.SUM:
            units = _number_of(one["computation"])
            path = units.path if isinstance(units, Number) else None
    return Rules(passes=AllOf(tuple(demands)), units=units, path=path)


# Every event that comes in is judged by them, and compiling takes longer than that.
@lru_cache(maxsize=RULES_KEPT)
def _test_of(text: str) -> Predicate:
    return json_logic.predicate_of(json_logic.parse(text))


@lru_cache(maxsize=RULES_KEPT)
def _number_of(text: str) -> Expression:
    return json_logic.number_of(json_logic.parse(text))


def _came_within(period: Sequence[str | None]) -> Predicate:
    start, end = (None if one is None else datetime.fromisoformat(one) for one in period)
    came = Attribute("ingested_at")
    since = () if start is None else (Compare(">=", came, Literal(start)),)
    until = () if end is None else (Compare("<", came, Literal(end)),)
    return AllOf((*since, *until))
