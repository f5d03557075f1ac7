"""Meters are found by what they measure, however many there are."""

from datetime import UTC, datetime
from itertools import count

from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.aggregation import Aggregation
from monometer.services.catalog import Catalog, NewMeter
from monometer.store.meters import LIST_MAX


async def test_meter_past_the_end_of_the_list_is_found_by_its_event_type(
    engine: AsyncEngine, namespace: str
) -> None:
    ids = count()
    catalog = Catalog(
        engine,
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        new_id=lambda: f"{namespace}-{next(ids)}",
    )
    for number in range(LIST_MAX + 1):
        wanted = NewMeter(
            key=f"meter_{number:05}",
            aggregation=Aggregation.COUNT,
            event_type=f"type-{number}",
            group_by={},
        )
        await catalog.create_meter(namespace, wanted)
    last = f"type-{LIST_MAX}"
    found = await catalog.meters_of_types(namespace, [last, "type-of-no-meter"])
    assert [meter.event_type for meter in found] == [last]
