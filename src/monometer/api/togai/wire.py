"""What Togai's resources have in common: names, times, and lists in pages."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field, StrictStr

from monometer.api.wire import STORABLE, Text, instant_to_wire
from monometer.core.errors import FieldError, InvalidInput
from monometer.core.event import TIME_END, TIME_MIN

PREFIX = "/togai"
PAGE_SIZE = 10
PAGE_SIZE_MAX = 100
OFFSET_DIGITS_MAX = 15

Name = Annotated[
    StrictStr, Field(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9_\-\s]+$"), STORABLE
]
Long = Annotated[StrictStr, Field(max_length=255), STORABLE]

NextToken = Annotated[Text | None, Query(alias="nextToken", description="Of the page before.")]
PageSize = Annotated[float | None, Query(alias="pageSize", description="From 1 to 100.")]

One = TypeVar("One")


class TogaiPage(BaseModel):
    pageSize: int
    sortOrder: str


class TogaiSuccess(BaseModel):
    success: bool


def size_of(page_size: float | None, most: int = PAGE_SIZE_MAX) -> int:
    """Raises InvalidInput."""
    if page_size is None:
        return PAGE_SIZE
    if not isfinite(page_size) or page_size % 1 or not 1 <= page_size <= most:
        raise _refused("pageSize", f"must be a whole number from 1 to {most}")
    return int(page_size)


def offset_of(token: str | None) -> int:
    """Raises InvalidInput for a token that no page has."""
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode("ascii")).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    if not text.isdecimal() or len(text) > OFFSET_DIGITS_MAX:
        raise _refused("nextToken", "is of no page")
    return int(text)


def page_to_wire(items: Sequence[Any], total: int, offset: int, size: int) -> dict[str, Any]:
    page: dict[str, Any] = {"data": items, "context": {"pageSize": size, "sortOrder": "DESC"}}
    following = offset + len(items)
    if items and following < total:
        page["nextToken"] = base64.urlsafe_b64encode(str(following).encode()).decode()
    return page


def one_of(name: str, given: Sequence[str] | None, allowed: Sequence[One]) -> list[One]:
    """Texts, apart or joined by commas, as members of an enumeration; none is all of them.

    Raises InvalidInput.
    """
    if not given:
        return list(allowed)
    known = {str(one): one for one in allowed}
    found = []
    for text in ",".join(given).split(","):
        if text not in known:
            raise _refused(name, f"must be among {', '.join(known)}")
        found.append(known[text])
    return found


def time_to_wire(at: datetime) -> str:
    return instant_to_wire(at.astimezone(UTC))


def within_reach(at: datetime) -> datetime:
    """UTC, which also is meant where no offset is given."""
    try:
        utc = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        utc = TIME_END
    if not TIME_MIN <= utc < TIME_END:
        raise ValueError(f"must be from year {TIME_MIN.year} on and before {TIME_END.year}")
    return utc


def _refused(name: str, rule: str) -> InvalidInput:
    return InvalidInput(f"{name} {rule}", [FieldError(field=name, message=rule)])
