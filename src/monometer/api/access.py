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
        if scope["type"] == "http":
            need = need_of(scope["method"], scope["path"])
            if need is not Open.NO_KEY:
                try:
                    key = await self._doorkeeper().key_of(bearer_token(headers_of(scope)))
                    if self._limit is not None:
                        await self._limit.count(key)
                    if isinstance(need, KeyScope):
                        self._ensure(key, need)
                except DomainError as error:
                    request = Request(scope, receive, send)
                    response = await answer_failure(request, error)
                    if _has_long_body(scope):
                        response.headers["connection"] = "close"
                    await response(scope, receive, send)
                    return
                scope["monometer.key"] = key
        await self._app(scope, receive, send)

    def _ensure(self, key: ApiKey, need: KeyScope) -> None:
        """Raises Forbidden."""
        if not key.may(need):
            raise Forbidden(f"the API key lacks the scope {need}")
        if need is KeyScope.METRICS_READ and key.namespace != self._home:
            raise Forbidden("metrics tell of all namespaces: they need a key of the server's own")


def bearer_token(headers: dict[str, str]) -> str:
    """Raises Unauthenticated for a header that is absent, of another scheme, or no token."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("an API key is needed: Authorization: Bearer KEY")
    if len(token) > TOKEN_CHARS_MAX or not token.isascii():
        raise Unauthenticated("the API key is malformed")
    return token


def _has_long_body(scope: Scope) -> bool:
    headers = headers_of(scope)
    return (
        "transfer-encoding" in headers
        or int(headers.get("content-length", 0)) > UNREAD_BODY_BYTES_MAX
    )
