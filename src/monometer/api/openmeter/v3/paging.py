"""Pages by number, and pages by cursor."""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC
from typing import Any, TypeVar
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from monometer.api.openmeter.v3.deep_objects import deep_object, deep_object_document
from monometer.api.openmeter.v3.parameters import wrong
from monometer.api.openmeter.v3.sorting import Order
from monometer.api.wire import Text, instant_from_wire, instant_to_wire
from monometer.store.event_store import Position
from monometer.store.pages import Page

SIZE_DEFAULT = 20
SIZE_MAX = 1_000
NUMBER_MAX = 1_000_000
CURSOR_SIZE_MAX = 100

One = TypeVar("One")


class PagePaginationQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(SIZE_DEFAULT, ge=1, le=SIZE_MAX)
    number: int = Field(1, ge=1, le=NUMBER_MAX)

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


class CursorPaginationQueryPage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(SIZE_DEFAULT, ge=1, le=CURSOR_SIZE_MAX)
    after: Text | None = Field(None, description="The last page's `meta.page.next`.")
    before: Text | None = Field(None, description="Not supported: pages go forward only.")


class PageMeta(BaseModel):
    number: int
    size: int
    total: int = Field(description="Items of all pages together.")


class PaginatedMeta(BaseModel):
    page: PageMeta


class CursorMetaPage(BaseModel):
    size: int = Field(description="Items of this page.")
    first: str | None = Field(None, description="Cursor of the first item; absent without any.")
    last: str | None = Field(None, description="Cursor of the last item; absent without any.")
    next: str | None = Field(description="Where the next page begins; null when this is the last.")
    previous: str | None = Field(description="Always null.")


class CursorMeta(BaseModel):
    page: CursorMetaPage


BY_NUMBER = deep_object_document(
    "page", PagePaginationQuery, "`page[number]` from 1, `page[size]`.", {"number": 1, "size": 20}
)
BY_CURSOR = deep_object_document(
    "page", CursorPaginationQueryPage, "`page[size]`, `page[after]`.", {"size": 20}
)


def numbered_page_of(request: Request) -> PagePaginationQuery:
    return deep_object(request, "page", PagePaginationQuery)


def cursor_page_of(request: Request) -> CursorPaginationQueryPage:
    """Raises InvalidParameters, also for a page before a cursor."""
    asked = deep_object(request, "page", CursorPaginationQueryPage)
    if asked.before is not None:
        raise wrong("page[before]", "is not supported: pages go forward only", source="query")
    return asked


def page_to_wire(
    asked: PagePaginationQuery, found: Page[One], to_wire: Callable[[One], dict[str, Any]]
) -> dict[str, Any]:
    meta = {"number": asked.number, "size": asked.size, "total": found.total}
    return {"data": [to_wire(one) for one in found.items], "meta": {"page": meta}}


def cursor_from_wire(cursor: str, order: Order) -> Position:
    """Raises InvalidParameters for what is no cursor, and for one of a list in another order."""
    try:
        text = base64.b64decode(cursor, validate=True).decode("ascii")
        sort, at, key = text.split(",")
        position = Position(instant_from_wire(at).astimezone(UTC), UUID(key).bytes)
    except (ValueError, binascii.Error):
        raise wrong("page[after]", "is not a cursor of this list", source="query") from None
    if sort != str(order):
        raise wrong("page[after]", f"is a cursor of the list by {sort}", source="query")
    return position


def cursor_to_wire(position: Position, order: Order) -> str:
    text = f"{order},{instant_to_wire(position.at)},{UUID(bytes=position.key)}"
    return base64.b64encode(text.encode()).decode()
