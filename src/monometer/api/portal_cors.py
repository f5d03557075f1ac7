"""Lets pages of any origin ask the portal's query route, and no other route."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PATHS = "/api/v1/portal/meters"
MAX_AGE_S = 1_728_000


class PortalCors:
    """ASGI middleware, around everything: a page must be able to read a refusal, too.

    A preflight is answered here, before anybody asks for a token: browsers send none with it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._shared = CORSMiddleware(
            app,
            allow_origin_regex=".*",  # any, echoed: with credentials "*" is not enough
            allow_credentials=True,
            allow_methods=("GET", "OPTIONS"),
            allow_headers=("Accept", "Authorization", "Content-Type"),
            max_age=MAX_AGE_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_portal = scope["type"] == "http" and scope["path"].startswith(PATHS)
        await (self._shared if is_portal else self._app)(scope, receive, send)
