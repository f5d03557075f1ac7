"""An event schema: the attributes and dimensions that events of a type declare, by version.

Source: Togai's event schemas.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from monometer.core.errors import InvalidInput

# attributes, dimensions, description, enrichments, filterFields, eventIdTemplate, as written.
Declared: TypeAlias = Mapping[str, Any]

_LISTS = ("attributes", "dimensions")
_OF_A_VERSION = frozenset({*_LISTS, "enrichments", "eventIdTemplate"})


class Status(StrEnum):
    """Of an event schema or a usage meter. ARCHIVED also is a version that has a later one."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSchema:
    """One version. `name` is the event type."""

    namespace: str
    name: str
    version: int
    status: Status
    declared: Declared
    created_at: datetime
    updated_at: datetime


def needs_version(one: EventSchema, change: Declared) -> bool:
    """Whether a change makes another version: of a structure that has been active.

    Raises InvalidInput where it would take back what was declared then.
    """
    if one.status is Status.DRAFT:
        return False
    for name in _LISTS:
        if name in change:
            kept = [entry for entry in one.declared[name] if entry not in change[name]]
            if kept:
                raise InvalidInput(
                    f"{name} of a schema that has been active can be added to, "
                    f"but neither changed nor removed: {kept[0]['name']}"
                )
    return any(
        name in _OF_A_VERSION and value != one.declared.get(name) for name, value in change.items()
    )
