"""The event store in PostgreSQL: COPY in, one SELECT out."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg
from asyncpg.pgproto.pgproto import UUID
from sqlalchemy import ARRAY, Row, Select, Text, any_, func, literal, select, tuple_
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.errors import InvalidInput, Unavailable
from monometer.core.event import Event, StoredEvent, event_key
from monometer.core.expression import Expression, Predicate
from monometer.core.usage import UsageQuery, UsageRow
from monometer.store.engine import driver_connection, ensure_committed, reading, translated
from monometer.store.event_copy import COLUMNS, copy_rows
from monometer.store.event_store import EventPage, Reading, SeenType
from monometer.store.expression_sql import predicate_sql, value_sql
from monometer.store.pages import OFFSET_MAX
from monometer.store.recent_keys import Claim, RecentKeys
from monometer.store.tables import event
from monometer.store.usage_reading import explain_usage, read_usage

# All keys are looked up before COPY, not only those met before, for so many appends after a
# duplicate that nobody here had met: where one comes from there are more. A look-up costs a quarter
# of storing an event; a COPY that fails at a duplicate leaves dead rows.
LOOK_UPS = 64

# Which of these keys are stored already, so that COPY below rarely fails. LATERAL with LIMIT is one
# look-up in the primary key for each: a planner without statistics would read a whole index.
_KNOWN = """
SELECT one.key
FROM unnest($2::uuid[]) AS one (key),
     LATERAL (SELECT FROM event WHERE namespace = $1 AND event.key = one.key LIMIT 1) AS known
