"""Events for event schemas: what becomes of them is decided, stored and told in one transaction.

Who activates a usage meter or changes a schema waits for those under way, so what is told of an
event is what its meters count.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monometer.core.errors import NotFound
from monometer.core.event import Event, event_key
from monometer.core.event_schema import EventSchema, Status
from monometer.core.ingestion import (
    Ingestion,
    IngestionStatus,
    Metering,
    MeterUnits,
    metered,
    metering_of,
)
from monometer.core.numbers import plain
from monometer.core.sent_event import (
    Enrichment,
    EnrichmentFailed,
    SentEvent,
    enriched,
    enrichments_of,
    facts_of,
    id_of,
)
from monometer.services.accounts import subjects_of
from monometer.store import event_schemas, ingestions, usage_meters
from monometer.store.engine import reading, transaction
from monometer.store.ingestions import IngestionFilter

SOURCE = "togai"  # of every event that comes by this dialect: ids are unique in it
SENT_MAX = 100  # tellings of one event
_LONG = 200  # events times meters, above which others are served meanwhile

_WHY = {
    IngestionStatus.SCHEMA_NOT_DEFINED: "there is no active event schema of this name",
    IngestionStatus.ACCOUNT_NOT_FOUND: "there is no active account of this id or alias",
    IngestionStatus.NO_EVENT_ID: "the event has no id, and its schema makes none",
    IngestionStatus.UNITS_INVALID: "a computation comes to no number: {}",
    IngestionStatus.DUPLICATE_EVENT: "an event of this id has been ingested",
}
DESCRIPTION_CHARS_MAX = 250


class Sent(NamedTuple):
    """An event of a namespace."""

    namespace: str
    event: SentEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What becomes of an event that nobody has sent before."""

    sent: SentEvent
    status: IngestionStatus
    subject: str | None
    schema: EventSchema | None
    why: str | None = None
    units: Sequence[MeterUnits] = ()
    made: Sequence[tuple[str, str, str]] = ()


class Rulebook(NamedTuple):
    """What holds for the events of one request."""

    schemas: Mapping[str, EventSchema]
    fields: Mapping[str, Sequence[Enrichment]]
    meters: Mapping[str, Sequence[Metering]]
    subjects: Mapping[tuple[str, datetime], str]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestions:
    engine: AsyncEngine
    new_id: Callable[[], str]

    async def append(self, sent: Sequence[Sent]) -> list[IngestionStatus]:
        """What became of each, committed: all of them or none. Raises Unavailable, InvalidInput."""
        statuses: dict[int, IngestionStatus] = {}
        async with transaction(self.engine) as connection:
            # Every writer takes namespaces in the same order, as it does with keys.
            for namespace in sorted({one.namespace for one in sent}):
                places = [at for at, one in enumerate(sent) if one.namespace == namespace]
                found = await self._ingest(connection, namespace, [sent[at].event for at in places])
                statuses |= zip(places, found, strict=True)
        return [statuses[at] for at in range(len(sent))]

    async def _ingest(
        self, connection: AsyncConnection, namespace: str, sent: Sequence[SentEvent]
    ) -> list[IngestionStatus]:
        rules = await rulebook(connection, namespace, sent)
        if len(sent) * (1 + sum(map(len, rules.meters.values()))) > _LONG:
            found = await asyncio.to_thread(judge, rules, sent)
        else:
            found = judge(rules, sent)
        found = await self._stored(connection, namespace, found, rules.at)
        await self.tell(connection, namespace, found, rules.at)
        return [one.status for one in found]

    async def tell(
        self, connection: AsyncConnection, namespace: str, found: Sequence[Judged], at: datetime
    ) -> None:
        """Keep what became of them, in their order."""
        ids = sorted(self.new_id() for _ in found)
        told = [_told(namespace, id_, one, at) for id_, one in zip(ids, found, strict=True)]
        await ingestions.tell(connection, namespace, told)

    async def page(
        self, namespace: str, wanted: IngestionFilter, *, before: str | None, limit: int
    ) -> list[Ingestion]:
        """Newest first, from before a reference id on."""
        async with reading(self.engine) as connection:
            return await ingestions.page(connection, namespace, wanted, before=before, limit=limit)

    async def of_event(self, namespace: str, event_id: str) -> list[Ingestion]:
        """Each time that it was sent, newest first, SENT_MAX at most. Raises NotFound."""
        async with reading(self.engine) as connection:
            found = await ingestions.of_event(connection, namespace, event_id, limit=SENT_MAX)
        if not found:
            raise NotFound(f"event not found: {event_id}")
        return found

    async def _stored(
        self, connection: AsyncConnection, namespace: str, found: Sequence[Judged], at: datetime
    ) -> list[Judged]:
        """Those that turn out to be duplicates say so."""
        first: dict[str, Judged] = {}
        for one in found:
            if one.status.is_completed:
                first.setdefault(one.sent.id or "", one)
        events = [event_of(namespace, one, at) for one in first.values()]
        new = await ingestions.store(connection, namespace, events)
        return [
            one
            if not one.status.is_completed
            or (first[one.sent.id or ""] is one and event_key(SOURCE, one.sent.id or "") in new)
            else failed(one, IngestionStatus.DUPLICATE_EVENT)
            for one in found
        ]


