"""Duplicates of another server, of long ago, and of an append that is under way."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.conformance.asking import listed
from tests.support.events import event

from monometer.core.errors import InvalidInput, Unavailable
from monometer.store import postgres_events
from monometer.store.postgres_events import LOOK_UPS, PostgresEventStore

BATCHES = 40


async def test_a_duplicate_of_another_server_is_known_however_long_there_was_none(
    engine: AsyncEngine, namespace: str
) -> None:
    one, other = PostgresEventStore(engine), PostgresEventStore(engine)
    old, older = event(namespace), event(namespace)
    assert await other.append([old, older]) == [True, True]
    for _ in range(LOOK_UPS + 1):
        assert await one.append([event(namespace)]) == [True]
    assert await one.append([event(namespace), old, event(namespace)]) == [True, False, True]
    assert await one.append([older, event(namespace), old]) == [False, True, False]
    assert len(await listed(one, namespace, limit=LOOK_UPS + 10)) == LOOK_UPS + 1 + 5


async def test_servers_that_do_not_look_keys_up_store_each_event_once(
    engine: AsyncEngine, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_events, "LOOK_UPS", 0)
    servers = [PostgresEventStore(engine) for _ in range(3)]
    sent = [event(namespace, id=str(number)) for number in range(BATCHES)]
    told = await asyncio.gather(
        *(
            servers[number % 3].append(sent[max(0, number - 5) : number + 1])
            for number in range(BATCHES)
        )
    )
    assert sum(map(sum, told)) == BATCHES
    assert len(await listed(servers[0], namespace, limit=2 * BATCHES)) == BATCHES


async def test_appends_under_way_together_store_what_they_share_once(
    engine: AsyncEngine, namespace: str
) -> None:
    store = PostgresEventStore(engine)
    sent = [event(namespace, id=str(number)) for number in range(BATCHES)]
    told = await asyncio.gather(
        *(store.append(sent[max(0, number - 5) : number + 1]) for number in range(BATCHES))
    )
    assert [answers[-1] for answers in told] == [True] * BATCHES
    assert sum(map(sum, told)) == BATCHES
    assert len(await listed(store, namespace, limit=2 * BATCHES)) == BATCHES


async def test_what_an_append_cannot_store_is_stored_by_the_one_that_waited_for_it(
    engine: AsyncEngine, namespace: str
) -> None:
    store = PostgresEventStore(engine)
    poison, shared, own = event(namespace, data="{"), event(namespace), event(namespace)
    failed, told = await asyncio.gather(
        store.append([poison, shared]), store.append([own, shared]), return_exceptions=True
    )
    assert isinstance(failed, InvalidInput)
    assert told == [True, True]
    assert {one.id for one in await listed(store, namespace)} == {own.id, shared.id}


async def test_an_append_that_has_stored_a_part_does_not_say_that_none_of_it_is(
    engine: AsyncEngine, namespace: str
) -> None:
    store = PostgresEventStore(engine)
    poison, own = event(namespace, data="{"), event(namespace)
    failed = await asyncio.gather(
        store.append([poison]),
        store.append([own, poison]),
        store.append([poison]),
        return_exceptions=True,
    )
    assert [type(one) for one in failed] == [InvalidInput, Unavailable, InvalidInput]
    assert await listed(store, namespace) == [own]
