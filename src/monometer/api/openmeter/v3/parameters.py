"""What is wrong with which parameter, or member of a body, as v3 says it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from monometer.api.problems import ERRORS_LISTED_MAX
from monometer.core.errors import InvalidInput

Parameter: TypeAlias = dict[str, Any]  # of the shape of errors.InvalidParameter


def parameter(
    field: str, reason: str, source: str, *, rule: str = "invalid", **limits: object
) -> Parameter:
    return {"field": field, "rule": rule, "reason": reason, "source": source, **limits}


def summary(parameters: Sequence[Parameter]) -> str:
    return "; ".join(f"{one['field']}: {one['reason']}" for one in parameters[:ERRORS_LISTED_MAX])


class InvalidParameters(InvalidInput):
    """Input that breaks a rule, with v3's own account of it."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        super().__init__(summary(parameters))
        self.parameters = parameters


def wrong(
    field: str, reason: str, *, source: str = "body", rule: str = "invalid", **limits: object
) -> InvalidParameters:
    return InvalidParameters([parameter(field, reason, source, rule=rule, **limits)])


@contextmanager
def about(field: str, *, source: str = "body") -> Iterator[None]:
    """Whatever input is refused inside, it was this field."""
    try:
        yield
    except InvalidParameters:
        raise
    except InvalidInput as error:
        raise wrong(field, error.message, source=source) from error


@contextmanager
def about_topics(fields: Mapping[str, str]) -> Iterator[None]:
    """Name the field of each line of a refusal (`invalid meter slug: …`) by the line's topic."""
    try:
        yield
    except InvalidParameters:
        raise
    except InvalidInput as error:
        parameters = []
        for line in error.message.splitlines():
            topic, _, reason = line.partition(": ")
            known = (fields[topic], reason or line) if topic in fields else ("body", line)
            parameters.append(parameter(*known, "body"))
        raise InvalidParameters(parameters) from error


_RULES = {
    "missing": "required",
    "extra_forbidden": "unknown_property",
    "string_type": "is_string",
    "string_pattern_mismatch": "matches_regex",
    "int_type": "is_integer",
    "int_parsing": "is_integer",
    "int_parsing_size": "is_integer",
    "int_from_float": "is_integer",
    "bool_type": "is_boolean",
    "bool_parsing": "is_boolean",
    "list_type": "is_array",
    "dict_type": "is_object",
    "model_type": "is_object",
    "model_attributes_type": "is_object",
}
_LIMITED = {  # rule, v3's name of the limit, pydantic's
    "string_too_short": ("min_length", "minimum", "min_length"),
    "string_too_long": ("max_length", "maximum", "max_length"),
    "too_short": ("min_items", "minimum", "min_length"),
    "too_long": ("max_items", "maximum", "max_length"),
    "greater_than_equal": ("min", "minimum", "ge"),
    "less_than_equal": ("max", "maximum", "le"),
}


def parameter_from_pydantic(error: Mapping[str, Any], field: str, source: str) -> Parameter:
    kind, reason = error["type"], str(error["msg"]).removeprefix("Value error, ")
    if kind in _LIMITED:
        rule, name, limit = _LIMITED[kind]
        return parameter(field, reason, source, rule=rule, **{name: error["ctx"][limit]})
    if kind in {"enum", "literal_error"}:
        choices = re.findall("'([^']*)'", error["ctx"]["expected"])
        return parameter(field, reason, source, rule="enum", choices=choices)
    rule = "is_date_time" if "RFC 3339" in reason else _RULES.get(kind, "invalid")
    return parameter(field, reason, source, rule=rule)
