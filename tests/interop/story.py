"""The story every client tells, and what came of it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

HERE: Final = Path(__file__).resolve().parent

EVERY: Final = ("node-beta185", "node-beta232", "python-b185", "python-b236")
NEWEST: Final = ("node-beta232", "python-b236")
OLDEST: Final = ("node-beta185", "python-b185")

Row: TypeAlias = tuple[str, str, str | None, dict[str, str | None], float]


POLAR: Final = ("polar-node", "polar-0.16", "polar-0.30", "polar-1.0")
POLAR_NEW: Final = ("polar-node", "polar-0.30", "polar-1.0")


def story_for(client: str, tag: str, base_url: str) -> dict[str, Any]:
    """The story of one client: `tag` keeps its meters, subjects and events apart from others."""
    name = "polar_story.json" if client in POLAR else "story.json"
    text = (HERE / name).read_text().replace("{tag}", tag)
    return {"baseUrl": base_url, "tag": tag, **json.loads(text)}


def instant(text: str) -> str:
    """An RFC 3339 time as UTC with `Z` and no fraction: clients render one instant differently."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one client printed: for each step the value it returned or the error it raised."""

    client: str
    tag: str
    steps: dict[str, dict[str, Any]]

    def value(self, step: str) -> Any:
        outcome = self.steps[step]
        assert "error" not in outcome, f"{self.client}, {step}: {outcome['error']}"
        return outcome["value"]

    def error(self, step: str) -> dict[str, Any]:
        """`name` of the client's own error class, `status`, and `detail` of the problem."""
        outcome = self.steps[step]
        assert "error" in outcome, f"{self.client}, {step}: no error but {outcome['value']}"
        error: dict[str, Any] = outcome["error"]
        return error

    def rows(self, step: str) -> list[Row]:
        """A query's rows in the server's order, subjects without the tag."""
        return [
            (
                instant(row["windowStart"]),
                instant(row["windowEnd"]),
                row["subject"] and row["subject"].removeprefix(self.tag),
                row["groupBy"],
                row["value"],
            )
            for row in self.value(step)["data"]
        ]

    def ids(self, listed: list[dict[str, Any]]) -> list[str]:
        """Ids of listed events, newest first as the server sent them, without the tag."""
        return [item["event"]["id"].removeprefix(f"{self.tag}-") for item in listed]
