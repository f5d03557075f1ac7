"""A portal token: whose usage it shows, of which meters, and until when."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monometer.core.errors import Unauthenticated

ISSUER = "openmeter"
TEXT_CHARS_MAX = 256  # of an id, and of a namespace
# Two machines' clocks may differ by so much: a token may have been issued so far in the future.
CLOCK_SKEW = timedelta(seconds=5)
SECONDS_MAX = 253_402_300_799  # the last second of year 9999

# What a claim is called: by OpenMeter's newest line, which we write, and by 1.0.0-beta.185.
_ID = ("Id", "id")
_SLUGS = ("AllowedMeterSlugs", "allowed_meter_slugs")
_NAMESPACE = ("Namespace",)
_SPELLINGS = frozenset({*_ID, *_SLUGS, *_NAMESPACE})


class TokenRefused(Unauthenticated):
    """A portal token opens nothing, and the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalToken:
    """A token on record: all but its text. No `slugs` means every meter.

    `revoked` says that it was invalidated.
    """

    namespace: str
    id: str
    subject: str
    slugs: Sequence[str]
    created_at: datetime
    expires_at: datetime
    revoked: bool = False

    def is_over(self, now: datetime) -> bool:
        return self.revoked or self.expires_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalClaims:
    """What a token says. Early ones name no namespace; those of others perhaps no id either.

    `issued_at` is in whole seconds, None when the token does not say.
    """

    namespace: str | None
    id: str | None
    subject: str
    slugs: Sequence[str]
    issued_at: datetime | None

    def opens(self, slug: str) -> bool:
        return not self.slugs or slug in self.slugs


def claims_to_json(token: PortalToken) -> bytes:
    """The payload of a token, in the spelling of OpenMeter's newest line."""
    claims = {
        "iss": ISSUER,
        "sub": token.subject,
        "exp": int(token.expires_at.timestamp()),
        "iat": int(token.created_at.timestamp()),
        "Namespace": token.namespace,
        "Id": token.id,
        "AllowedMeterSlugs": list(token.slugs),
    }
    return json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()


def claims_from_json(payload: bytes, now: datetime) -> PortalClaims:
    """Raises TokenRefused for anything but claims that hold `now`.

    Stricter than JSON Web Tokens have to be: a claim of another type, written twice or in a third
    spelling is refused, never skipped, for a restriction that is overlooked opens every meter.
    """
    claims = object_from_json(payload, "claims")
    for name in claims:
        if name not in _SPELLINGS and _folded(name) in map(_folded, _SPELLINGS):
            raise TokenRefused(f"invalid token: claim {name!r} is spelled neither way")
    if claims.get("iss") != ISSUER:
        raise TokenRefused("invalid token: it has another issuer")
    _check_period(claims, now)
    subject: Any = claims.get("sub")
    if not _is_text(subject):
        raise TokenRefused("invalid subject")
    return PortalClaims(
        namespace=_text(claims, _NAMESPACE, TEXT_CHARS_MAX),
        id=_text(claims, _ID, TEXT_CHARS_MAX),
        subject=subject,
        slugs=_slugs(claims),
        issued_at=_instant(claims, "iat"),
    )


def object_from_json(text: bytes, what: str) -> dict[str, Any]:
    """A JSON object without a name twice. Raises TokenRefused."""
    try:
        found = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TokenRefused(f"invalid token: its {what} cannot be read")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_period(claims: Mapping[str, Any], now: datetime) -> None:
    expires_at = _instant(claims, "exp")
    if expires_at is None:
        raise TokenRefused("invalid token: it never expires")
    for claim in ("nbf", "iat"):
        begins_at = _instant(claims, claim)
        if begins_at is not None and begins_at > now + CLOCK_SKEW:
            raise TokenRefused("invalid token: it is not valid yet")
    if expires_at <= now:
        raise TokenRefused("token expired")


def _instant(claims: Mapping[str, Any], name: str) -> datetime | None:
    if name not in claims:
        return None
    seconds = claims[name]
    if type(seconds) is not int or not 0 <= seconds <= SECONDS_MAX:  # True is an int, too
        raise TokenRefused(f"invalid token: claim {name!r} is not a time in whole seconds")
    return datetime.fromtimestamp(seconds, UTC)


def _spelling(claims: Mapping[str, Any], names: Sequence[str]) -> str:
    """The one of `names` that the claim has, the first when it is absent."""
    given = [name for name in names if name in claims]
    if len(given) > 1:
        raise TokenRefused(f"invalid token: claim {given[0]!r} is there in both spellings")
    return given[0] if given else names[0]


def _text(claims: Mapping[str, Any], names: Sequence[str], chars_max: int) -> str | None:
    name = _spelling(claims, names)
    if name not in claims:
        return None
    text: Any = claims[name]
    if not _is_text(text) or len(text) > chars_max:
        raise TokenRefused(f"invalid token: claim {name!r} is not a text")
    return str(text)


def _slugs(claims: Mapping[str, Any]) -> Sequence[str]:
    """Absent, null or empty: every meter."""
    name = _spelling(claims, _SLUGS)
    slugs = claims.get(name)
    if slugs is None:
        return ()
    if not isinstance(slugs, list) or not all(map(_is_text, slugs)):
        raise TokenRefused(f"invalid token: claim {name!r} is not a list of texts")
    return tuple(slugs)


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _is_text(value: object) -> bool:
    """Whether it is a text that is not empty, and that the database can compare."""
    if not isinstance(value, str) or not value or "\0" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)
