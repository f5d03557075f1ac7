"""One request of the walk over two namespaces. Values in braces stand for the owner's facts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, TypeAlias

import httpx

JSON: Final = "application/json"
DAY: Final = "2024-06-15"
NOON: Final = f"{DAY}T12:00:00Z"
WHILE: Final = {"from": f"{DAY}T00:00:00Z", "to": "2024-06-17T00:00:00Z"}

Facts: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; the method and the path are the operation's. `headers` beside JSON's own."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(
        self, client: httpx.Client, method: str, template: str, facts: Mapping[str, str]
    ) -> httpx.Response:
        path = template.format_map(
            {name: text.format_map(facts) for name, text in self.path.items()}
        )
        return client.request(
            method,
            path,
            params={name: _filled(text, facts) for name, text in self.query.items()},
            headers={"content-type": JSON, **self.headers},
            content=None if self.body is None else json.dumps(_filled(self.body, facts)),
        )


def each(path: Mapping[str, Sequence[str]], **call: Any) -> list[Call]:
    """A call for every combination of what the path may name things by."""
    return [
        Call(path=dict(zip(path, names, strict=True)), **call) for names in product(*path.values())
    ]


def asking(*queries: Mapping[str, str], **call: Any) -> list[Call]:
    """A call without a query, and one with each of these."""
    return [Call(query=query, **call) for query in ({}, *queries)]


def made(client: httpx.Client, path: str, body: Any, facts: Mapping[str, str]) -> Any:
    """What a POST answers."""
    answer = client.post(path.format_map(facts), json=_filled(body, facts)).raise_for_status()
    return answer.json() if answer.content else None


def _filled(value: Any, facts: Mapping[str, str]) -> Any:
    """`value` with each text in braces replaced, so that JSON's own braces need no escape."""
    if isinstance(value, str):
        for name, fact in facts.items():
            value = value.replace(f"{{{name}}}", fact)
        return value
    if isinstance(value, Mapping):
        return {name: _filled(one, facts) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [_filled(one, facts) for one in value]
    return value
