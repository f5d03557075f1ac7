"""The JSONPath subset of meters: text ↔ Path.

Accepted: `$`, `.name`, `["name"]`, `['a b']`, `[0]`, `[*]`. Refused: recursive descent, filters,
functions, slices and negative indexes.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from monometer.core.errors import InvalidInput

STEPS_MAX = 32
INDEX_DIGITS_MAX = 9


@dataclass(frozen=True, slots=True)
class Each:
    """Every element of an array, `[*]`: the path then takes the first scalar it leads to."""


Step: TypeAlias = str | int | Each


@dataclass(frozen=True, slots=True)
class Path:
    """Where a value stands inside an event's data: member names, array indexes, `Each`.

    Raises InvalidInput for more than STEPS_MAX steps.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if len(self.steps) > STEPS_MAX:
            raise InvalidInput(f"invalid JSONPath, more than {STEPS_MAX} steps")


_STEP = re.compile(
    r"""\.(?P<name>[^\s.\[\]'"*()?@$,]+)"""
    r"""|\[\s*"(?P<double>(?:[^"\\]|\\["'\\])*)"\s*\]"""
    r"""|\[\s*'(?P<single>(?:[^'\\]|\\["'\\])*)'\s*\]"""
    rf"""|\[\s*(?P<index>[0-9]{{1,{INDEX_DIGITS_MAX}}})\s*\]"""
    r"""|(?P<each>\[\s*\*\s*\]|\.\*)"""
)
_PLAIN = re.compile(r"\w+")
_ESCAPE = re.compile(r"""\\(["'\\])""")


def parse(text: str) -> Path:
    """The path that `text` spells.

    Raises InvalidInput for anything outside the subset, more than STEPS_MAX steps included.
    """
    if not text.startswith("$"):
        raise InvalidInput(f"JSONPath must start with $: {text}")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or match["each"] == ".*":
            raise InvalidInput(f"invalid JSONPath, not understood from character {at + 1}: {text}")
        steps.append(_step(match))
        at = match.end()
    return Path(tuple(steps))


def spelled(path: Path) -> str:
    """A text that `parse` reads as `path`."""
    return "$" + "".join(map(_spelled, path.steps))


def _spelled(step: Step) -> str:
    match step:
        case Each():
            return "[*]"
        case int():
            return f"[{step}]"
        case _ if _PLAIN.fullmatch(step):
            return f".{step}"
        case _:
            return '["{}"]'.format(step.replace("\\", "\\\\").replace('"', '\\"'))


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["each"] is not None:
        return Each()
    if match["name"] is not None:
        return match["name"]
    quoted = match["double"] if match["double"] is not None else match["single"]
    return _ESCAPE.sub(r"\1", quoted)
