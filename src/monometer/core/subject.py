"""A subject as it is kept. Usage needs no such record: events name whom they like."""

from dataclasses import dataclass
from datetime import datetime

KEY_BYTES_MAX = 1024
DISPLAY_NAME_CHARS_MAX = 1024
STRIPE_CUSTOMER_PREFIX = "cus_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """`key` is what events call it, unique among live subjects of a namespace.

    `metadata` is the JSON text of an object, so that its numbers keep their digits.
    """

    namespace: str
    id: str
    key: str
    display_name: str | None = None
    metadata: str = "{}"
    stripe_customer_id: str | None = None
    current_period_start: datetime | None = None
    current_period_end: datetime | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
