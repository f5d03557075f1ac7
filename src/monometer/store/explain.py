"""What a query read, as PostgreSQL counted it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Select
from sqlalchemy.sql.compiler import SQLCompiler

from monometer.store.event_store import Reading
from monometer.store.tables import event


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(_Explain)
def _(element: _Explain, compiler: SQLCompiler, **options: Any) -> str:
    return "EXPLAIN (ANALYZE, FORMAT JSON) " + compiler.process(element.statement, **options)


async def explain(
    connection: AsyncConnection, statement: Select[Any], cells: str | None
) -> Reading:
    """Runs the statement, and answers what it read instead of its rows."""
    (plan,) = (await connection.execute(_Explain(statement))).scalar_one()
    read: Counter[str] = Counter()
    for node in _nodes(plan["Plan"]):
        if "Relation Name" in node:
            seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            read[node["Relation Name"]] += round(seen * node["Actual Loops"])
    events = read.pop(event.name, 0)
    return Reading(cells, read.total(), events, float(plan["Execution Time"]))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
