"""Usage by calendar buckets, from a question to its answer."""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from monometer.core.quantities import Quantities, QuantitiesQuery, answer
from monometer.core.usage import UsageQuery, UsageRow
from monometer.services.usage import Usage


@dataclass(frozen=True, slots=True)
class QuantityService:
    usage: Usage

    async def quantities(self, query: QuantitiesQuery) -> Quantities:
        """Raises InvalidInput for too many rows, Unavailable."""
        values: defaultdict[datetime, dict[Hashable, Decimal]] = defaultdict(dict)
        for row in await self._rows(query.by_bucket()):
            values[row.period.start][row.subject] = row.value
        over_events = query.over_events()
        total = None
        if over_events is not None:
            rows = await self._rows(over_events)
            total = rows[0].value if rows else None
        return answer(query, values, total)

    async def _rows(self, query: UsageQuery) -> list[UsageRow]:
        async with self.usage.rows(query) as batches:
            return [row async for batch in batches for row in batch]
