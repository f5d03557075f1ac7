"""Answers of different stores in one form, and whether they are the same."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from bench.questions import Question

FLOAT_ERROR_MAX = Decimal("1e-9")  # relative, of a sum of floats

# Window start (when windowed) and groups, to the value.
Answer: TypeAlias = dict[tuple[str, ...], Decimal]


class _Row(msgspec.Struct):
    value: Decimal
    windowStart: str  # noqa: N815 (the wire's name)
    groupBy: dict[str, str]  # noqa: N815
    subject: str | None = None


class _Body(msgspec.Struct):
    data: list[_Row]


_decode = msgspec.json.Decoder(_Body).decode


def from_http(question: Question, body: bytes) -> Answer:
    answer: Answer = {}
    for row in _decode(body).data:
        start = (row.windowStart.replace("T", " ").removesuffix("Z"),) if question.window else ()
        groups = (
            (row.subject or "") if name == "subject" else row.groupBy[name]
            for name in question.groups
        )
        answer[(*start, *groups)] = row.value
    return answer


def from_rows(rows: Iterable[tuple[Any, ...]]) -> Answer:
    return {row[:-1]: Decimal(row[-1]) for row in rows if row[-1] is not None}


def difference(one: Answer, other: Answer, *, error_max: Decimal = Decimal(0)) -> str | None:
    """What is different, in words; None when nothing is, beyond a relative error."""
    if one.keys() != other.keys():
        only = sorted(one.keys() ^ other.keys())
        return f"{len(only)} rows are in one answer only, such as {only[0]}"
    for key, value in one.items():
        if abs(value - other[key]) > error_max * abs(value):
            return f"{key}: {value} and {other[key]}"
    return None
