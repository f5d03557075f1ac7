"""Polar's paths, with a slash at the end or without, and its version, which is echoed."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monometer.api.wire import headers_of

PREFIX = "/v1/"

_VERSION = "polar-version"


class PolarPaths:
    """ASGI middleware: both spellings are one path, without a redirect: clients follow none.

    Clients of 1.x say which version they speak; what is served here is the same in all of them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        version = headers_of(scope).get(_VERSION)

        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start" and version is not None:
                message["headers"].append((_VERSION.encode(), version.encode("latin-1")))
            await send(message)

        path: str = scope["path"]
        one_spelling = {**scope, "path": path.removesuffix("/")}
        await self._app(one_spelling, receive, send_with_version)
        scope.update({name: one_spelling[name] for name in ("route",) if name in one_spelling})
