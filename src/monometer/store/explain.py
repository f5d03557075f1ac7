"""What a query read, as PostgreSQL counted it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monometer.store.event_store import Reading
from monometer.store.tables import event


def reading_of(plans: Sequence[Mapping[str, Any]], cells: str | None) -> Reading:
    """`plans` is what EXPLAIN (ANALYZE, FORMAT JSON) answers: one for each statement, so one."""
    (told,) = plans
    read: Counter[str] = Counter()
    for node in _nodes(told["Plan"]):
        if "Relation Name" in node:
            seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            read[node["Relation Name"]] += round(seen * node["Actual Loops"])
    events = read.pop(event.name, 0)
    return Reading(cells, read.total(), events, float(told["Execution Time"]))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
