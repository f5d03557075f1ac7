"""Which keys a store has met lately: a hint of what may be stored already, never an answer.

Senders repeat what they sent a moment ago, so looking up the keys that were met before finds nearly
every duplicate. An older one, and one that another server stored, makes COPY fail, and is found all
the same.
"""

import asyncio
from collections.abc import AsyncIterator, KeysView
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

# Kept in two generations of so many, 80 bytes each: 16 MB at most.
GENERATION_KEYS = 100_000
EARLIER_WAIT_S = 1.0  # then COPY waits instead, in the database


@dataclass(eq=False, slots=True)
class _Appending:
    keys: KeysView[bytes]
    over: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class RecentKeys:
    def __init__(self) -> None:
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._appending: list[_Appending] = []

    @asynccontextmanager
    async def appending(self, keys: KeysView[bytes]) -> AsyncIterator[AbstractSet[bytes]]:
        """Around an append of `keys`: gives those of them that were met before.

        They may be in an append under way. It is waited for, since a look-up finds only what is
        committed. Each waits for earlier ones, so not in a circle.
        """
        met = (keys & self._young) | (keys & self._old)
        earlier = [one.over for one in self._appending if met and not met.isdisjoint(one.keys)]
        self._remember(keys)
        mine = _Appending(keys)
        self._appending.append(mine)
        try:
            if earlier:
                await asyncio.wait(earlier, timeout=EARLIER_WAIT_S)
            yield met
        finally:
            self._appending.remove(mine)
            mine.over.set_result(None)

    def _remember(self, keys: KeysView[bytes]) -> None:
        self._young.update(keys)
        if len(self._young) >= GENERATION_KEYS:
            self._young, self._old = set(), self._young
