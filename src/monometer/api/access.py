"""Before every request: is there a key, and may it do this."""

import time
from collections.abc import Callable
from math import ceil

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from monometer.api.problems import answer_failure
from monometer.api.scopes import Open, need_of
from monometer.api.wire import headers_of
from monometer.core.access import ApiKey, KeyScope
from monometer.core.errors import DomainError, Forbidden, RateLimited, Unauthenticated
from monometer.services.doorkeeper import Doorkeeper

TOKEN_CHARS_MAX = 256
# What the HTTP server has read ahead by then. A longer body is refused with the connection.
UNREAD_BODY_BYTES_MAX = 64 * 1024


class RateLimit:
    """So many requests of each key in a sliding window, counted by this process alone."""

    def __init__(self, limit: RateLimitItem) -> None:
        self._limit = limit
        self._counter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def count(self, key: ApiKey) -> None:
        """Raises RateLimited."""
        if await self._counter.hit(self._limit, key.id):
            return
        reset_at = (await self._counter.get_window_stats(self._limit, key.id)).reset_time
        raise RateLimited(
            f"the API key has used up its {self._limit}",
            retry_after_s=max(1, ceil(reset_at - time.time())),
        )


class Access:
    """ASGI middleware: 401 without a good key, 429 over its rate, 403 beyond its scopes.

    Nothing of the request but its method, path and headers has been read by then. What follows
    finds the key in `scope["monometer.key"]`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        doorkeeper: Callable[[], Doorkeeper],
        home: str,
        limit: RateLimit | None,
    ) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._home = home
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        need = need_of(scope["method"], scope["path"])
        if need is not Open.NO_KEY:
            try:
                authorization = headers_of(scope).get("authorization", "")
                key = self._remembered(authorization)  # no coroutine for what nearly all have
                if key is None:
                    key = await self._doorkeeper().key_of(_token_of(authorization))
                if self._limit is not None:
                    await self._limit.count(key)
                if isinstance(need, KeyScope):
                    self._permit(key, need)
                scope["monometer.key"] = key
            except DomainError as error:
                await self._refuse(scope, receive, send, error)
                return
        await self._app(scope, receive, send)

    def _remembered(self, authorization: str) -> ApiKey | None:
        if authorization[:7] != "Bearer ":  # as nearly everybody writes it
            return None
        return self._doorkeeper().remembered(authorization[7:])

    def _permit(self, key: ApiKey, need: KeyScope) -> None:
        """Raises Forbidden."""
        if not key.may(need):
            raise Forbidden(f"the API key lacks the scope {need}")
        if need is KeyScope.METRICS_READ and key.namespace != self._home:
            raise Forbidden("metrics are of all namespaces: the API key is not the server's")

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: DomainError) -> None:
        response = await answer_failure(Request(scope, receive, send), error)
        if _has_long_body(headers_of(scope)):
            response.headers["connection"] = "close"
        await response(scope, receive, send)


def _token_of(authorization: str) -> str:
    """Raises Unauthenticated for a header that is absent, of another scheme, or no token."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("an API key is needed: Authorization: Bearer KEY")
    if len(token) > TOKEN_CHARS_MAX or not token.isascii():
        raise Unauthenticated("the API key is malformed")
    return token


def _has_long_body(headers: dict[str, str]) -> bool:
    length = int(headers.get("content-length", 0))
    return "transfer-encoding" in headers or length > UNREAD_BODY_BYTES_MAX
