"""Answers of a meter query as JSON and CSV, written batch by batch so that memory stays flat."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import msgspec
from fastapi import Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from monometer.api.wire import JSON_MEDIA_TYPE, instant_to_wire, number_to_wire
from monometer.core.numbers import plain
from monometer.core.usage import Tumbling, UsageQuery, UsageRow
from monometer.core.windows import WindowSize, zone

CHUNKS_AT_ONCE = 3  # an answer of fewer chunks is sent in one piece
CSV_PLACES_MIN = 6

Part = TypeVar("Part")
Batches: TypeAlias = AsyncIterator[Sequence[UsageRow]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A query with what its answer repeats of the request, and what only CSV tells.

    `columns` are the group keys as they were asked for, `customer_id` among them. `names` has the
    display names of subjects that are known; when no row has one, there is no column for them.
    """

    query: UsageQuery
    meter_key: str
    window_size: WindowSize | None = None
    columns: Sequence[str] = ()
    names: Mapping[str, str | None] = field(default_factory=dict)

    def keys(self) -> list[str]:
        """The columns of CSV between the subject and the value."""
        asked = self.columns or self.query.group_by
        implied = self.query.attribution is not None and "customer_id" not in asked
        return ["customer_id", *asked] if implied else list(asked)

    def told(self, batch: Sequence[UsageRow]) -> Iterator[tuple[str, str, UsageRow]]:
        """Each row, and before it the bounds of its period: of windows on their zone's clock.

        Rows come by window, and one window's bounds are told once.
        """
        axis = self.query.axis
        in_zone = zone(axis.zone) if isinstance(axis, Tumbling) else None
        period, start, end = None, "", ""
        for row in batch:
            if row.period != period:
                period = row.period
                start, end = (
                    instant_to_wire(at if in_zone is None else at.astimezone(in_zone))
                    for at in period
                )
            yield start, end, row


class _Row(msgspec.Struct, gc=False):
    value: msgspec.Raw
    windowStart: str
    windowEnd: str
    subject: str | None
    groupBy: dict[str, str]
    customerId: str | msgspec.UnsetType = msgspec.UNSET


_encode = msgspec.json.Encoder().encode


async def json_chunks(answer: Answer, batches: Batches) -> AsyncIterator[bytes]:
    query, names = answer.query, answer.query.group_by
    echo: dict[str, Any] = {}
    if query.start is not None:
        echo["from"] = instant_to_wire(query.start)
    if query.end is not None:
        echo["to"] = instant_to_wire(query.end)
    if answer.window_size is not None:
        echo["windowSize"] = answer.window_size.value
    lead = _encode({**echo, "data": []})[:-2]
    async for batch in batches:
        rows = [
            _Row(
                number_to_wire(value),
                start,
                end,
                subject,
                dict(zip(names, group, strict=True)),
                customer or msgspec.UNSET,
            )
            for start, end, (_, subject, group, value, customer) in answer.told(batch)
        ]
        yield lead + _encode(rows)[1:-1]
        lead = b","
    yield (b"" if lead == b"," else lead) + b"]}"


async def csv_chunks(answer: Answer, batches: Batches) -> AsyncIterator[bytes]:
    first = await anext(batches, None) or []
    # A header comes before the rows, so of a long answer only the first ones decide.
    names = answer.names if any(row.subject in answer.names for row in first) else {}
    by_subject, keys = answer.query.by_subject, answer.keys()
    who = [*(["subject"] if by_subject else []), *(["subject_display_name"] if names else [])]
    yield csv_lines([["window_start", "window_end", *who, *keys, "value"]])
    at = keys.index("customer_id") if "customer_id" in keys else None
    async for batch in _rejoined([first], batches):
        lines = []
        for start, end, (_, subject, group, value, customer) in answer.told(batch):
            line = [start, end]
            if by_subject:
                line.append(subject or "")
            if names:
                line.append(names.get(subject or "") or "")
            line += group
            if at is not None:
                line.insert(len(line) - len(group) + at, customer or "")
            line.append(decimal_cell(value))
            lines.append(line)
        yield csv_lines(lines)


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


def csv_lines(rows: Iterable[list[str]]) -> bytes:
    lines = _Lines()
    csv.writer(lines, lineterminator="\r\n").writerows(rows)
    return "".join(lines).encode()


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
    answer: Answer, chunks: AsyncIterator[bytes], resources: AsyncExitStack, *, as_csv: bool
) -> Response:
    """The answer in one piece with its length when it is short, else streamed.

    `resources` are released when the answer has been sent.
    """
    headers = {"content-type": JSON_MEDIA_TYPE}
    if as_csv:
        disposition = f"attachment; filename={answer.meter_key}.csv"
        headers = {"content-type": "text/csv", "content-disposition": disposition}
    read: list[bytes] = []
    async for chunk in chunks:
        read.append(chunk)
        if len(read) == CHUNKS_AT_ONCE:
            return _Streaming(_rejoined(read, chunks), resources, headers)
    await resources.aclose()
    return Response(b"".join(read), headers=headers)


async def _rejoined(read: Sequence[Part], rest: AsyncIterator[Part]) -> AsyncIterator[Part]:
    for part in read:
        yield part
    async for part in rest:
        yield part
