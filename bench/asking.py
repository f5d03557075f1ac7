"""One question over HTTP, and when its answer begins and ends."""

import asyncio
import time
from dataclasses import dataclass

ANSWER_WITHIN_S = 900
READ_AHEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    body: bytes
    seconds: float
    first_byte_s: float
    """Until the first byte of the body was here."""


async def ask(port: int, target: str) -> Reply:
    """GET. The time starts when the connection is open, as for a client that keeps it.

    Raises RuntimeError for an answer other than 200, TimeoutError.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=READ_AHEAD_BYTES)
    try:
        began = time.perf_counter()
        writer.write(f"GET {target} HTTP/1.1\r\nhost: bench\r\n\r\n".encode())
        async with asyncio.timeout(ANSWER_WITHIN_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            first = await reader.readexactly(1)
            first_byte_s = time.perf_counter() - began
            body = await _body(reader, head, first)
        seconds = time.perf_counter() - began
    finally:
        writer.close()
    if head[9:12] != "200":
        raise RuntimeError(f"{target}: {head[9:12]} {body[:500].decode()}")
    return Reply(body, seconds, first_byte_s)


async def _body(reader: asyncio.StreamReader, head: str, first: bytes) -> bytes:
    if "transfer-encoding: chunked" not in head:
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        return first + await reader.readexactly(length - 1)
    chunks: list[bytes] = []
    line = first + await reader.readuntil(b"\r\n")
    while length := int(line, 16):
        chunks.append((await reader.readexactly(length + 2))[:-2])
        line = await reader.readuntil(b"\r\n")
    return b"".join(chunks)


async def metrics(port: int) -> dict[str, float]:
    """The server's metrics by name with labels."""
    text = (await ask(port, "/metrics")).body.decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
