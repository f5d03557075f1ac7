"""A part of a list, and how long the list is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

One = TypeVar("One")

OFFSET_MAX = 2**62  # larger ones are as far beyond any list, and PostgreSQL can count to this one


@dataclass(frozen=True, slots=True)
class Page(Generic[One]):
    items: Sequence[One]
    total: int


async def page_of(
    connection: AsyncConnection,
    statement: Select[Any],
    from_row: Callable[[Row[Any]], One],
    *,
    offset: int,
    limit: int,
) -> Page[One]:
    """The rows `offset` to `offset + limit` of an ordered statement whose columns have one name."""
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    total: int = (await connection.execute(counted)).scalar_one()
    part = statement.offset(min(offset, OFFSET_MAX)).limit(limit)
    return Page([from_row(row) for row in await connection.execute(part)], total)
