"""Answers of a meter query in v3 as JSON and CSV, written batch by batch."""

from collections.abc import AsyncIterator, Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from monometer.api.openmeter.meter_rows import Answer, Batches, csv_lines
from monometer.api.wire import instant_to_wire
from monometer.core.customer import Customer
from monometer.core.numbers import plain
from monometer.core.usage import UsageQuery, UsageRow

_encode = msgspec.json.Encoder().encode


def _names(query: UsageQuery) -> list[str]:
    customer = ["customer_id"] if query.attribution is not None else []
    return [*(["subject"] if query.by_subject else []), *customer, *query.group_by]


def _cells(query: UsageQuery, row: UsageRow) -> list[str]:
    """Beside `_names`."""
    customer = [row.customer or ""] if query.attribution is not None else []
    return [*([row.subject or ""] if query.by_subject else []), *customer, *row.group]


def _value(value: Decimal) -> Mapping[str, str | None]:
    return {"value": plain(value)}


async def json_chunks(
    answer: Answer,
    batches: Batches,
    told: Callable[[Decimal], Mapping[str, str | None]] = _value,
) -> AsyncIterator[bytes]:
    """`told` are the members of a row that its usage comes to."""
    query, names = answer.query, _names(answer.query)
    echo: dict[str, Any] = {}
    if query.start is not None:
        echo["from"] = instant_to_wire(query.start)
    if query.end is not None:
        echo["to"] = instant_to_wire(query.end)
    lead = _encode({**echo, "data": []})[:-2]
    async for batch in batches:
        rows = [
            {
                **told(row.value),
                "from": start,
                "to": end,
                "dimensions": dict(zip(names, _cells(query, row), strict=True)),
            }
            for start, end, row in answer.told(batch)
        ]
        yield lead + _encode(rows)[1:-1]
        lead = b","
    yield (b"" if lead == b"," else lead) + b"]}"


async def csv_chunks(
    answer: Answer, batches: Batches, customers: Mapping[str, Customer]
) -> AsyncIterator[bytes]:
    """Beside the id of a customer stand its key and name, of those in `customers` by id."""
    query = answer.query
    subject = ["subject"] if query.by_subject else []
    customer = ["customer_id", "customer_key", "customer_name"]
    if query.attribution is None:
        customer = []
    yield csv_lines([["from", "to", *subject, *customer, *query.group_by, "value"]])
    async for batch in batches:
        lines = []
        for start, end, row in answer.told(batch):
            cells = [row.subject or ""] if subject else []
            if customer:
                one = customers.get(row.customer or "")
                cells += [row.customer or "", *([one.key or "", one.name] if one else ["", ""])]
            lines.append([start, end, *cells, *row.group, plain(row.value)])
        yield csv_lines(lines)
