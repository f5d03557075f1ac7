"""Subjects: what is known of those whose usage is measured."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.errors import InvalidInput, NotFound
from monometer.core.subject import STRIPE_CUSTOMER_PREFIX, Subject
from monometer.store import subjects
from monometer.store.engine import reading, transaction

LIST_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectUpsert:
    """`changes` holds members of Subject by their names: what is not in it stays as it is."""

    key: str
    changes: Mapping[str, Any]


class Subjects:
    """The subjects of all namespaces. `now` and `new_id` are the clock and the source of ULIDs."""

    def __init__(
        self, engine: AsyncEngine, *, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._now = now
        self._new_id = new_id

    async def upsert(self, namespace: str, wanted: Sequence[SubjectUpsert]) -> list[Subject]:
        """Create or change each in turn, all in one transaction; each as it is after its turn.

        Raises InvalidInput.
        """
        for one in wanted:
            stripe = one.changes.get("stripe_customer_id")
            if stripe is not None and not stripe.startswith(STRIPE_CUSTOMER_PREFIX):
                raise InvalidInput(
                    f"stripeCustomerId of {one.key} must start with {STRIPE_CUSTOMER_PREFIX}"
                )
        now = self._now()
        keys = list(dict.fromkeys(one.key for one in wanted))
        ids = sorted(self._new_id() for _ in keys)  # in the order of the request
        new = [
            Subject(namespace=namespace, id=id_, key=key, created_at=now, updated_at=now)
            for id_, key in zip(ids, keys, strict=True)
        ]
        async with transaction(self._engine) as connection:
            found: dict[str, Subject] = {}
            while len(found) < len(keys):  # again, where somebody deleted one in between
                await subjects.create_missing(connection, [s for s in new if s.key not in found])
                found = await subjects.lock_live(connection, namespace, keys)
            after = []
            for one in wanted:
                found[one.key] = replace(found[one.key], updated_at=now, **one.changes)
                after.append(found[one.key])
            await subjects.update(connection, list(found.values()))
        return after

    async def subjects(self, namespace: str) -> list[Subject]:
        """All live ones, in the order of their creation. Raises InvalidInput above LIST_MAX."""
        async with reading(self._engine) as connection:
            found = await subjects.list_(connection, namespace, subjects_max=LIST_MAX + 1)
        if len(found) > LIST_MAX:
            raise InvalidInput(f"there are more than {LIST_MAX} subjects; ask for one by its key")
        return found

    async def subject(self, namespace: str, id_or_key: str) -> Subject:
        """By key a live subject, by id also a deleted one. Raises NotFound."""
        async with reading(self._engine) as connection:
            return _found(await subjects.find(connection, namespace, id_or_key), id_or_key)

    async def display_names(
        self, namespace: str, keys: Collection[str] | None
    ) -> Mapping[str, str | None]:
        """Key → display name of live subjects; of all for None, and of none above LIST_MAX."""
        async with reading(self._engine) as connection:
            names = await subjects.display_names(
                connection, namespace, keys, subjects_max=LIST_MAX + 1
            )
        return {} if len(names) > LIST_MAX else names

    async def delete(self, namespace: str, id_or_key: str) -> None:
        """Its usage stays. By id it may be deleted again. Raises NotFound."""
        async with transaction(self._engine) as connection:
            found = await subjects.find(connection, namespace, id_or_key, lock=True)
            one = _found(found, id_or_key)
            if one.deleted_at is None:
                now = self._now()
                await subjects.update(connection, [replace(one, updated_at=now, deleted_at=now)])


def _found(subject: Subject | None, id_or_key: str) -> Subject:
    if subject is None:
        raise NotFound(f"subject not found: {id_or_key}")
    return subject
