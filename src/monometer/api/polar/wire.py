"""What Polar's resources have in common: ids, times, metadata, and lists in pages."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil, isfinite
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Request
from pydantic import (
    UUID4,
    AfterValidator,
    AwareDatetime,
    BaseModel,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from monometer.api.wire import STORABLE, Text, instant_to_wire
from monometer.core.event import TIME_END, TIME_MIN
from monometer.core.uuids import uuid_of

LIMIT_MAX = 100
METADATA_KEYS_MAX = 50
METADATA_KEY_CHARS_MAX = 40
METADATA_CHARS_MAX = 500

_METADATA_FILTER = re.compile(r"metadata\[(.*)\]", re.DOTALL)


def organization_of(namespace: str) -> UUID:
    """The one organization there is: a namespace by another name."""
    return uuid_of(int.from_bytes(hashlib.blake2b(namespace.encode(), digest_size=16).digest()))


def _within_reach(at: datetime) -> datetime:
    try:
        utc = at.astimezone(UTC)
    except OverflowError:
        utc = TIME_END
    if not TIME_MIN <= utc < TIME_END:
        raise ValueError(f"must be from year {TIME_MIN.year} on and before {TIME_END.year}")
    return utc


def _finite(number: float) -> float:
    if not isfinite(number):
        raise ValueError("must be a finite number")
    return number


def _few(entries: dict[str, Any]) -> dict[str, Any]:
    if len(entries) > METADATA_KEYS_MAX:
        raise ValueError(f"must not have more than {METADATA_KEYS_MAX} keys")
    return entries


Instant = Annotated[AwareDatetime, AfterValidator(_within_reach)]
Id = Annotated[UUID4, Path(description="A UUID of version 4.")]
Ids = Annotated[list[UUID4] | None, Query()]
PageNumber = Annotated[int, Query(ge=1)]
Limit = Annotated[int, Query(ge=1, description="More than 100 is taken for 100.")]
MetadataKey = Annotated[str, Field(min_length=1, max_length=METADATA_KEY_CHARS_MAX), STORABLE]
MetadataText = Annotated[StrictStr, Field(max_length=METADATA_CHARS_MAX), STORABLE]
MetadataValue = (
    StrictBool | StrictInt | Annotated[StrictFloat, AfterValidator(_finite)] | MetadataText
)
Metadata = Annotated[dict[MetadataKey, MetadataValue], AfterValidator(_few)]
ExternalId = Annotated[Text, Field(min_length=1)]

# FastAPI does not know parameters of style deepObject.
METADATA_PARAMETER: dict[str, Any] = {
    "parameters": [
        {
            "name": "metadata",
            "in": "query",
            "required": False,
            "description": "`metadata[key]=value`: values of one key are alternatives.",
            "style": "deepObject",
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    ]
}


class Pagination(BaseModel):
    total_count: int
    max_page: int


def metadata_filter(request: Request) -> dict[str, list[str]]:
    """Key → the texts of which its value must be one."""
    wanted: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        match = _METADATA_FILTER.fullmatch(name)
        if match is not None:
            wanted.setdefault(match[1], []).append(value)
    return wanted


def page_to_wire(items: Sequence[Any], total: int, limit: int) -> dict[str, Any]:
    pages = ceil(total / capped(limit))
    return {"items": items, "pagination": {"total_count": total, "max_page": pages}}


def capped(limit: int) -> int:
    return min(limit, LIMIT_MAX)


def offset_of(page: int, limit: int) -> int:
    return (page - 1) * capped(limit)


def ours(organization_ids: Sequence[UUID] | None, namespace: str) -> bool:
    """Whether a list of this organization is asked for, among others; without any, it is."""
    return not organization_ids or organization_of(namespace) in organization_ids


def time_to_wire(at: datetime | None) -> str | None:
    return None if at is None else instant_to_wire(at.astimezone(UTC))
