"""Events that are ingested if their account is entitled: check and consume, for event schemas.

Source: Togai's `/entitled`; of which entitlement an event consumes is our own rule.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.consumed_event import CONSUMABLE, NewConsumption, amount_of
from monometer.core.consumption import Decision
from monometer.core.entitled import Entitled
from monometer.core.entitlement import Metered
from monometer.core.errors import Conflict, Forbidden, InvalidInput
from monometer.core.event import Event
from monometer.core.ingestion import IngestionStatus
from monometer.core.sent_event import SentEvent
from monometer.services.consuming import Address, Consuming
from monometer.services.ingestions import (
    SENT_MAX,
    SOURCE,
    Ingestions,
    Judged,
    event_of,
    failed,
    judge,
    rulebook,
)
from monometer.store import entitlements, ingestions, owners
from monometer.store.engine import reading, transaction
from monometer.store.owners import OfSubject


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitledEvents:
    ingestions: Ingestions
    consuming: Consuming

    async def ingest(self, namespace: str, sent: SentEvent, size_bytes: int) -> Decision:
        """Store the event if its account may use what it counts; a second time, tell that it did.

        It consumes of the one active metered entitlement that counts it. Raises Forbidden where
        there is none, or too little left; InvalidInput for what else keeps the event out; Conflict
        for several entitlements, and for an event that is stored and did not consume. Raises
        Overloaded, and Unavailable: then it may have consumed, and asking again tells.
        """
        async with transaction(self.ingestions.engine) as connection:
            rules = await rulebook(connection, namespace, [sent])
            [one] = judge(rules, [sent])
            found = await self._counting(connection, namespace, one, rules.at)
        if not one.status.is_completed:
            await self._tell(namespace, one, rules.at)
            raise InvalidInput(one.why or one.status)
        if not found:
            await self._refuse(namespace, one, rules.at, "has no entitlement that counts the event")
        if len(found) > 1:
            keys = ", ".join(sorted(each.entitlement.feature_key for each in found))
            raise Conflict(f"the event counts for several features, of which one can be: {keys}")
        decision = await self._consume(namespace, one, found[0], rules.at, size_bytes)
        if not decision.allowed:
            key = found[0].entitlement.feature_key
            await self._refuse(namespace, one, rules.at, f"has too little left of {key}")
        if not decision.duplicate or not await self._is_told(namespace, one):
            await self._tell(namespace, one, rules.at)
        return decision

    async def _counting(
        self, connection: AsyncConnection, namespace: str, one: Judged, at: datetime
    ) -> list[Entitled]:
        """The active entitlements of its account for which the event has an amount."""
        if not one.status.is_completed:
            return []
        event = event_of(namespace, one, at)
        owner = await owners.owner_of(connection, namespace, OfSubject(event.subject))
        assert owner is not None  # noqa: S101 - every subject is an owner, if none other's
        active = await entitlements.active_of(
            connection, owner, namespace, at=at, with_grants=False
        )
        return [each for each in active if _counts(each, event)]

    async def _consume(
        self, namespace: str, one: Judged, found: Entitled, at: datetime, size_bytes: int
    ) -> Decision:
        """As Consuming does; what keeps the event out is told."""
        event = event_of(namespace, one, at)
        new = NewConsumption(
            id=event.id,
            source=SOURCE,
            type=event.type,
            subject=event.subject,
            time=event.time,
            data=event.data,
            amount=None,
            dry_run=False,
            received_at=at,
        )
        address = Address(namespace, OfSubject(event.subject), found.entitlement.id)
        try:
            return await self.consuming.consume(address, new, size_bytes)
        except Conflict:
            await self._tell(namespace, failed(one, IngestionStatus.DUPLICATE_EVENT), at)
            raise
        except InvalidInput as error:
            await self._tell(namespace, failed(one, IngestionStatus.FAILED, error.message), at)
            raise

    async def _refuse(self, namespace: str, one: Judged, at: datetime, why: str) -> None:
        """Raises Forbidden."""
        told = failed(one, IngestionStatus.INSUFFICIENT_CREDITS, f"account {one.subject} {why}")
        await self._tell(namespace, told, at)
        raise Forbidden(told.why or "")

    async def _tell(self, namespace: str, one: Judged, at: datetime) -> None:
        async with transaction(self.ingestions.engine) as connection:
            await self.ingestions.tell(connection, namespace, [one], at)

    async def _is_told(self, namespace: str, one: Judged) -> bool:
        """Not where the server died, or lost the database, right after it had consumed."""
        async with reading(self.ingestions.engine) as connection:
            told = await ingestions.of_event(
                connection, namespace, one.sent.id or "", limit=SENT_MAX
            )
        return any(each.status.is_completed for each in told)


def _counts(found: Entitled, event: Event) -> bool:
    meter, terms = found.feature.meter, found.entitlement.terms
    if not isinstance(terms, Metered) or meter is None or meter.aggregation not in CONSUMABLE:
        return False
    if meter.event_type not in {None, event.type} or event.subject not in found.subjects:
        return False
    try:
        amount_of(found, event, None)
    except InvalidInput:
        return False
    return True
