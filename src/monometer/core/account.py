"""An account: what Togai's events name. It is a subject, and its owner the account's customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monometer.core.event import Json

KEY_CHARS_MAX = 50
ALIASES_MAX = 10


class AccountStatus(StrEnum):
    """Events of an account count while it is ACTIVE. ARCHIVED ones have been deleted."""

    ACTIVE = "ACTIVE"
    DRAFT = "DRAFT"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another name of an account, for events whose time is in [since, until); None is no bound."""

    id: str
    value: str
    since: datetime | None
    until: datetime | None
    created_at: datetime

    def covers(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def overlaps(self, other: "Alias") -> bool:
        """Whether there is an instant at which both would mean their accounts."""
        return _before(self.since, other.until) and _before(other.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`key` is the subject key, unique among those that are not ARCHIVED.

    `details` are what else was said of it, as it was written: currency, address and the like.
    """

    namespace: str
    id: str
    key: str
    name: str
    status: AccountStatus
    details: Mapping[str, Json]
    aliases: tuple[Alias, ...]
    created_at: datetime
    updated_at: datetime


def _before(since: datetime | None, until: datetime | None) -> bool:
    return since is None or until is None or since < until
