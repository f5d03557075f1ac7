"""What usage is: the fold, once, with nothing clever about it. SQL is held to this by a test."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from monometer.core.aggregation import MONOIDS
from monometer.core.evaluation import Facts, Value, evaluate, facts_of, holds
from monometer.core.event import StoredEvent
from monometer.core.usage import Tumbling, UsageQuery, UsageRow, period_of
from monometer.core.windows import floor, zone


def run(query: UsageQuery, events: Iterable[StoredEvent]) -> list[UsageRow]:
    """The rows that answer `query` over `events`, ordered by window, subject, customer and group.

    Each combination of these with at least one event taken and a value to tell has one row.
    """
    taken = [facts for facts in map(facts_of, events) if takes(query, facts)]
    groups: dict[tuple[Any, ...], list[Facts]] = defaultdict(list)
    for facts in taken:
        groups[_group(query, facts)].append(facts)
    rows = (_row(query, groups[group]) for group in sorted(groups))
    return [row for row in rows if row is not None]


def takes(query: UsageQuery, facts: Facts) -> bool:
    event, measure = facts.event, query.measure
    return (
        event.namespace == query.namespace
        and (measure.event_type is None or event.type == measure.event_type)
        and (measure.event_from is None or measure.event_from <= event.time)
        and (query.start is None or query.start <= event.time)
        and (query.end is None or event.time < query.end)
        and (query.subjects is None or event.subject in query.subjects)
        and holds(measure.where, facts)
        and holds(query.where, facts)
    )


# Keys of one query have the same shape, so they compare.
def _group(query: UsageQuery, facts: Facts) -> tuple[Any, ...]:
    axis, event = query.axis, facts.event
    window = floor(event.time, axis.size, zone(axis.zone)) if isinstance(axis, Tumbling) else None
    subject = event.subject if query.by_subject else None
    customer = _customer(query, facts)
    return window, subject, customer is None, customer or "", *_names(query, facts)


def _customer(query: UsageQuery, facts: Facts) -> str | None:
    return None if query.attribution is None else query.attribution.get(facts.event.subject)


def _names(query: UsageQuery, facts: Facts) -> tuple[str, ...]:
    return tuple(str(evaluate(query.measure.groups[name], facts)) for name in query.group_by)


def _row(query: UsageQuery, members: list[Facts]) -> UsageRow | None:
    monoid = MONOIDS[query.measure.aggregation]
    state = monoid.empty
    for facts in members:
        event = facts.event
        rank = (event.time, facts.stored_at, event.id, event.source)
        state = monoid.merge(state, monoid.lift(_value(query, facts), rank))
    value = monoid.finish(state)
    if value is None:
        return None
    times = [facts.event.time for facts in members]
    return UsageRow(
        period=period_of(query, min(times), max(times)),
        subject=members[0].event.subject if query.by_subject else None,
        group=_names(query, members[0]),
        value=value,
        customer=_customer(query, members[0]),
    )


def _value(query: UsageQuery, facts: Facts) -> Value:
    expression = query.measure.value
    return None if expression is None else evaluate(expression, facts)
