"""Usage by calendar buckets, from a question to its answer."""

from dataclasses import dataclass

from monometer.core.quantities import Quantities, QuantitiesQuery, answer
from monometer.core.usage import UsageRow
from monometer.services.people import People


@dataclass(frozen=True, slots=True)
class QuantityService:
    people: People

    async def quantities(self, query: QuantitiesQuery) -> Quantities:
        """Raises InvalidInput for too many rows, Unavailable."""
        rows = await self._rows(query)
        over_events = query.over_events()
        whole = [] if over_events is None else await self.people.all_rows(over_events)
        return answer(query, rows, whole[0].value if whole else None)

    async def _rows(self, query: QuantitiesQuery) -> list[UsageRow]:
        if query.across is None:
            return await self.people.all_rows(query.by_bucket())
        return [row for _, row in await self.people.rows(query.by_bucket())]
