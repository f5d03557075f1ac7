"""Deduplication between writers who do not know of each other."""

import asyncio
from collections import Counter

from tests.conformance.asking import listed
from tests.support.events import event

from monometer.core.event import Event
from monometer.store.event_store import EventStore


class TestConcurrentAppends:
    """Real concurrency for PostgreSQL: ten connections, keys that overlap in every way."""

    ROUNDS = 25
    WRITERS = 8
    KEYS = 60

    async def test_exactly_one_of_many_writers_is_told_that_an_event_is_new(
        self, store: EventStore, namespace: str
    ) -> None:
        for round_ in range(self.ROUNDS):
            batches = self._overlapping(namespace, round_)
            told = await asyncio.gather(*(store.append(batch) for batch in batches))
            new = Counter(
                one.id
                for batch, answers in zip(batches, told, strict=True)
                for one, answer in zip(batch, answers, strict=True)
                if answer
            )
            assert new == Counter({one.id for batch in batches for one in batch})

        stored = await listed(store, namespace, limit=10_000)
        assert Counter(one.id for one in stored) == Counter({one.id for one in stored})
        sent = {
            one.id for i in range(self.ROUNDS) for b in self._overlapping(namespace, i) for one in b
        }
        assert {one.id for one in stored} == sent

    def _overlapping(self, namespace: str, round_: int) -> list[list[Event]]:
        """Each writer has most keys of the round, in an order of its own, some of them twice."""
        ids = [f"{round_}/{i}" for i in range(self.KEYS)]
        batches = []
        for writer in range(self.WRITERS):
            mine = [one for i, one in enumerate(ids) if (i + writer) % 4]
            turned = mine[writer * 5 :] + mine[: writer * 5 + 3]
            ordered = turned if writer % 2 else turned[::-1]
            batches.append([event(namespace, id=one, subject=f"of {writer}") for one in ordered])
        return batches

    async def test_an_event_and_what_was_stored_with_it_stay_together(
        self, store: EventStore, namespace: str
    ) -> None:
        """Whoever is told True has stored what is kept: the others' versions are nowhere."""
        for round_ in range(self.ROUNDS):
            versions = [
                event(namespace, id=str(round_), subject=f"writer {writer}")
                for writer in range(self.WRITERS)
            ]
            told = await asyncio.gather(*(store.append([one]) for one in versions))
            (winner,) = [
                one for one, answer in zip(versions, told, strict=True) if answer == [True]
            ]
            kept = [one for one in await listed(store, namespace) if one.id == str(round_)]
            assert kept == [winner]
