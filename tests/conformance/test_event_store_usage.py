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

HOUR = timedelta(hours=1)


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

    async def test_a_customer_has_the_usage_of_all_its_subjects_and_nobody_else_has_it(
        self, store: EventStore, namespace: str
    ) -> None:
        await store.append(
            [
                event(namespace, subject=subject, time=NOON + hour * HOUR, data=f'{{"v": {value}}}')
                for subject, hour, value in [
                    ("ann", 0, "1"), ("ann", 30, "2"), ("bob", 0, "4"), ("bob", 1, "8"),
                    ("cid", 0, "16"), ("dan", 0, "32"), ("eve", 30, "64"),
                ]
            ]
        )  # fmt: skip
        owned = {"ann": "é", "bob": "é", "cid": "Z", "nobody": "a"}
        everyone = UsageQuery(namespace=namespace, measure=_measure(), attribution=owned)
        expected: list[Any] = [("Z", 16), ("é", 15), (None, 96)]
        assert [(row.customer, row.value) for row in await rows(store, everyone)] == expected
        daily = replace(everyone, axis=Tumbling(WindowSize.DAY), subjects=tuple(owned))
        expected = [(0, "Z", 16), (0, "é", 13), (1, "é", 2)]
        assert [
            (row.period.start.day - NOON.day, row.customer, row.value)
            for row in await rows(store, daily)
        ] == expected
        both = replace(everyone, by_subject=True, start=NOON + HOUR, group_by=("g",))
        expected = [("ann", "é", ("",), 2), ("bob", "é", ("",), 8), ("eve", None, ("",), 64)]
        assert [
            (row.subject, row.customer, row.group, row.value) for row in await rows(store, both)
        ] == expected

    @pytest.mark.parametrize("aggregation", Aggregation)
    async def test_a_customers_usage_is_that_of_one_subject_that_did_it_all(
        self, store: EventStore, namespace: str, aggregation: Aggregation
    ) -> None:
        """Values of its subjects are merged as any others: distinct ones once, means by weight."""
        made = [("ann", 0, "1"), ("ann", 1, "2"), ("bob", 0, "2"), ("bob", 2, "9"), ("cid", 3, "5")]
        measure = _measure(aggregation)
        if aggregation is Aggregation.UNIQUE_COUNT:
            measure = replace(measure, value=Text(parse("$.v")))
        for where, subjects in (("many", None), ("one", "ann")):
            await store.append(
                [
                    event(
                        f"{namespace}-{where}", subject=subjects or subject,
                        time=NOON + hour * HOUR, data=f'{{"v": {value}}}',
                    )
                    for subject, hour, value in made
                ]
            )  # fmt: skip
        of_one = UsageQuery(namespace=f"{namespace}-one", measure=measure, subjects=("ann",))
        of_many = replace(
            of_one,
            namespace=f"{namespace}-many",
            subjects=("ann", "bob", "cid"),
            attribution=dict.fromkeys(("ann", "bob", "cid"), "acme"),
        )
        [expected] = await rows(store, of_one)
        assert await rows(store, of_many) == [expected._replace(customer="acme")]

    async def test_without_a_subject_nobody_has_usage(
        self, store: EventStore, namespace: str
    ) -> None:
        await _append_days(store, namespace, range(3))
        query = UsageQuery(
            namespace=namespace, measure=_measure(Aggregation.COUNT), subjects=(), attribution={}
        )
        assert await rows(store, query) == []

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