async def rulebook(
    connection: AsyncConnection, namespace: str, sent: Collection[SentEvent]
) -> Rulebook:
    """As it is now, and stays until the transaction ends."""
    schemas = await event_schemas.newest_shared(connection, namespace, {one.schema for one in sent})
    schemas = {name: one for name, one in schemas.items() if one.status is Status.ACTIVE}
    at = await usage_meters.clock(connection)
    meters: dict[str, list[Metering]] = {}
    for one in await usage_meters.active(connection, namespace, schemas):
        meters.setdefault(one.event_type or "", []).append(metering_of(one))
    subjects = await subjects_of(connection, namespace, {(one.account, one.time) for one in sent})
    fields = {name: enrichments_of(one.declared) for name, one in schemas.items()}
    return Rulebook(schemas, fields, meters, subjects, at)


def judge(rules: Rulebook, sent: Sequence[SentEvent]) -> list[Judged]:
    return [_judged(rules, one) for one in sent]


def _judged(rules: Rulebook, sent: SentEvent) -> Judged:
    schema = rules.schemas.get(sent.schema)
    subject = rules.subjects.get((sent.account, sent.time))

    found = Judged(sent=sent, status=IngestionStatus.FAILED, subject=subject, schema=schema)
    if schema is None:
        return failed(found, IngestionStatus.SCHEMA_NOT_DEFINED)
    if subject is None:
        return failed(found, IngestionStatus.ACCOUNT_NOT_FOUND)
    fields = rules.fields[schema.name]
    try:
        whole = enriched(sent, fields, subject)
    except EnrichmentFailed as error:
        return failed(found, IngestionStatus.ENRICHMENT_FAILED, error.message)
    id_ = id_of(whole, schema.declared.get("eventIdTemplate"))
    if id_ is None:
        return failed(found, IngestionStatus.NO_EVENT_ID)
    whole = replace(whole, id=id_, payload={**whole.payload, "id": id_})
    status, units = metered(rules.meters.get(schema.name, ()), facts_of(whole, subject, rules.at))
    found = replace(found, sent=whole)
    if status is IngestionStatus.UNITS_INVALID:
        return failed(found, status, _WHY[status].format(units[0].name))
    made = [
        (one.name, "ATTRIBUTE", plain(whole.attributes[one.name]))
        if one.is_attribute
        else (one.name, "DIMENSION", whole.dimensions[one.name])
        for one in fields
    ]
    return replace(found, status=status, units=units, made=made)


def failed(one: Judged, status: IngestionStatus, why: str | None = None) -> Judged:
    """It comes to this instead, for a reason of its own or the usual one."""
    told = (why or _WHY[status])[:DESCRIPTION_CHARS_MAX]
    return replace(one, status=status, why=told, units=(), made=())


def event_of(namespace: str, one: Judged, at: datetime) -> Event:
    """The event of one that is to be stored."""
    sent = one.sent
    return Event(
        namespace, sent.id or "", SOURCE, sent.schema, one.subject or "", sent.time, sent.data(), at
    )


def _told(namespace: str, reference_id: str, one: Judged, at: datetime) -> Ingestion:
    return Ingestion(
        namespace=namespace,
        reference_id=reference_id,
        event_id=one.sent.id or None,
        schema=one.sent.schema,
        schema_version=None if one.schema is None else one.schema.version,
        account=one.subject or one.sent.account,
        time=one.sent.time,
        status=one.status,
        description=one.why,
        payload=one.sent.payload,
        units=one.units,
        enriched=one.made,
        created_at=at,
    )
