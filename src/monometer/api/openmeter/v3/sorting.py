"""`sort=name desc`: by which member of a list, and in which direction."""

from collections.abc import Iterable
from typing import NamedTuple


class Order(NamedTuple):
    by: str
    descending: bool

    def __str__(self) -> str:
        return f"{self.by} {'desc' if self.descending else 'asc'}"


def sort_pattern(members: Iterable[str]) -> str:
    """What the parameter must match, to be declared with it."""
    return f"^({'|'.join(members)})( (asc|desc))?$"


def order_from_wire(sort: str, *, descending: bool = False) -> Order:
    """`sort` matches the pattern; without a direction in it, it is `descending`."""
    by, _, direction = sort.partition(" ")
    return Order(by, direction == "desc" if direction else descending)