"""

# The same insert as the COPY, for when another writer stored one of the keys in between.
_INSERT = """
INSERT INTO event (namespace, key, source, id, type, subject, time, data, ingested_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::timestamptz[], $8::jsonb[], $9::timestamptz[])
ON CONFLICT (namespace, key) DO NOTHING
RETURNING namespace, key
"""

# The namespace and event_key(): compared often, which bytes do faster than tuples and UUIDs.
Key = bytes
_EVENT_KEY = slice(-16, None)


class PostgresEventStore:
    """An EventStore over a pool of connections that it does not own."""

    def __init__(self, engine: AsyncEngine, *, projections: bool = True) -> None:
        self._engine = engine
        self._projections = projections
        self._look_ups = LOOK_UPS
        self._recent = RecentKeys()

    async def append(self, events: Sequence[Event]) -> list[bool]:
        with translated():
            keys = [one.namespace.encode() + event_key(one.source, one.id) for one in events]
        wanted = dict(zip(reversed(keys), reversed(events), strict=True))  # the first one wins
        # Every writer takes keys in the same order, so two of them cannot wait for each other.
        rows = {key: wanted[key] for key in sorted(wanted)}
        async with self._recent.claimed(rows.keys()) as claim:
            new = await self._append(rows, claim)
        if len(new) == len(keys):
            return [True] * len(keys)
        return [_first(key, new) for key in keys]

    async def _append(self, rows: dict[Key, Event], claim: Claim) -> set[Key]:
        """Returns which were new."""
        mine = rows
        if claim.taken:
            mine = {key: one for key, one in rows.items() if key not in claim.taken}
        self._look_ups -= self._look_ups > 0
        try:
            new = await self._copy(mine, mine.keys() if self._look_ups else claim.met)
        except asyncpg.UniqueViolationError:
            new = await self._insert(mine)
        if not mine.keys() - new <= claim.met:
            self._look_ups = LOOK_UPS
        left = await claim.left()
        return new | await self._append_late({key: rows[key] for key in left}, new) if left else new

    async def _append_late(self, rows: dict[Key, Event], stored: set[Key]) -> set[Key]:
        """What another append was to store. `stored` by this one are some of its events already."""
        try:
            return await self._insert({key: rows[key] for key in sorted(rows)})
        except InvalidInput as error:
            if not stored:
                raise
            raise Unavailable("not all events could be stored; try again") from error

    async def _copy(self, rows: dict[Key, Event], doubtful: AbstractSet[Key]) -> set[Key]:
        """Looks up those of `doubtful`, and stores what is not known.

        Raises UniqueViolationError when one of the keys is stored, and was not looked for.
        """
        async with driver_connection(self._engine) as driver:
            known = await _known(driver, rows, doubtful) if doubtful else set()
            new = {key: one for key, one in rows.items() if key not in known} if known else rows
            if new:
                source = copy_rows((key[_EVENT_KEY], one) for key, one in new.items())
                await driver.copy_to_table("event", source=source, columns=COLUMNS, format="binary")
            ensure_committed(driver)
        return set(new)

    async def _insert(self, rows: dict[Key, Event]) -> set[Key]:
        records = [_record(key, one) for key, one in rows.items()]
        async with driver_connection(self._engine) as driver:
            stored = await driver.fetch(_INSERT, *zip(*records, strict=True))
            ensure_committed(driver)
        return {record[0].encode() + record[1].bytes for record in stored}

    def usage(
        self, query: UsageQuery, *, rows_max: int
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[UsageRow]]]:
        return read_usage(self._engine, query, rows_max=rows_max, projections=self._projections)

    async def explain(self, query: UsageQuery, *, rows_max: int) -> Reading:
        return await explain_usage(
            self._engine, query, rows_max=rows_max, projections=self._projections
        )

    async def list_events(self, page: EventPage) -> list[StoredEvent]:
        at, key = event.c[page.order_by], event.c.key
        statement = (
            _stored(page.namespace)
            .where(predicate_sql(page.where))
            .order_by(*((at.desc(), key.desc()) if page.descending else (at, key)))
            .limit(page.limit)
        )
        if page.offset:
            statement = statement.offset(min(page.offset, OFFSET_MAX))
        if page.after is not None:
            position = tuple_(page.after.at, UUID(page.after.key))
            place = tuple_(at, key)
            statement = statement.where(place < position if page.descending else place > position)
        async with reading(self._engine) as connection:
            return [_stored_event_from_row(row) for row in await connection.execute(statement)]

    async def count_events(self, namespace: str, where: Predicate) -> int:
        statement = (
            select(func.count())
            .select_from(event)
            .where(event.c.namespace == namespace, predicate_sql(where))
        )
        async with reading(self._engine) as connection:
            counted: int = (await connection.execute(statement)).scalar_one()
        return counted

    async def find_events(self, namespace: str, keys: Collection[bytes]) -> list[StoredEvent]:
        ids = literal([UUID(key) for key in keys], ARRAY(postgresql.UUID(as_uuid=True)))
        statement = _stored(namespace).where(event.c.key == any_(ids))
        async with reading(self._engine) as connection:
            return [_stored_event_from_row(row) for row in await connection.execute(statement)]

    async def types(self, namespace: str, where: Predicate, *, types_max: int) -> list[SeenType]:
        statement = (
            select(event.c.type, func.count(), func.min(event.c.time), func.max(event.c.time))
            .where(event.c.namespace == namespace, predicate_sql(where))
            .group_by(event.c.type)
            .order_by(event.c.type)
            .limit(types_max + 1)
        )
        async with reading(self._engine) as connection:
            found = [SeenType(*row) for row in await connection.execute(statement)]
        if len(found) > types_max:
            raise InvalidInput(f"there are more than {types_max} event types; ask for fewer")
        return found

    async def distinct(
        self, namespace: str, of: Expression, where: Predicate, *, values_max: int
    ) -> list[str]:
        value = value_sql(of)
        statement = (
            select(value.label("value"))
            .distinct()
            .where(event.c.namespace == namespace, predicate_sql(where), value.is_not(None))
            .order_by("value")
            .limit(values_max + 1)
        )
        async with reading(self._engine) as connection:
            values = [row.value for row in await connection.execute(statement)]
        if len(values) > values_max:
            raise InvalidInput(f"there are more than {values_max} values; ask for a shorter period")
        return values


def _stored(namespace: str) -> Select[Any]:
    columns = select(event, sql_cast(event.c.data, Text).label("text"))
    return columns.where(event.c.namespace == namespace)


def _record(key: Key, one: Event) -> tuple[Any, ...]:
    """In the order of _INSERT."""
    return (
        one.namespace, UUID(key[_EVENT_KEY]), one.source, one.id, one.type, one.subject,
        one.time, one.data, one.ingested_at,
    )  # fmt: skip


async def _known(
    driver: "asyncpg.Connection[asyncpg.Record]",
    rows: dict[Key, Event],
    doubtful: AbstractSet[Key],
) -> set[Key]:
    """Those of `doubtful` that are stored."""
    of_namespaces: defaultdict[str, list[UUID]] = defaultdict(list)
    for key in doubtful:
        of_namespaces[rows[key].namespace].append(UUID(key[_EVENT_KEY]))
    known: set[Key] = set()
    for namespace, keys in of_namespaces.items():
        found = await driver.fetch(_KNOWN, namespace, keys)
        known.update(namespace.encode() + record[0].bytes for record in found)
    return known


def _first(key: Key, new: set[Key]) -> bool:
    """Whether `key` is new; a second one of the same batch is not."""
    if key not in new:
        return False
    new.remove(key)
    return True


def _stored_event_from_row(row: Row[Any]) -> StoredEvent:
    one = Event(
        namespace=row.namespace,
        id=row.id,
        source=row.source,
        type=row.type,
        subject=row.subject,
        time=row.time,
        data=row.text,
        ingested_at=row.ingested_at,
    )
    return StoredEvent(one, row.stored_at)
