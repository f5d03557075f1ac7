"""What is asked of every event store: keep events once, list them, tell their values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conformance.asking import listed
from tests.support.events import NOON, event

from monometer.core.errors import InvalidInput
from monometer.core.event import Event, StoredEvent, event_key, parse_json
from monometer.core.expression import (
    EVERYTHING,
    Attribute,
    Compare,
    Like,
    Literal,
    OneOf,
    Text,
)
from monometer.core.jsonpath import parse
from monometer.store.event_store import EventOrder, EventPage, EventStore, Position, SeenType
from monometer.store.postgres_events import LOOK_UPS


def as_values(one: Event) -> tuple[object, ...]:
    """An event with its data as values: a store may write JSON in its own way."""
    return *one[:6], one.data if one.data is None else parse_json(one.data), one.ingested_at


def place_of(stored: StoredEvent, order_by: EventOrder) -> tuple[datetime, bytes]:
    """What a list in that order is ordered by."""
    one = stored.event
    at = {"time": one.time, "ingested_at": one.ingested_at, "stored_at": stored.stored_at}
    return at[order_by], event_key(one.source, one.id)


class TestAppend:
    async def test_a_new_event_is_new_once(self, store: EventStore, namespace: str) -> None:
        one = event(namespace)
        assert await store.append([one]) == [True]
        assert await store.append([one]) == [False]
        assert await listed(store, namespace) == [one]

    async def test_nothing_appended_is_nothing_told(self, store: EventStore) -> None:
        assert await store.append([]) == []

    async def test_the_answer_stands_in_the_order_of_the_events(
        self, store: EventStore, namespace: str
    ) -> None:
        known, *new = [event(namespace, id=name) for name in "abcdefgh"]
        await store.append([known])
        assert await store.append([*new[:4], known, *new[4:]]) == [True] * 4 + [False] + [True] * 3

    async def test_a_duplicate_is_known_however_long_there_was_none(
        self, store: EventStore, namespace: str
    ) -> None:
        old = event(namespace)
        await store.append([old])
        for _ in range(LOOK_UPS + 1):
            assert await store.append([event(namespace)]) == [True]
        assert await store.append([event(namespace), old, event(namespace)]) == [True, False, True]
        assert await store.append([old, event(namespace)]) == [False, True]
        assert (await listed(store, namespace)).count(old) == 1

    async def test_of_equal_events_in_one_append_the_first_is_kept(
        self, store: EventStore, namespace: str
    ) -> None:
        first, second, third = [event(namespace, id="same", subject=name) for name in "abc"]
        assert await store.append([first, second, third]) == [True, False, False]
        assert await listed(store, namespace) == [first]

    async def test_the_first_event_ever_stored_stays(
        self, store: EventStore, namespace: str
    ) -> None:
        first = event(namespace, id="same", data='{"v": 1}')
        await store.append([first])
        changed = first._replace(data='{"v": 2}', subject="bob", time=NOON + timedelta(days=1))
        assert await store.append([changed, event(namespace, id="other")]) == [False, True]
        (kept,) = [one for one in await listed(store, namespace) if one.id == "same"]
        assert as_values(kept) == as_values(first)

    async def test_where_source_ends_and_id_begins_counts(
        self, store: EventStore, namespace: str
    ) -> None:
        told = await store.append(
            [
                event(namespace, source="a", id="bc"),
                event(namespace, source="ab", id="c"),
                event(namespace, source="", id="abc"),
                event(namespace, source="abc", id=""),
                event(namespace, source="1:a", id="bc"),
            ]
        )
        assert told == [True] * 5

    async def test_namespaces_are_apart(self, store: EventStore, namespace: str) -> None:
        other = f"{namespace}-other"
        assert await store.append([event(namespace, id="1"), event(other, id="1")]) == [True, True]
        assert [one.namespace for one in await listed(store, namespace)] == [namespace]
        assert await store.append([event(other, id="1"), event(namespace, id="2")]) == [False, True]

    async def test_an_event_comes_back_as_it_went_in(
        self, store: EventStore, namespace: str
    ) -> None:
        sent = [
            event(
                namespace,
                id="日本 \u00a0\t\n'\"\\",
                source="💥",
                type="",
                subject="%_\\",
                time=datetime(1000, 1, 1, 0, 0, 0, 1, UTC),
                ingested_at=datetime(9998, 12, 31, 23, 59, 59, 999_999, UTC),
                data='{"é": "\\u00e9", "n": [1.50, -0, 1e3, 12345678901234567890.5], "n0": null}',
            ),
            event(namespace, data="null"),
            event(namespace, data=None),
            event(namespace, data='{"a": 1, "a": {"b": [true, false, ""]}}'),
        ]
        await store.append(sent)
        found = {one.id: as_values(one) for one in await listed(store, namespace)}
        assert found == {one.id: as_values(one) for one in sent}

    @pytest.mark.parametrize(
        "bad",
        [
            {"subject": "a\0b"},
            {"id": "\0"},
            {"data": '{"a": "\\u0000"}'},
            {"data": '{"\\u0000": 1}'},
            {"subject": "\ud800"},
            {"id": "\udfff"},
            {"data": '{"a": ["\\ud800"]}'},
        ],
        ids=ascii,
    )
    async def test_an_event_that_cannot_be_kept_leaves_nothing_of_its_append(
        self, store: EventStore, namespace: str, bad: dict[str, Any]
    ) -> None:
        good = [event(namespace, id=f"good {i}") for i in range(3)]
        cannot_be_kept = event(namespace)._replace(**bad)
        with pytest.raises(InvalidInput):
            await store.append([*good[:2], cannot_be_kept, *good[2:]])
        assert await listed(store, namespace) == []
        assert await store.append(good) == [True] * 3


class TestListing:
    async def test_newest_first_then_by_key(self, store: EventStore, namespace: str) -> None:
        sent = [
            event(namespace, id=str(i), time=NOON + timedelta(microseconds=i % 3))
            for i in range(20)
        ]
        await store.append(sent)
        in_order = sorted(sent, key=lambda one: (one.time, event_key(one.source, one.id)))
        assert await listed(store, namespace) == in_order[::-1]

    async def test_pages_show_every_event_once_while_others_append(
        self, store: EventStore, namespace: str
    ) -> None:
        sent = [event(namespace, id=str(i), time=NOON + timedelta(hours=i // 4)) for i in range(30)]
        await store.append(sent)
        seen: list[Event] = []
        after = None
        for _ in range(5):
            page = await listed(store, namespace, limit=7, after=after)
            seen += page
            after = Position(page[-1].time, event_key(page[-1].source, page[-1].id))
            await store.append([event(namespace, time=NOON + timedelta(days=9), subject="late")])
        assert sorted(seen) == sorted(sent)
        assert await listed(store, namespace, limit=7, after=after) == []

    @pytest.mark.parametrize("descending", [True, False])
    @pytest.mark.parametrize("order_by", ["time", "ingested_at", "stored_at"])
    async def test_pages_follow_any_instant_in_either_direction(
        self, store: EventStore, namespace: str, order_by: EventOrder, descending: bool
    ) -> None:
        for day, hours in enumerate((5, 3, 4, 3, 1, 3)):
            at = NOON - timedelta(hours=hours)
            late = NOON + timedelta(days=day // 2)
            await store.append([event(namespace, id=str(day), time=at, ingested_at=late)])
        page = EventPage(namespace=namespace, limit=10, order_by=order_by, descending=descending)
        whole = await store.list_events(page)
        places = [place_of(one, order_by) for one in whole]
        assert len(places) == 6
        assert places == sorted(places, reverse=descending)
        found: list[StoredEvent] = []
        while len(found) < len(whole):
            after = Position(*place_of(found[-1], order_by)) if found else None
            found += await store.list_events(replace(page, limit=2, after=after))
        assert found == whole

    async def test_a_page_holds_what_the_predicate_takes(
        self, store: EventStore, namespace: str
    ) -> None:
        names = ["ann", "Anna", "bob"]
        await store.append([event(namespace, subject=name) for name in names])
        where = Like(Attribute("subject"), "ann%", ignore_case=True)
        page = await store.list_events(EventPage(namespace=namespace, where=where, limit=10))
        assert {one.event.subject for one in page} == {"ann", "Anna"}

    async def test_a_list_goes_either_way_and_passes_over_what_it_is_told_to(
        self, store: EventStore, namespace: str
    ) -> None:
        events = [event(namespace, time=NOON + timedelta(hours=n)) for n in range(5)]
        await store.append(events)
        for descending, expected in ((True, events[::-1]), (False, events)):
            page = EventPage(namespace=namespace, limit=2, offset=1, descending=descending)
            assert [one.event for one in await store.list_events(page)] == expected[1:3]
        last = events[1]
        after = Position(last.time, event_key(last.source, last.id))
        page = EventPage(namespace=namespace, limit=9, after=after, descending=False)
        assert [one.event for one in await store.list_events(page)] == events[2:]
        beyond = EventPage(namespace=namespace, limit=9, offset=10**30)
        assert await store.list_events(beyond) == []

    async def test_as_many_are_counted_as_are_listed(
        self, store: EventStore, namespace: str
    ) -> None:
        await store.append([event(namespace, type=name) for name in "aab"])
        a = Compare("=", Attribute("type"), Literal("a"))
        assert await store.count_events(namespace, EVERYTHING) == 3
        assert await store.count_events(namespace, a) == 2
        assert await store.count_events(f"{namespace}-other", EVERYTHING) == 0

    async def test_events_are_found_by_their_keys(self, store: EventStore, namespace: str) -> None:
        one, other = event(namespace), event(namespace)
        await store.append([one, other])
        keys = [event_key(one.source, one.id), bytes(16)]
        assert [found.event for found in await store.find_events(namespace, keys)] == [one]
        assert await store.find_events(f"{namespace}-other", keys) == []

    async def test_types_tell_how_many_events_they_have_and_when(
        self, store: EventStore, namespace: str
    ) -> None:
        later = NOON + timedelta(hours=1)
        await store.append(
            [
                event(namespace, type="b"),
                event(namespace, type="a", time=later),
                event(namespace, type="a"),
            ]
        )
        found = await store.types(namespace, EVERYTHING, types_max=2)
        assert found == [SeenType("a", 2, NOON, later), SeenType("b", 1, NOON, NOON)]
        with pytest.raises(InvalidInput):
            await store.types(namespace, EVERYTHING, types_max=1)

    async def test_the_time_of_storing_is_the_appends_own(
        self, store: EventStore, namespace: str
    ) -> None:
        await store.append([event(namespace, id="1"), event(namespace, id="2")])
        await store.append([event(namespace, id="3")])
        page = await store.list_events(EventPage(namespace=namespace, limit=3))
        at = {one.event.id: one.stored_at for one in page}
        assert at["1"] == at["2"] < at["3"]


class TestDistinct:
    async def test_values_are_told_once_in_the_order_of_code_points(
        self, store: EventStore, namespace: str
    ) -> None:
        names = ["b", "a", "B", "é", "", "a", "\U0001f4a5", "\uffff"]
        await store.append([event(namespace, subject=name) for name in names])
        found = await store.distinct(namespace, Attribute("subject"), EVERYTHING, values_max=10)
        assert found == sorted(set(names))

    async def test_only_what_the_predicate_takes_counts(
        self, store: EventStore, namespace: str
    ) -> None:
        await store.append(
            [
                event(namespace, time=NOON + timedelta(days=day), data=f'{{"g": "{day % 2}"}}')
                for day in range(4)
            ]
        )
        of = Text(parse("$.g"), "")
        early = Compare("<", Attribute("time"), Literal(NOON + timedelta(hours=1)))
        assert await store.distinct(namespace, of, early, values_max=10) == ["0"]
        nobody = OneOf(Attribute("subject"), ())
        assert await store.distinct(namespace, of, nobody, values_max=10) == []

    async def test_what_is_absent_is_no_value(self, store: EventStore, namespace: str) -> None:
        await store.append([event(namespace, data=data) for data in ('{"g": "x"}', "{}", None)])
        assert await store.distinct(namespace, Text(parse("$.g")), EVERYTHING, values_max=1) == [
            "x"
        ]

    async def test_more_values_than_asked_for_are_refused(
        self, store: EventStore, namespace: str
    ) -> None:
        await store.append([event(namespace, subject=name) for name in "abc"])
        of = Attribute("subject")
        assert len(await store.distinct(namespace, of, EVERYTHING, values_max=3)) == 3
        with pytest.raises(InvalidInput, match="more than 2 values"):
            await store.distinct(namespace, of, EVERYTHING, values_max=2)
