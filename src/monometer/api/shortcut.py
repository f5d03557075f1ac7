"""Straight to the endpoint that nearly every request is for."""

from fastapi import FastAPI, Request, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from monometer.api.problems import FORESEEN, answer_failure


class Shortcut:
    """ASGI middleware: calls the endpoint of one route, past the framework's layers and routing.

    The endpoint is an ordinary route of `app` too, and takes nothing but the request: without this
    the answers are the same, and single events come in at half the rate (decision 0006).
    """

    def __init__(self, inner: ASGIApp, *, app: FastAPI, route: Route) -> None:
        self._inner = inner
        self._app = app
        self._route = route
        self._path = route.path
        (self._method,) = (route.methods or set()) - {"HEAD"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["path"] != self._path
            or scope["method"] != self._method
        ):
            await self._inner(scope, receive, send)
            return
        scope["app"] = self._app
        scope["route"] = self._route
        request = Request(scope, receive, send)
        try:
            response: Response = await self._route.endpoint(request)
        except FORESEEN as error:
            response = await answer_failure(request, error)
        await response(scope, receive, send)
