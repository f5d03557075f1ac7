"""What is asked of every event store: usage, as the reference has it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.conformance.asking import rows
from tests.support.events import NOON, event

from monometer.core.aggregation import Aggregation
from monometer.core.errors import InvalidInput
from monometer.core.expression import (
    Number,
    Text,
)
from monometer.core.jsonpath import parse
from monometer.core.meter import Measure
from monometer.core.usage import Axis, Tumbling, UsageQuery, UsageRow, Whole
from monometer.core.windows import Period, WindowSize
from monometer.store.event_store import EventStore


def _measure(aggregation: Aggregation = Aggregation.SUM) -> Measure:
    return Measure(
        aggregation=aggregation,
        event_type="call",
        value=None if aggregation is Aggregation.COUNT else Number(parse("$.v")),
        groups={"g": Text(parse("$.g"), "")},
    )


async def _append_days(store: EventStore, namespace: str, days: Sequence[int]) -> None:
    await store.append(
        [
            event(
                namespace, time=NOON + timedelta(days=day), data=f'{{"v": {day}, "g": "{day % 2}"}}'
            )
            for day in days
        ]
    )


class TestUsage:
    async def test_rows_stand_by_window_then_subject_then_group(
        self, store: EventStore, namespace: str
    ) -> None:
        await store.append(
            [
                event(
                    namespace,
                    subject=subject,
                    time=NOON + timedelta(days=day),
                    data=f'{{"v": 1, "g": "{g}"}}',
                )
                for day in (1, 0)
                for subject in ("b", "B", "é", "a")
                for g in ("x", "X", "")
            ]
        )
        query = UsageQuery(
            namespace=namespace,
            measure=_measure(),
            axis=Tumbling(WindowSize.DAY),
            by_subject=True,
            group_by=("g",),
        )
        found = [(row.period.start.day, row.subject, row.group) for row in await rows(store, query)]
        assert found == sorted(found)
        assert len(found) == 2 * 4 * 3

    async def test_a_row_tells_its_window(self, store: EventStore, namespace: str) -> None:
        await store.append(
            [
                event(namespace, time=datetime(2024, 11, 3, hour, tzinfo=UTC), data='{"v": "1.5"}')
                for hour in (3, 4, 5, 6, 23)
            ]
        )
        query = UsageQuery(
            namespace=namespace,
            measure=_measure(),
            axis=Tumbling(WindowSize.DAY, "America/New_York"),
        )
        change, day = datetime(2024, 11, 3, 4, tzinfo=UTC), timedelta(days=1)
        assert await rows(store, query) == [
            UsageRow(Period(change - day, change), None, (), Decimal("1.5")),
            UsageRow(Period(change, change + timedelta(hours=25)), None, (), Decimal(6)),
        ]

    @pytest.mark.parametrize(
        ("appends", "latest"),
        [
            # The later time wins, whatever was stored last.
            ([[("a", "s", 1, 1)], [("b", "s", 0, 2)]], 1),
            # At one time, what was stored last.
            ([[("z", "s", 0, 1)], [("a", "s", 0, 2)]], 2),
            # Stored together, the greater id by code point.
            ([[("a", "s", 0, 1), ("B", "s", 0, 2)]], 1),
            ([[("B", "s", 0, 1), ("a", "s", 0, 2)]], 2),
            # Of equal ids, the greater source.
            ([[("a", "s", 0, 1), ("a", "S", 0, 2)]], 1),
            # An event without a value is not in the way.
            ([[("a", "s", 0, 1)], [("b", "s", 1, "null")]], 1),
        ],
    )
    @pytest.mark.parametrize("axis", [Whole(), Tumbling(WindowSize.DAY)])
    async def test_of_events_at_one_time_the_latest_is_never_arbitrary(
        self,
        store: EventStore,
        namespace: str,
        *,
        appends: list[list[tuple[str, str, int, Any]]],
        latest: int,
        axis: Axis,
    ) -> None:
        for batch in appends:
            await store.append(
                [
                    event(
                        namespace,
                        id=id_,
                        source=source,
                        time=NOON + timedelta(microseconds=time),
                        data=f'{{"v": {value}}}',
                    )
                    for id_, source, time, value in batch
                ]
            )
        query = UsageQuery(namespace=namespace, measure=_measure(Aggregation.LATEST), axis=axis)
        assert [row.value for row in await rows(store, query)] == [latest]

    async def test_no_event_is_no_row(self, store: EventStore, namespace: str) -> None:
        for aggregation in Aggregation:
            query = UsageQuery(namespace=namespace, measure=_measure(aggregation))
            assert await rows(store, query) == []
            within = replace(query, start=NOON, end=NOON + timedelta(days=1))
            assert await rows(store, within) == []

    async def test_another_namespace_adds_nothing(self, store: EventStore, namespace: str) -> None:
        await _append_days(store, namespace, [1])
        await _append_days(store, f"{namespace}-other", [2, 3])
        (row,) = await rows(store, UsageQuery(namespace=namespace, measure=_measure()))
        assert row.value == 1

    async def test_more_rows_than_asked_for_are_refused_before_the_first(
        self, store: EventStore, namespace: str
    ) -> None:
        await _append_days(store, namespace, range(5))
        query = UsageQuery(namespace=namespace, measure=_measure(), axis=Tumbling(WindowSize.DAY))
        assert len(await rows(store, query, rows_max=5)) == 5
        with pytest.raises(InvalidInput, match="more than 4 rows"):
            async with store.usage(query, rows_max=4):
                pytest.fail("there is an answer")

    async def test_a_long_answer_comes_whole_and_in_order(
        self, store: EventStore, namespace: str
    ) -> None:
        """Longer than one fetch from the database."""
        await store.append(
            [
                event(namespace, time=NOON + timedelta(minutes=i), data=f'{{"v": {i}}}')
                for i in range(4_500)
            ]
        )
        query = UsageQuery(
            namespace=namespace, measure=_measure(), axis=Tumbling(WindowSize.MINUTE)
        )
        assert [row.value for row in await rows(store, query, rows_max=5_000)] == list(range(4_500))

    async def test_an_answer_may_be_left_half_read(self, store: EventStore, namespace: str) -> None:
        await _append_days(store, namespace, range(5))
        query = UsageQuery(namespace=namespace, measure=_measure(), axis=Tumbling(WindowSize.DAY))
        async with store.usage(query, rows_max=10) as batches:
            first, *_ = await anext(batches)
            assert first.value == 0
        assert len(await rows(store, query)) == 5
