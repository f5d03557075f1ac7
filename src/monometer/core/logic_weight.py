"""How much a compiled rule weighs: a short rule can ask for a statement of any length."""

from dataclasses import fields, is_dataclass
from typing import Any

from monometer.core.errors import InvalidInput
from monometer.core.logic_values import Piece

NODES_MAX = 2_000


class Scales:
    """Counts nodes as they are written out: one that stands in three places counts three times."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, int]] = {}  # by identity, and so kept alive

    def weigh(self, piece: Piece) -> None:
        """Raises InvalidInput for more than NODES_MAX nodes."""
        if self._weight(piece) > NODES_MAX:
            raise InvalidInput(f"a rule comes to more than {NODES_MAX} steps: make it simpler")

    def _weight(self, node: Any) -> int:
        if isinstance(node, tuple):
            return sum(map(self._weight, node))
        if not is_dataclass(node):
            return 0
        known = self._known.get(id(node))
        if known is None:
            inside = sum(self._weight(getattr(node, one.name)) for one in fields(node))
            known = self._known[id(node)] = (node, 1 + inside)
        return known[1]
