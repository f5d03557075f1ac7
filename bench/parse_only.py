"""The limit of single events: a Starlette route that parses an event and forgets it.

The same server programs as the product's, and nothing that an event needs beyond being read.
"""

import socket

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Event(msgspec.Struct):
    id: str
    source: str
    specversion: str
    type: str
    subject: str
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(Event).decode


async def ingest(request: Request) -> Response:
    _decode(await request.body())
    return Response(status_code=204)


def main() -> None:
    app = Starlette(routes=[Route("/api/v1/events", ingest, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", ws="none", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
