"""Cells serve the meters of every dialect, and say the same as the events themselves."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.calls import rows
from tests.support.events import NOON, event
from tests.support.folding import fold_all
from tests.support.polar import clause, every

from monometer.core.definition import read
from monometer.core.meter import Measure
from monometer.core.usage import UsageQuery
from monometer.store.postgres_events import PostgresEventStore

MATCHER = (
    '{"and":[{"==":[{"var":"dimensions.region"},"eu"]},{">":[{"var":"timestamp"},"2024-06-15"]}]}'
)
TOGAI = {
    "dialect": "togai", "schema": "call", "aggregation": "SUM",
    "active": [["2024-01-01T00:00:00+00:00", "2024-06-15T12:00:20+00:00"]],
    "filters": [{"field": "model", "value": "large"}],
    "computations": [{"matcher": MATCHER, "computation": '{"*":[{"var":"attributes.v"},0.1]}'}],
}  # fmt: skip
OF_EU = every(clause("name", "eq", "call"), clause("dimensions.region", "eq", "eu"))
POLAR = {
    "dialect": "polar", "filter": OF_EU,
    "aggregation": {"func": "sum", "property": "attributes.v"},
}  # fmt: skip


def call(namespace: str, number: int) -> Any:
    """Each second one; every other one of the EU, every third of the large model."""
    region, model = ("eu", "us")[number % 2], ("large", "small", "tiny")[number % 3]
    at = NOON + timedelta(seconds=number)
    dimensions = f'{{"region":"{region}","model":"{model}"}}'
    data = f'{{"attributes":{{"v":{number}.5}},"dimensions":{dimensions}}}'
    return event(namespace, id=str(number), time=at, data=data)._replace(ingested_at=at)


@pytest.mark.parametrize(
    ("definition", "right"),
    [
        (TOGAI, sum(Decimal(f"{n}.5") for n in range(0, 20, 6)) / 10),
        (POLAR, sum(Decimal(f"{n}.5") for n in range(0, 60, 2))),
    ],
)
async def test_cells_are_read_and_tell_what_events_do(
    event_store: PostgresEventStore,
    engine: AsyncEngine,
    namespace: str,
    definition: Any,
    right: Decimal,
) -> None:
    says = read(definition)
    measure = Measure(
        aggregation=says.aggregation, event_type=says.event_type, value=says.value, where=says.where
    )
    await event_store.append([call(namespace, number) for number in range(60)])
    await fold_all(engine, namespace, measure)
    query = UsageQuery(namespace=namespace, measure=measure)
    reading = await event_store.explain(query, rows_max=10)
    assert reading.cells == "group"
    (row,) = await rows(event_store, query)
    assert row.value == right
    assert [row] == await rows(PostgresEventStore(engine, projections=False), query)
