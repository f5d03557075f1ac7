"""Who may come in: API keys checked, remembered for seconds, and counted."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from hmac import compare_digest

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from monometer.core.access import ApiKey, KeyScope, hash_of, is_key
from monometer.core.errors import DomainError, Unauthenticated
from monometer.store import api_keys
from monometer.store.engine import reading, transaction

log = structlog.get_logger(__name__)

# A key that another process revokes opens doors here for this long still.
REMEMBERED_S = 2.0
REMEMBERED_KEYS_MAX = 10_000
USE_NOTED_EVERY = timedelta(minutes=1)
ADMIN_KEY_ID = "MONOMETER_ADMIN_KEY"
_NOTHING: tuple[None, float] = (None, 0.0)


class Doorkeeper:
    """Knows the key of a token, of whichever namespace.

    What the database said of a token holds for REMEMBERED_S, a no too. Requests that come
    meanwhile wait for one statement, so a flood of wrong keys takes one connection of the pool and
    no more. `admin_key` is a token from the settings that is `admin` of `namespace`.

    Tokens are remembered as they came: to hash each would be a third of what a request pays here.
    A dictionary compares hashes of its own first, so it tells nothing of what nearly is a token.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        now: Callable[[], datetime],
        namespace: str,
        admin_key: str | None = None,
        remembered_s: float = REMEMBERED_S,
    ) -> None:
        self._engine = engine
        self._now = now
        self._remembered_s = remembered_s
        self._admin = None if admin_key is None else _configured(admin_key, namespace, now())
        # Token → the key or None, and until when that holds; the oldest first.
        self._known: dict[str, tuple[ApiKey | None, float]] = {}
        self._asked: dict[str, asyncio.Future[ApiKey | None]] = {}
        self._revocations = 0
        self._asking: asyncio.Task[None] | None = None
        self._noting: set[asyncio.Task[None]] = set()

    def remembered(self, token: str) -> ApiKey | None:
        """The key of a token that was good a moment ago; None says nothing."""
        key, until = self._known.get(token, _NOTHING)
        if key is None or until < time.monotonic() or key.expires_at is not None:
            return None
        return key

    async def key_of(self, token: str) -> ApiKey:
        """Raises Unauthenticated for a token that is no key, or one revoked or expired."""
        key, until = self._known.get(token, _NOTHING)
        if until < time.monotonic():
            key = await self._look_up(token)
        if key is None or (key.expires_at is not None and key.expires_at <= self._now()):
            raise Unauthenticated("the API key is unknown, revoked or expired")
        return key

    def forget(self) -> None:
        """A key was revoked in this process: it ends at once."""
        self._known.clear()
        self._revocations += 1

    async def stop(self) -> None:
        """Wait for what is under way in the background."""
        running = [task for task in (self._asking, *self._noting) if task is not None]
        await asyncio.gather(*running, return_exceptions=True)

    async def _look_up(self, token: str) -> ApiKey | None:
        if self._admin is not None and compare_digest(hash_of(token), self._admin.hash):
            self._remember({token: self._admin})
            return self._admin
        if not is_key(token):
            return None
        asked = self._asked.get(token)
        if asked is None:
            asked = self._asked[token] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        # One who gives up waiting must not take the answer from the others.
        return await asyncio.shield(asked)

    async def _ask(self) -> None:
        """One statement for all that is asked, then one for all that was asked meanwhile."""
        try:
            while self._asked:
                asked, self._asked = self._asked, {}
                hashes = {token: hash_of(token) for token in asked}
                revocations = self._revocations
                try:
                    async with reading(self._engine) as connection:
                        keys = await api_keys.of_hashes(connection, hashes.values())
                except Exception as error:  # noqa: BLE001 - each who asked raises it
                    for future in asked.values():
                        future.set_exception(error)
                    continue
                found = {key.hash: key for key in keys}
                answers = {token: found.get(hash_) for token, hash_ in hashes.items()}
                if revocations == self._revocations:  # else this may be from before one of them
                    self._remember(answers)
                for token, future in asked.items():
                    future.set_result(answers[token])
                self._note_use(keys)
        finally:
            self._asking = None

    def _remember(self, answers: dict[str, ApiKey | None]) -> None:
        now = time.monotonic()
        for token, key in answers.items():
            self._known.pop(token, None)  # so that it becomes the last
            self._known[token] = (key, now + self._remembered_s)
        while self._known:
            oldest = next(iter(self._known))
            if len(self._known) <= REMEMBERED_KEYS_MAX and self._known[oldest][1] >= now:
                break
            del self._known[oldest]

    def _note_use(self, keys: list[ApiKey]) -> None:
        now = self._now()
        stale = [
            key.id
            for key in keys
            if key.last_used_at is None or key.last_used_at < now - USE_NOTED_EVERY
        ]
        if stale:
            noting = asyncio.create_task(self._write_use(stale, now))
            self._noting.add(noting)
            noting.add_done_callback(self._noting.discard)

    async def _write_use(self, ids: list[str], at: datetime) -> None:
        try:
            async with transaction(self._engine) as connection:
                await api_keys.note_use(connection, ids, at, unless_within=USE_NOTED_EVERY)
        except DomainError as error:  # nobody waits for it, and the next look-up tries again
            log.warning("key.use_not_noted", reason=error.message)


def _configured(token: str, namespace: str, now: datetime) -> ApiKey:
    return ApiKey(
        namespace=namespace,
        id=ADMIN_KEY_ID,
        name=ADMIN_KEY_ID,
        prefix="",
        hash=hash_of(token),
        scopes=frozenset({KeyScope.ADMIN}),
        created_at=now,
    )
