"""What a store has met lately, and what it waits for."""

import asyncio

import pytest

from monometer.store import recent_keys
from monometer.store.recent_keys import RecentKeys


def keys(*names: str) -> dict[bytes, None]:
    return dict.fromkeys(name.encode() for name in names)


async def met(recent: RecentKeys, *names: str) -> set[bytes]:
    async with recent.appending(keys(*names).keys()) as found:
        return set(found)


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


async def test_an_append_waits_for_the_one_under_way_that_has_one_of_its_keys() -> None:
    recent = RecentKeys()
    async with recent.appending(keys("a", "b").keys()):
        others = asyncio.create_task(met(recent, "c"))
        same = asyncio.create_task(met(recent, "b", "d"))
        assert await others == set()
        await asyncio.sleep(0.01)
        assert not same.done()
    assert await same == {b"b"}


async def test_an_append_that_fails_keeps_nobody_waiting() -> None:
    recent = RecentKeys()

    async def fail() -> None:
        async with recent.appending(keys("a").keys()):
            await asyncio.sleep(0.01)
            raise OSError("gone")

    failing = asyncio.create_task(fail())
    await asyncio.sleep(0)
    same = asyncio.create_task(met(recent, "a"))
    with pytest.raises(OSError, match="gone"):
        await failing
    assert await same == {b"a"}


async def test_nobody_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_keys, "EARLIER_WAIT_S", 0.01)
    recent = RecentKeys()
    async with recent.appending(keys("a").keys()):
        assert await met(recent, "a") == {b"a"}
