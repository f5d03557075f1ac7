"""Bounds on request bodies, and their unpacking: no request can fill the memory."""

import zlib
from http import HTTPStatus

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monometer.api.wire import headers_of

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_NAMES = frozenset({"gzip", "x-gzip"})  # one and the same, RFC 9110, section 8.4.1.3


class BoundedBodies:
    """ASGI middleware: unpacks gzip, and refuses a body above `bytes_max`, packed or unpacked."""

    def __init__(self, app: ASGIApp, *, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        length = headers.get("content-length")
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding == "identity" and length is not None and int(length) <= self._bytes_max:
            await self._app(scope, receive, send)  # the server itself holds it to its length
            return
        await self._app(scope, self._bounded(receive, encoding, length), send)

    def _bounded(self, receive: Receive, encoding: str, length: str | None) -> Receive:
        unpack = zlib.decompressobj(_GZIP) if encoding in _GZIP_NAMES else None
        packed = received = 0

        async def receive_bounded() -> Message:
            nonlocal packed, received
            if encoding != "identity" and unpack is None:
                raise HTTPException(HTTPStatus.BAD_REQUEST, f"unknown content encoding: {encoding}")
            if length is not None and int(length) > self._bytes_max:
                raise self._too_large()
            message = await receive()
            if message["type"] != "http.request":
                return message
            body = message.get("body", b"")
            packed += len(body)
            if unpack is not None:
                body = _unpacked(unpack, body, self._bytes_max - received + 1)
            received += len(body)
            if max(packed, received) > self._bytes_max:
                raise self._too_large()
            is_last = not message.get("more_body", False)
            if unpack is not None and is_last and packed and not unpack.eof:
                raise HTTPException(HTTPStatus.BAD_REQUEST, "the gzip body is incomplete")
            return {**message, "body": body}

        return receive_bounded

    def _too_large(self) -> HTTPException:
        return HTTPException(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"request entity too large error: the body exceeds {self._bytes_max} bytes",
        )


async def whole_body(request: Request) -> bytes:
    """As the framework's own, which goes through a generator; most bodies come in one piece.

    Raises ClientDisconnect.
    """
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        return body
    parts: list[bytes] = []
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await request.receive()
    raise ClientDisconnect


def _unpacked(unpack: "zlib._Decompress", packed: bytes, bytes_max: int) -> bytes:
    """At most `bytes_max` bytes: a small bomb must not go off before it is measured."""
    body, rest = b"", packed
    if not unpack.eof:  # afterwards it would gather, and copy, whatever else comes
        try:
            body = unpack.decompress(packed, bytes_max)
        except zlib.error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "the gzip body is damaged") from None
        rest = unpack.unused_data
    if rest.strip(b"\0"):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the gzip body has more than one member")
    return body
