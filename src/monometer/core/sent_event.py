"""An event as it was sent for an event schema, and what its schema adds to it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from monometer.core import json_logic
from monometer.core.errors import InvalidInput
from monometer.core.evaluation import Facts, evaluate
from monometer.core.event import Event
from monometer.core.event_schema import Declared
from monometer.core.expression import Expression, Literal
from monometer.core.numbers import number_of_text, plain, storable

ID_CHARS_MAX = 512

_PLACE = re.compile(r"\{\{([^{}]*)\}\}|\$\{([^{}]*)\}")
_OWN = ("accountId", "schemaName", "timestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEvent:
    """`account` is what the sender called it. `payload` is the event as it was written.

    `id` None: the sender gave none.
    """

    id: str | None
    schema: str
    account: str
    time: datetime
    attributes: Mapping[str, Decimal]
    dimensions: Mapping[str, str]
    payload: Mapping[str, Any]

    def data(self) -> str:
        """JSON as events keep it: attributes are numbers, dimensions texts."""
        numbers = ",".join(
            f"{json.dumps(name)}:{plain(value)}" for name, value in self.attributes.items()
        )
        texts = json.dumps(dict(self.dimensions), ensure_ascii=False)
        return f'{{"attributes":{{{numbers}}},"dimensions":{texts}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrichment:
    """A field that is made of others: an attribute of a number, or a dimension of a text."""

    name: str
    is_attribute: bool
    value: Expression


class EnrichmentFailed(InvalidInput):
    """A field comes to nothing on an event."""


def enrichments_of(declared: Declared) -> list[Enrichment]:
    """In the order in which they are carried out. Raises InvalidInput for what they cannot be."""
    fields = (declared.get("enrichments") or {}).get("fields") or ()
    return [_enrichment(one) for one in sorted(fields, key=lambda one: int(one.get("order", 1)))]


def _enrichment(field: Mapping[str, Any]) -> Enrichment:
    is_attribute, text = field["type"] == "ATTRIBUTE", field["value"]
    value: Expression
    if field["enrichmentType"] == "JSON_LOGIC":
        rule = json_logic.parse(text)
        value = json_logic.number_of(rule) if is_attribute else json_logic.text_of(rule)
    elif is_attribute:
        number = number_of_text(text)
        if number is None:
            raise InvalidInput(f"the attribute {field['name']} needs a number for its value")
        value = Literal(number)
    else:
        value = Literal(text)
    return Enrichment(name=field["name"], is_attribute=is_attribute, value=value)


def enriched(one: SentEvent, fields: Sequence[Enrichment], subject: str) -> SentEvent:
    """With each field, which later ones see too. Raises EnrichmentFailed."""
    for field in fields:
        value = evaluate(field.value, facts_of(one, subject, one.time))
        if field.is_attribute and isinstance(value, Decimal) and storable(value):
            one = replace(one, attributes={**one.attributes, field.name: value})
        elif not field.is_attribute and isinstance(value, str):
            one = replace(one, dimensions={**one.dimensions, field.name: value})
        else:
            raise EnrichmentFailed(f"{field.name} comes to nothing that can be kept")
    return one


def facts_of(one: SentEvent, subject: str, at: datetime) -> Facts:
    """What rules see of it, when it comes in at an instant."""
    event = Event("", one.id or "", "", one.schema, subject, one.time, None, at)
    return Facts(
        event, at, {"attributes": dict(one.attributes), "dimensions": dict(one.dimensions)}
    )


def check_template(template: str) -> None:
    """Raises InvalidInput for an event id template that is one and the same for every event."""
    names = [a or b for a, b in _PLACE.findall(template)]
    known = [_is_place(name.strip()) for name in names]
    if not known or not all(known):
        raise InvalidInput(
            "an event id template needs places such as {{accountId}}, {{timestamp}}, "
            "{{schemaName}}, {{attributes.name}} or {{dimensions.name}}, and no others"
        )


def _is_place(name: str) -> bool:
    return name in _OWN or name.startswith(("attributes.", "dimensions."))


def id_of(one: SentEvent, template: str | None) -> str | None:
    """Its own, or the template's; None where that has an empty place, or is too long."""
    if one.id or template is None:
        return one.id or None
    found = _PLACE.sub(lambda match: _filled(one, (match[1] or match[2]).strip()), template)
    return None if "\0" in found or len(found) > ID_CHARS_MAX else found


def _filled(one: SentEvent, place: str) -> str:
    """A NUL, which no id has, where there is nothing."""
    if place in _OWN:
        return str(one.payload[place])
    kind, _, name = place.partition(".")
    if kind == "attributes":
        number = one.attributes.get(name)
        return "\0" if number is None else plain(number)
    return one.dimensions.get(name, "\0")
