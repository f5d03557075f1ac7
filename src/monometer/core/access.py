"""API keys: who may do what, in which namespace."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

NAMESPACE_PATTERN = r"^[A-Za-z0-9_.:-]{1,64}$"
KEY_NAME_CHARS_MAX = 256

KEY_PREFIX = "mm_"
# After the prefix, in the 64 characters of base64url: 192 bits. Those shown leave 144 secret.
SECRET_BYTES = 24
SECRET_CHARS_SHOWN = 8
_KEY = re.compile(KEY_PREFIX + r"[A-Za-z0-9_-]{32}")


class KeyScope(StrEnum):
    """What a key may do. None of them implies another, but `admin`, which is all of them."""

    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    METERS_READ = "meters:read"
    METERS_WRITE = "meters:write"
    SUBJECTS_READ = "subjects:read"
    SUBJECTS_WRITE = "subjects:write"
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    FEATURES_READ = "features:read"
    FEATURES_WRITE = "features:write"
    ENTITLEMENTS_READ = "entitlements:read"
    ENTITLEMENTS_WRITE = "entitlements:write"
    PORTAL_READ = "portal:read"
    PORTAL_WRITE = "portal:write"
    METRICS_READ = "metrics:read"
    ADMIN = "admin"

    # Every request asks whether one is in a set; the hash of an Enum is Python's, and slow.
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept: what is sent as the bearer token is known by its hash alone.

    `prefix` is the beginning of that token, for people to recognise it by. `last_used_at` is up
    to a minute behind.
    """

    namespace: str
    id: str
    name: str
    prefix: str
    hash: bytes
    scopes: frozenset[KeyScope]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def may(self, scope: KeyScope) -> bool:
        return scope in self.scopes or KeyScope.ADMIN in self.scopes


def hash_of(token: str) -> bytes:
    """32 bytes, SHA-256. Slow hashes are for what people choose; 192 random bits nobody guesses.

    Keys are looked up by it, so how long that takes tells nothing about any key.
    """
    return hashlib.sha256(token.encode()).digest()


def is_key(token: str) -> bool:
    """Whether a token has the form of our keys; others need not be looked up."""
    return _KEY.fullmatch(token) is not None


def prefix_of(token: str) -> str:
    return token[: len(KEY_PREFIX) + SECRET_CHARS_SHOWN]
