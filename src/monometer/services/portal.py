"""The consumer portal: tokens that show one subject its own usage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.errors import InvalidInput, NotFound
from monometer.core.portal import (
    CLOCK_SKEW,
    PortalClaims,
    PortalToken,
    TokenRefused,
    claims_from_json,
    claims_to_json,
)
from monometer.services.portal_jwt import TOKEN_CHARS_MAX, PortalJwt
from monometer.store import meters, portal_tokens
from monometer.store.engine import reading, transaction

# A token stays in the list for so long after it expired.
KEPT_EXPIRED = timedelta(days=1)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """`namespace` is whose the tokens are that name none, or that others made with the secret.

    `subject_bytes_max` is what an event's subject may have.
    """

    engine: AsyncEngine
    jwt: PortalJwt
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    namespace: str
    lifetime: timedelta
    subject_bytes_max: int

    async def issue(
        self,
        namespace: str,
        *,
        subject: str,
        slugs: Sequence[str] = (),
        expires_at: datetime | None = None,
    ) -> tuple[PortalToken, str]:
        """A new token and its text, which is kept nowhere. No `slugs` opens every meter.

        `expires_at` is cut to whole seconds, as tokens tell it. Raises InvalidInput for an end in
        the past, a subject that no event can have, and a text above TOKEN_CHARS_MAX; NotFound for
        a slug that no live meter has.
        """
        now = self.now()
        if len(subject.encode()) > self.subject_bytes_max:
            raise InvalidInput(f"subject must not exceed {self.subject_bytes_max} bytes")
        ends_at = (expires_at or now + self.lifetime).astimezone(UTC).replace(microsecond=0)
        if ends_at <= now:
            raise InvalidInput("expiresAt must be in the future")
        wanted = tuple(dict.fromkeys(slugs))
        async with transaction(self.engine) as connection:
            known = await meters.live_keys(connection, namespace, wanted)
            for slug in wanted:
                if slug not in known:
                    raise NotFound(f"meter not found: {slug}")
            await portal_tokens.purge(connection, now - KEPT_EXPIRED)
            token = await portal_tokens.add(
                connection,
                namespace=namespace,
                id_=self.new_id(),
                subject=subject,
                slugs=wanted,
                expires_at=ends_at,
            )
            text = self.jwt.sign(claims_to_json(token))
            if len(text) > TOKEN_CHARS_MAX:
                raise InvalidInput(
                    f"the token would be longer than {TOKEN_CHARS_MAX} characters: "
                    "allow fewer slugs, or all"
                )
        return token, text

    async def tokens(self, namespace: str, limit: int) -> list[PortalToken]:
        """Newest first, expired ones too, until they are purged."""
        async with reading(self.engine) as connection:
            return await portal_tokens.list_(connection, namespace, limit)

    async def invalidate(self, namespace: str, id_: str | None, subject: str | None) -> None:
        """The tokens of that id and of that subject; without either every token issued until now.

        Ids and subjects that nobody knows are remembered, too: others may have made such a token.
        Raises InvalidInput for a subject that no token can have.
        """
        if subject is not None and len(subject.encode()) > self.subject_bytes_max:
            raise InvalidInput(f"subject must not exceed {self.subject_bytes_max} bytes")
        async with transaction(self.engine) as connection:
            await portal_tokens.revoke(
                connection, namespace, id_ or portal_tokens.ANY, subject or portal_tokens.ANY
            )

    async def admit(self, text: str, slug: str) -> tuple[str, PortalClaims]:
        """Namespace and claims of a token that may ask for `slug` now. Raises TokenRefused.

        One statement asks for the record and for every revocation: no answer is remembered, so an
        invalidated token is refused by every server from the next request on.
        """
        claims = claims_from_json(self.jwt.verify(text), self.now())
        if not claims.opens(slug):
            raise TokenRefused("meter slug not allowed")
        namespace = claims.namespace or self.namespace
        issued_at = claims.issued_at - CLOCK_SKEW if claims.issued_at else _LONG_AGO
        async with reading(self.engine) as connection:
            standing = await portal_tokens.standing(
                connection,
                namespace=namespace,
                id_=claims.id or portal_tokens.ANY,
                subject=claims.subject,
                issued_at=issued_at,
            )
        if standing.revoked:
            raise TokenRefused("invalid token: it was invalidated")
        if not standing.recorded and namespace != self.namespace:
            raise TokenRefused("invalid token: it is of another namespace")
        return namespace, claims
