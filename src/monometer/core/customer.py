"""A customer: who pays, and which subjects' usage is theirs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from monometer.core.errors import InvalidInput
from monometer.core.event import Json
from monometer.core.meter import Metadata

KEY_CHARS_MAX = 256
NAME_CHARS_MAX = 256
DESCRIPTION_CHARS_MAX = 1024
SUBJECT_KEYS_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`country` is a code of two letters (ISO 3166)."""

    country: str | None = None
    postal_code: str | None = None
    state: str | None = None
    city: str | None = None
    line1: str | None = None
    line2: str | None = None
    phone_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer as it is kept. `key` is unique among live customers of a namespace.

    `subject_keys` are in order, and each is listed by no other live customer.
    """

    namespace: str
    id: str
    key: str | None
    name: str
    description: str | None
    subject_keys: tuple[str, ...]
    primary_email: str | None
    currency: str | None
    billing_address: Address | None
    metadata: Metadata | None
    annotations: Mapping[str, Json] | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    def subjects(self) -> tuple[str, ...]:
        """What an event may call its subject to mean this customer: id, key, subject keys.

        One of the subject keys may still be another's: whoever has it as id or key owns it.
        Source: OpenMeter's customers, "how customers and subjects are linked".
        """
        own = (self.id,) if self.key is None else (self.id, self.key)
        return *own, *(key for key in self.subject_keys if key not in own)


def validate(key: str | None, subject_keys: Iterable[str]) -> None:
    """Raises InvalidInput for a customer to whom no usage could ever belong."""
    if not key and not any(subject_keys):
        raise InvalidInput("usage attribution must have a key or subject keys")
