"""A meter: which events it takes, which value of each, and how the values are folded."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeAlias

from monometer.core import jsonpath
from monometer.core.aggregation import Aggregation
from monometer.core.definition import Definition, read
from monometer.core.errors import InvalidInput
from monometer.core.event import Json
from monometer.core.expression import EVERYTHING, Expression, Number, Predicate, Text

KEY_PATTERN = r"^[a-z0-9]+(?:_[a-z0-9]+)*$"
KEY_CHARS_MAX = 64
NAME_CHARS_MAX = 256
DESCRIPTION_CHARS_MAX = 1024
GROUP_KEYS_MAX = 100
RESERVED_GROUP_KEYS = frozenset({"subject", "customer_id"})

_KEY = re.compile(KEY_PATTERN)
_GROUP_KEY = re.compile(r"[a-zA-Z_][0-9a-zA-Z_]*")

Metadata: TypeAlias = Mapping[str, Any]  # to scalars; OpenMeter's are texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What of a meter a query needs: the fold itself, free of names and texts.

    `event_type` None takes every type. `value` is None for COUNT, text for UNIQUE_COUNT, a number
    for the others. `groups` give text, never None.
    """

    aggregation: Aggregation
    event_type: str | None
    value: Expression | None = None
    groups: Mapping[str, Expression] = field(default_factory=lambda: MappingProxyType({}))
    where: Predicate = EVERYTHING
    event_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter as it is kept. `key` is the wire's slug: unique among live meters of a namespace.

    `value_property` and the values of `group_by` are JSONPaths, kept as they were written. With a
    `definition`, that alone says which events count and what their value is; `event_type` and
    `value_property` then tell as much of it as they can. `event_type` None takes every type. An
    archived meter answers as before.
    """

    namespace: str
    id: str
    key: str
    name: str
    description: str | None
    aggregation: Aggregation
    event_type: str | None
    event_from: datetime | None
    value_property: str | None
    group_by: Mapping[str, str]
    metadata: Metadata | None
    annotations: Mapping[str, Json] | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    archived_at: datetime | None = None
    definition: Definition | None = None

    def measure(self) -> Measure:
        defined = None if self.definition is None else read(self.definition)
        return Measure(
            aggregation=self.aggregation,
            event_type=self.event_type,
            value=self._value() if defined is None else defined.value,
            groups={name: Text(jsonpath.parse(path), "") for name, path in self.group_by.items()},
            where=EVERYTHING if defined is None else defined.where,
            event_from=self.event_from,
        )

    def written_in(self, dialect: str) -> Definition | None:
        """Its definition, if that dialect has written it."""
        written = self.definition
        return written if written is not None and written["dialect"] == dialect else None

    def _value(self) -> Expression | None:
        if self.value_property is None:
            return None
        path = jsonpath.parse(self.value_property)
        return Text(path) if self.aggregation is Aggregation.UNIQUE_COUNT else Number(path)


EVERY_TYPE = "*"  # told to those who expect an event type of every meter


def texts_of(metadata: Metadata | None) -> dict[str, str] | None:
    """Metadata for those who know texts only."""
    if metadata is None:
        return None
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in metadata.items()
    }


def validate(
    *,
    key: str,
    aggregation: Aggregation,
    event_type: str,
    value_property: str | None,
    group_by: Mapping[str, str],
) -> None:
    """Raises InvalidInput, naming every broken rule of a meter's definition, one a line."""
    problems = [
        f"invalid meter aggregation: {p}" for p in _value_problems(aggregation, value_property)
    ]
    problems += [f"invalid meter group by: {p}" for p in _group_problems(value_property, group_by)]
    if not _KEY.fullmatch(key) or len(key) > KEY_CHARS_MAX:
        problems.append(f"invalid meter slug: {key} does not match {KEY_PATTERN}")
    if not event_type:
        problems.append("invalid meter event type: it cannot be empty")
    if problems:
        raise InvalidInput("\n".join(problems))


def validate_groups(value_property: str | None, group_by: Mapping[str, str]) -> None:
    """Raises InvalidInput for group keys or paths that a meter may not have."""
    problems = [f"invalid meter group by: {p}" for p in _group_problems(value_property, group_by)]
    if problems:
        raise InvalidInput("\n".join(problems))


def _value_problems(aggregation: Aggregation, value_property: str | None) -> list[str]:
    if aggregation is Aggregation.COUNT:
        if value_property is not None:
            return ["meter value property is not allowed when the aggregation is count"]
        return []
    if value_property is None:
        return ["meter value property is required when the aggregation is not count"]
    if not value_property:
        return ["meter value property cannot be empty when the aggregation is not count"]
    if not value_property.startswith("$"):
        return ["meter value property must start with $"]
    return _path_problems(value_property)


def _group_problems(value_property: str | None, group_by: Mapping[str, str]) -> list[str]:
    problems = []
    if len(group_by) > GROUP_KEYS_MAX:
        problems.append(f"a meter has at most {GROUP_KEYS_MAX} group keys")
    for key, path in group_by.items():
        if not key.strip():
            problems.append("meter group by key cannot be empty")
        elif not _GROUP_KEY.fullmatch(key):
            problems.append(
                f"meter group by key {key} is invalid, "
                "only alphanumeric and underscore characters are allowed"
            )
        elif key in RESERVED_GROUP_KEYS:
            problems.append(f"meter group by key {key} is reserved")
        if not path.startswith("$"):
            problems.append(f"meter group by value must start with $ for key {key}")
        elif path == value_property:
            problems.append(f"meter group by value {key} cannot be the same as value property")
        else:
            problems += _path_problems(path)
    return problems


def _path_problems(path: str) -> list[str]:
    try:
        jsonpath.parse(path)
    except InvalidInput as error:
        return [error.message]
    return []
