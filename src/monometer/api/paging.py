"""Parts of lists as the native dialect asks for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query

from monometer.store.pages import Page

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1000

One = TypeVar("One")

PageNumber = Annotated[
    int | None, Query(ge=1, description="From 1. The answer is a page object when it is given.")
]
PageSize = Annotated[
    int | None,
    Query(ge=1, le=PAGE_SIZE_MAX, description="Default 100. As `page`, it asks for a page object."),
]
Limit = Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX, description="Without `page` and `pageSize`.")]
Offset = Annotated[int, Query(ge=0, description="Without `page` and `pageSize`.")]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list: of `limit` items from `offset` on. `page` None is no page of one."""

    offset: int
    limit: int
    page: int | None


async def _part(
    page: PageNumber = None,
    pageSize: PageSize = None,
    limit: Limit = PAGE_SIZE_DEFAULT,
    offset: Offset = 0,
) -> Part:
    """A page wins over limit and offset: old clients send both."""
    if page is None and pageSize is None:
        return Part(offset, limit, None)
    size = pageSize or PAGE_SIZE_DEFAULT
    number = page or 1
    return Part((number - 1) * size, size, number)


async def _page(
    page: Annotated[int, Query(ge=1)] = 1,
    pageSize: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = PAGE_SIZE_DEFAULT,
) -> Part:
    return Part((page - 1) * pageSize, pageSize, page)


async def _page_or_part(
    page: PageNumber = None,
    pageSize: PageSize = None,
    limit: Annotated[int | None, Query(ge=1, le=PAGE_SIZE_MAX)] = None,
    offset: Annotated[int | None, Query(ge=0)] = None,
) -> Part:
    """The first page, unless another page or a part is asked for."""
    if page is None and pageSize is None and (limit is not None or offset is not None):
        return Part(offset or 0, limit or PAGE_SIZE_DEFAULT, None)
    return await _page(page or 1, pageSize or PAGE_SIZE_DEFAULT)


PageOrPartOf = Annotated[Part, Depends(_page_or_part)]
PartOf = Annotated[Part, Depends(_part)]
PageOf = Annotated[Part, Depends(_page)]


def page_to_wire(
    part: Part, found: Page[One], to_wire: Callable[[One], dict[str, Any]]
) -> dict[str, Any]:
    """A page object; one of limit and offset has zeros for its page."""
    return {
        "totalCount": found.total,
        "page": part.page or 0,
        "pageSize": 0 if part.page is None else part.limit,
        "items": [to_wire(one) for one in found.items],
    }


def part_to_wire(
    part: Part, found: Page[One], to_wire: Callable[[One], dict[str, Any]]
) -> dict[str, Any] | Sequence[dict[str, Any]]:
    """A page object when a page was asked for, else the items alone."""
    if part.page is None:
        return [to_wire(one) for one in found.items]
    return page_to_wire(part, found, to_wire)
