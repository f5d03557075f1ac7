"""What the walk over two namespaces asks of every operation: one entry for each operation id.

A new route needs an entry in one of these files and, where it keeps something, a step in its
`fill`. Values in braces stand for what `fill` came to know.
"""

from typing import Final
from uuid import uuid4

import httpx
from tests.support.recipes import entitling, metering, owners, polar, togai, v3
from tests.support.recipes.call import Call, Facts

AREAS: Final = (metering, owners, entitling, v3, polar, togai)
RECIPES: Final[dict[str, list[Call]]] = {
    operation_id: calls for area in AREAS for operation_id, calls in area.RECIPES.items()
}


def fill(client: httpx.Client) -> Facts:
    """Something of everything in the client's namespace. Returns the names and ids of it."""
    facts = {name: f"a{uuid4().hex}" for area in AREAS for name in area.NAMES}
    for area in AREAS:
        area.fill(client, facts)
    return facts
