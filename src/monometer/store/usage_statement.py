"""The statement of a usage query: made once for all queries of one shape, then given its values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from monometer.core.event import TIME_MIN
from monometer.core.usage import UsageQuery
from monometer.store.cells import CellSource, Kind, whole_hours
from monometer.store.statements import Statement, compiled
from monometer.store.usage_sql import usage_select

STATEMENTS_MAX = 500


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a statement depends on is told in `key`. Its query stands for all that are alike."""

    key: str
    query: UsageQuery = field(compare=False)
    kind: Kind | None = field(compare=False)


def usage_statement(query: UsageQuery, source: CellSource | None) -> Statement:
    """The statement of `usage_select`; `usage_parameters` has what it wants to be given."""
    kind = None if source is None else source.kind
    alike = replace(
        query,
        start=None if query.start is None else TIME_MIN,
        end=None if query.end is None else TIME_MIN,
        subjects=None if query.subjects is None else (),
        attribution=None if query.attribution is None else {},
    )
    # As text, because values of different types may be equal: True, 1 and 1.0.
    return _made(_Shape(repr((alike, kind, kind and _edges(query))), query, kind))


def _edges(query: UsageQuery) -> tuple[bool, ...] | None:
    """Where the whole hours of the period leave something over."""
    hours = whole_hours(query)
    return hours and (hours[0] is None, hours[0] == query.start, hours[1] == query.end)


@lru_cache(maxsize=STATEMENTS_MAX)
def _made(shape: _Shape) -> Statement:
    return compiled(usage_select(shape.query, shape.kind))


def usage_parameters(
    query: UsageQuery, source: CellSource | None, *, rows_max: int
) -> Mapping[str, Any]:
    subjects = None if query.subjects is None else list(query.subjects)
    attribution = query.attribution or {}
    values = {
        "start": query.start, "end": query.end, "subjects": subjects, "limit": rows_max + 1,
        "attributed": list(attribution), "customers": list(attribution.values()),
    }  # fmt: skip
    if source is not None:
        start, end = whole_hours(query) or (None, None)
        values |= {
            "projection": source.projection_id, "watermark": source.watermark,
            "hours_start": start, "hours_end": end,
        }  # fmt: skip
    return values
