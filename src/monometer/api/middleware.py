"""Around every request: its id, its log line, its metrics, and the last resort when it fails."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from functools import cache
from http import HTTPStatus

import structlog
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monometer.api.metrics import REQUEST_SECONDS, REQUESTS
from monometer.api.problems import MalformedRequest, response_to
from monometer.api.wire import headers_of
from monometer.logs import REQUEST_ID

log = structlog.get_logger()
_stdlib_log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
CLIENT_LEFT = 499  # as nginx logs it: the client was gone before the answer
_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


# Of every answer, unless a route sets its own.
_SAFE_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
_SAFE = list(_SAFE_HEADERS.items())
_OF_PAGES = [one for one in _SAFE if one[0] != b"content-security-policy"]
_PAGES = frozenset({"/docs", "/redoc"})  # these load scripts and styles, from elsewhere too


class RequestContext:
    """ASGI middleware, the outermost; adds the headers that keep browsers from harm.

    The id of a request is its X-Request-Id when that is 1 to 128 visible ASCII characters, else
    `new_id()`; every answer carries it. A failure that nobody foresaw is logged with its traceback
    and answered with 500 and the id, nothing else.
    """

    def __init__(self, app: ASGIApp, *, new_id: Callable[[], str]) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = headers_of(scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        token = REQUEST_ID.set(request_id)
        try:
            await self._answer(scope, receive, send, request_id)
        finally:
            REQUEST_ID.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                safe = _OF_PAGES if scope["path"] in _PAGES else _SAFE
                if not _SAFE_HEADERS.keys().isdisjoint(name for name, _ in headers):
                    given = {name for name, _ in headers}
                    safe = [one for one in safe if one[0] not in given]
                # The list may be the answer's own, and an answer may be sent again.
                message["headers"] = [*headers, (b"x-request-id", request_id.encode()), *safe]
            await send(message)

        try:
            if b"%00" in scope["query_string"] or "\0" in scope["path"]:
                error = MalformedRequest("the URL must not contain a NUL character")
                await _tell(error, scope, receive, send_with_id)
            else:
                await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = status or CLIENT_LEFT
        except asyncio.CancelledError:  # the grace period of a stop has ended
            if not status:
                headers = {"Retry-After": "1", "Connection": "close"}
                unavailable = HTTPStatus.SERVICE_UNAVAILABLE
                stopping = HTTPException(unavailable, "the server is stopping", headers)
                await _tell(stopping, scope, receive, send_with_id)
            raise
        except Exception as error:
            log.exception("request.failed", method=scope["method"], path=scope["path"])
            if status:
                raise  # too late for an answer: the connection breaks, so nobody takes it for whole
            await _tell(error, scope, receive, send_with_id)
        finally:
            _observe(scope, status, time.perf_counter() - began)


async def _tell(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    response = response_to(Request(scope, receive), error)
    await response(scope, receive, send)


def _observe(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in _KNOWN_METHODS else "other"
    count, duration = _metrics(method, route, status)
    count.inc()
    duration.observe(seconds)
    # A busy server would log little but its own successes: those are for debugging.
    failed = status >= HTTPStatus.BAD_REQUEST
    if failed or _stdlib_log.isEnabledFor(logging.DEBUG):
        write = log.info if failed else log.debug
        write(
            "request.answered",
            method=scope["method"], path=scope["path"],
            status=int(status), seconds=round(seconds, 6),
        )  # fmt: skip


@cache  # routes, known methods and statuses are few, and finding a metric by its labels is slow
def _metrics(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), REQUEST_SECONDS.labels(method, route)
