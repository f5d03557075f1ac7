"""Conditions on dimensions as features keep them: in the words of the first version."""

from typing import Any

from monometer.api.openmeter import filters as v1
from monometer.api.openmeter.v3.filters import part_of
from monometer.api.openmeter.v3.parameters import wrong
from monometer.api.openmeter.v3.query_shapes import QueryFilterStringMapItem, filter_string_of
from monometer.core.filter import Filter

_SOME_TEXT = "_%"  # the pattern of every text but the empty one, which an absent value is

_SAME = {"$eq": "eq", "$ne": "neq", "$in": "in", "$nin": "nin"}
_PARTS = {"$like": "contains", "$nlike": "ncontains"}
_PRESENCE = {"$like": True, "$nlike": False}
_SEVERAL = {"$and": "and", "$or": "or"}


def filter_from_wire(wire: QueryFilterStringMapItem, field: str) -> Filter:
    """Raises InvalidParameters for `exists` beside another operator."""
    if wire.exists is None:
        return v1.filter_from_wire(filter_string_of(wire))
    if len(wire.model_dump(exclude_none=True)) > 1:
        raise wrong(field, "must have one operator")
    return {"$like" if wire.exists else "$nlike": _SOME_TEXT}


def filter_to_wire(one: Filter) -> dict[str, Any]:
    """Empty for a condition of the first version that this one has no words for."""
    ((operator, operand),) = one.items()
    if operator in _PRESENCE and operand == _SOME_TEXT:
        return {"exists": _PRESENCE[operator]}
    return _condition_to_wire(one) or {}


def _condition_to_wire(one: Filter) -> dict[str, Any] | None:
    for operator, operand in one.items():
        if operator in _SAME:
            return {_SAME[operator]: operand}
        if operator in _PARTS:
            part = part_of(operand)
            return None if part is None else {_PARTS[operator]: part}
        if operator in _SEVERAL:
            children = [_condition_to_wire(child) for child in operand]
            return None if None in children else {_SEVERAL[operator]: children}
    return None
