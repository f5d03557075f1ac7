"""Which keys a store has met lately, and which it is storing just now.

Senders repeat what they sent a moment ago, so looking up the keys that were met before finds nearly
every duplicate: a hint, never an answer. An older one, and one that another server stored, makes
COPY fail, and is found all the same.
"""

import asyncio
from collections.abc import AsyncIterator, KeysView, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass

# Kept in two generations of so many, 80 bytes each: 16 MB at most.
GENERATION_KEYS = 100_000


@dataclass(frozen=True, eq=False, slots=True)
class _Appending:
    keys: KeysView[bytes]
    stored: "asyncio.Future[bool]"


@dataclass(frozen=True, slots=True)
class Claim:
    """An append's keys. `met`: these may be stored. `taken`: an earlier append is storing them."""

    met: AbstractSet[bytes]
    taken: Mapping[bytes, "asyncio.Future[bool]"]

    async def left(self) -> list[bytes]:
        """Those of `taken` whose append failed. Waits for all; each waits for earlier ones only."""
        if self.taken:
            await asyncio.wait(set(self.taken.values()))
        return [key for key, stored in self.taken.items() if not stored.result()]


class RecentKeys:
    def __init__(self) -> None:
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._appending: list[_Appending] = []

    @asynccontextmanager
    async def claimed(self, keys: KeysView[bytes]) -> AsyncIterator[Claim]:
        """Around an append of `keys`. When the block raises, the append has failed."""
        met = (keys & self._young) | (keys & self._old)
        taken = {key: one.stored for one in self._appending for key in met & one.keys}
        self._remember(keys)
        mine = _Appending(keys, asyncio.get_running_loop().create_future())
        self._appending.append(mine)
        succeeded = False
        try:
            yield Claim(met - taken.keys(), taken)
            succeeded = True
        finally:
            self._appending.remove(mine)
            mine.stored.set_result(succeeded)

    def _remember(self, keys: KeysView[bytes]) -> None:
        self._young.update(keys)
        if len(self._young) >= GENERATION_KEYS:
            self._young, self._old = set(), self._young
