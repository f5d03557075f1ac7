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

from monometer.core.errors import InvalidInput, Unavailable

# Kept in two generations of so many, 80 bytes each: 16 MB at most.
GENERATION_KEYS = 100_000


@dataclass(frozen=True, eq=False, slots=True)
class _Appending:
    keys: KeysView[bytes]
    ended: "asyncio.Future[BaseException | None]"


@dataclass(frozen=True, slots=True)
class Claim:
    """An append's keys. `met`: these may be stored. `taken`: an earlier append is storing them."""

    met: AbstractSet[bytes]
    taken: Mapping[bytes, "asyncio.Future[BaseException | None]"]

    async def left(self) -> list[bytes]:
        """Those of `taken` that were not stored, because of another event beside them.

        Waits for all; each append waits for earlier ones only. Raises Unavailable when one of them
        has failed otherwise: trying again at once would take as long to fail.
        """
        if self.taken:
            await asyncio.wait(set(self.taken.values()))
        failed = {key: error for key, one in self.taken.items() if (error := one.result())}
        for error in failed.values():
            if not isinstance(error, InvalidInput):
                raise Unavailable("the database did not store an event; try again") from error
        return list(failed)


class RecentKeys:
    def __init__(self) -> None:
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._appending: list[_Appending] = []

    @asynccontextmanager
    async def claimed(self, keys: KeysView[bytes]) -> AsyncIterator[Claim]:
        """Around an append of `keys`. When the block raises, the append has failed."""
        met = (keys & self._young) | (keys & self._old)
        # The earliest that has a key is the one that stores it.
        taken = {key: one.ended for one in reversed(self._appending) for key in met & one.keys}
        self._remember(keys)
        mine = _Appending(keys, asyncio.get_running_loop().create_future())
        self._appending.append(mine)
        error: BaseException | None = None
        try:
            yield Claim(met - taken.keys(), taken)
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._appending.remove(mine)
            mine.ended.set_result(error)

    def _remember(self, keys: KeysView[bytes]) -> None:
        self._young.update(keys)
        if len(self._young) >= GENERATION_KEYS:
            self._young, self._old = set(), self._young
