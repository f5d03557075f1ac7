"""API keys: made, listed, revoked. Whether one opens a door is for `doorkeeper` to say."""

import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.access import (
    KEY_NAME_CHARS_MAX,
    KEY_PREFIX,
    NAMESPACE_PATTERN,
    SECRET_BYTES,
    ApiKey,
    KeyScope,
    hash_of,
    prefix_of,
)
from monometer.core.errors import InvalidInput, NotFound
from monometer.core.event import TIME_END
from monometer.store import api_keys
from monometer.store.engine import reading, transaction

_NAMESPACE = re.compile(NAMESPACE_PATTERN)


class Keys:
    """The keys of all namespaces. `revoked` is called when one was revoked here."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        revoked: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._now = now
        self._new_id = new_id
        self._revoked = revoked

    async def create_key(
        self,
        namespace: str,
        *,
        name: str,
        scopes: Collection[KeyScope],
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """The key as it is kept, and the token, which is kept nowhere. Raises InvalidInput."""
        now = self._now()
        _validate(namespace, name, scopes, expires_at, now)
        token = KEY_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        key = ApiKey(
            namespace=namespace,
            id=self._new_id(),
            name=name,
            prefix=prefix_of(token),
            hash=hash_of(token),
            scopes=frozenset(scopes),
            created_at=now,
            expires_at=expires_at and expires_at.astimezone(UTC),
        )
        async with transaction(self._engine) as connection:
            await api_keys.create(connection, key)
        return key, token

    async def keys(self, namespace: str | None, *, include_revoked: bool = False) -> list[ApiKey]:
        """The newest 1000 of a namespace, or of all namespaces for None."""
        async with reading(self._engine) as connection:
            return await api_keys.list_(connection, namespace, include_revoked=include_revoked)

    async def key(self, namespace: str, id_: str) -> ApiKey:
        """By id in either case, revoked or not. Raises NotFound."""
        async with reading(self._engine) as connection:
            return _found(await api_keys.find(connection, namespace, id_), id_)

    async def revoke_key(self, namespace: str | None, id_: str) -> ApiKey:
        """Of a namespace, or of any for None. Again keeps the first time. Raises NotFound."""
        async with transaction(self._engine) as connection:
            key = _found(await api_keys.find(connection, namespace, id_, lock=True), id_)
            if key.revoked_at is None:
                now = self._now()
                await api_keys.revoke(connection, key.id, now)
                key = replace(key, revoked_at=now)
        self._revoked()
        return key

    async def any_usable(self) -> bool:
        """Whether there is a key, of whichever namespace, that is neither revoked nor expired."""
        async with reading(self._engine) as connection:
            return await api_keys.any_usable(connection, self._now())


def _found(key: ApiKey | None, id_: str) -> ApiKey:
    if key is None:
        raise NotFound(f"key not found: {id_}")
    return key


def _validate(
    namespace: str,
    name: str,
    scopes: Collection[KeyScope],
    expires_at: datetime | None,
    now: datetime,
) -> None:
    if not _NAMESPACE.fullmatch(namespace):
        raise InvalidInput(f"invalid namespace: {namespace} does not match {NAMESPACE_PATTERN}")
    if not name or len(name) > KEY_NAME_CHARS_MAX:
        raise InvalidInput(f"invalid key name: it must have 1 to {KEY_NAME_CHARS_MAX} characters")
    if not scopes:
        raise InvalidInput("invalid key scopes: there must be one at least")
    if expires_at is not None and not now < expires_at < TIME_END:
        raise InvalidInput(
            f"invalid key expiry: it must be in the future, and before {TIME_END.year}"
        )
