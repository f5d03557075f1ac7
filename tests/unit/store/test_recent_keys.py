"""What a store has met lately, and what it waits for."""

import asyncio

import pytest

from monometer.core.errors import InvalidInput, Unavailable
from monometer.store import recent_keys
from monometer.store.recent_keys import RecentKeys


def keys(*names: str) -> dict[bytes, None]:
    return dict.fromkeys(name.encode() for name in names)


async def met(recent: RecentKeys, *names: str) -> set[bytes]:
    async with recent.claimed(keys(*names).keys()) as claim:
        assert not claim.taken
        return set(claim.met)


async def test_a_key_is_met_from_its_first_append_on() -> None:
    recent = RecentKeys()
    assert await met(recent, "a", "b") == set()
    assert await met(recent, "b", "c") == {b"b"}
    assert await met(recent, "a", "c", "d") == {b"a", b"c"}


async def test_a_key_is_remembered_for_a_generation_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recent_keys, "GENERATION_KEYS", 3)
    recent = RecentKeys()
    await met(recent, "a", "b", "c")
    await met(recent, "d", "e")
    assert await met(recent, "a") == {b"a"}
    await met(recent, "f", "g", "h")
    assert await met(recent, "b") == set()


async def test_a_key_that_is_being_stored_is_left_to_the_append_that_does_it() -> None:
    recent = RecentKeys()
    await met(recent, "a", "b")
    async with recent.claimed(keys("b", "c").keys()):
        second = asyncio.create_task(taken_and_left(recent, "a", "b", "c"))
        await asyncio.sleep(0.01)
        assert not second.done()
    assert await second == ({b"b", b"c"}, [])


async def test_what_a_refused_append_was_to_store_is_left_for_those_who_waited() -> None:
    recent = RecentKeys()
    failing = asyncio.create_task(fail(recent, InvalidInput("poison"), "a", "b"))
    await asyncio.sleep(0)
    second = asyncio.create_task(taken_and_left(recent, "a", "c"))
    await asyncio.sleep(0)
    third = asyncio.create_task(taken_and_left(recent, "b", "c"))
    with pytest.raises(InvalidInput):
        await failing
    assert await second == ({b"a"}, [b"a"])
    assert await third == ({b"b", b"c"}, [b"b"])


async def test_when_the_database_fails_one_append_those_who_waited_fail_at_once() -> None:
    recent = RecentKeys()
    failing = asyncio.create_task(fail(recent, OSError("gone"), "a"))
    await asyncio.sleep(0)
    second = asyncio.create_task(taken_and_left(recent, "a", "b"))
    await asyncio.sleep(0)
    third = asyncio.create_task(taken_and_left(recent, "b"))
    with pytest.raises(OSError, match="gone"):
        await failing
    for waiting in (second, third):
        with pytest.raises(Unavailable):
            await waiting


async def taken_and_left(recent: RecentKeys, *names: str) -> tuple[set[bytes], list[bytes]]:
    async with recent.claimed(keys(*names).keys()) as claim:
        return set(claim.taken), await claim.left()


async def fail(recent: RecentKeys, error: Exception, *names: str) -> None:
    async with recent.claimed(keys(*names).keys()):
        await asyncio.sleep(0.01)
        raise error
