"""An event: that something happened, once, to a subject, at a time."""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeAlias

Json: TypeAlias = str | Decimal | bool | list["Json"] | dict[str, "Json"] | None

# Event times live well inside what Python and PostgreSQL both can say, so that every window
# around an event can be said too, in any zone.
TIME_MIN = datetime(1000, 1, 1, tzinfo=UTC)
TIME_END = datetime(9999, 1, 1, tzinfo=UTC)


class Event(NamedTuple):
    """An event in its normal form.

    `time` is UTC with microseconds, in [TIME_MIN, TIME_END). `data` is the JSON text of an object
    as it was sent, `"null"` for a JSON null, None when the sender gave none. (source, id) is
    unique within a namespace, for ever. A tuple, because ingest makes one for every event.
    """

    namespace: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: str | None
    ingested_at: datetime


class StoredEvent(NamedTuple):
    """An event and the time of the transaction that stored it."""

    event: Event
    stored_at: datetime


def event_key(source: str, event_id: str) -> bytes:
    """128 collision-resistant bits of (source, id): the deduplication key inside a namespace.

    BLAKE2b of the length-prefixed source followed by the id, so that ("a", "bc") and ("ab", "c")
    differ. Half the size of the texts in the one index that every insert must visit.
    """
    return hashlib.blake2b(_prefix(source) + event_id.encode(), digest_size=16).digest()


@lru_cache(maxsize=256)  # one sender's events come together
def _prefix(source: str) -> bytes:
    text = source.encode()
    return b"%d:%b" % (len(text), text)


def parse_json(text: str) -> Json:
    """JSON text as values, with every number an exact Decimal; of equal keys the last one wins."""
    parsed: Json = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return parsed
