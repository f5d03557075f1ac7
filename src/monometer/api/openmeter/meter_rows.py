"""Answers of a meter query as JSON and CSV, written row by row so that memory stays flat."""

import csv
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from fastapi import Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from monometer.api.wire import JSON_MEDIA_TYPE, instant_to_wire, number_to_wire
from monometer.core.numbers import plain
from monometer.core.usage import Tumbling, UsageQuery, UsageRow
from monometer.core.windows import WindowSize, zone

CHUNK_ROWS = 2_000
CHUNKS_AT_ONCE = 3  # an answer of fewer chunks is sent in one piece
CSV_PLACES_MIN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A query with what its answer repeats of the request."""

    query: UsageQuery
    meter_key: str
    window_size: WindowSize | None

    def instants(self) -> Callable[[datetime], str]:
        """Window bounds are told on the wall clock of their zone; given bounds as given.

        Rows come by window, and one window's bounds are told once.
        """
        axis = self.query.axis
        in_zone = zone(axis.zone) if isinstance(axis, Tumbling) else None

        @lru_cache(maxsize=2)
        def told(at: datetime) -> str:
            return instant_to_wire(at if in_zone is None else at.astimezone(in_zone))

        return told


class _Row(msgspec.Struct):
    value: msgspec.Raw
    windowStart: str
    windowEnd: str
    subject: str | None
    groupBy: dict[str, str]


_encode = msgspec.json.Encoder().encode


async def json_chunks(answer: Answer, rows: AsyncIterator[UsageRow]) -> AsyncIterator[bytes]:
    echo: dict[str, Any] = {}
    if answer.query.start is not None:
        echo["from"] = instant_to_wire(answer.query.start)
    if answer.query.end is not None:
        echo["to"] = instant_to_wire(answer.query.end)
    if answer.window_size is not None:
        echo["windowSize"] = answer.window_size.value
    lead = _encode({**echo, "data": []})[:-2]
    told = answer.instants()
    async for batch in _batches(rows):
        yield lead + _encode([_row_to_wire(answer, told, row) for row in batch])[1:-1]
        lead = b","
    yield (b"" if lead == b"," else lead) + b"]}"


def _row_to_wire(answer: Answer, told: Callable[[datetime], str], row: UsageRow) -> _Row:
    return _Row(
        number_to_wire(row.value),
        told(row.period.start),
        told(row.period.end),
        row.subject,
        dict(zip(answer.query.group_by, row.group, strict=True)),
    )


async def csv_chunks(answer: Answer, rows: AsyncIterator[UsageRow]) -> AsyncIterator[bytes]:
    query = answer.query
    subject = ["subject"] if query.by_subject else []
    header = ["window_start", "window_end", *subject, *query.group_by, "value"]
    yield _csv([header])
    told = answer.instants()
    async for batch in _batches(rows):
        yield _csv(_cells(answer, told, row) for row in batch)


def _cells(answer: Answer, told: Callable[[datetime], str], row: UsageRow) -> list[str]:
    subject = [row.subject or ""] if answer.query.by_subject else []
    bounds = map(told, row.period)
    return [*bounds, *subject, *row.group, decimal_cell(row.value)]


def decimal_cell(value: Decimal) -> str:
    """At least six decimals, as clients expect, and never fewer digits than the value has."""
    whole, _, fraction = plain(value).partition(".")
    return f"{whole}.{fraction:0<{CSV_PLACES_MIN}}"


class _Lines(list[str]):
    """Lines of CSV that end in LF.

    The writer is left to end them in CR LF, since before Python 3.13 it quotes a lone CR only then.
    """

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


def _csv(rows: Iterable[list[str]]) -> bytes:
    lines = _Lines()
    csv.writer(lines, lineterminator="\r\n").writerows(rows)
    return "".join(lines).encode()


async def _batches(rows: AsyncIterator[UsageRow]) -> AsyncIterator[list[UsageRow]]:
    batch: list[UsageRow] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == CHUNK_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


class _Streaming(StreamingResponse):
    """A stream that gives its database connection back even when nobody ever reads it."""

    def __init__(
        self, content: AsyncIterator[bytes], resources: AsyncExitStack, headers: dict[str, str]
    ) -> None:
        super().__init__(content, headers=headers)
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._resources:
            await super().__call__(scope, receive, send)


async def rows_response(
    answer: Answer, rows: AsyncIterator[UsageRow], resources: AsyncExitStack, *, as_csv: bool
) -> Response:
    """The answer in one piece with its length when it is short, else streamed.

    `resources` are released when the answer has been sent.
    """
    headers = {"content-type": JSON_MEDIA_TYPE}
    if as_csv:
        disposition = f"attachment; filename={answer.meter_key}.csv"
        headers = {"content-type": "text/csv", "content-disposition": disposition}
    chunks = (csv_chunks if as_csv else json_chunks)(answer, rows)
    read: list[bytes] = []
    async for chunk in chunks:
        read.append(chunk)
        if len(read) == CHUNKS_AT_ONCE:
            return _Streaming(_rejoined(read, chunks), resources, headers)
    await resources.aclose()
    return Response(b"".join(read), headers=headers)


async def _rejoined(read: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in read:
        yield chunk
    async for chunk in rest:
        yield chunk
