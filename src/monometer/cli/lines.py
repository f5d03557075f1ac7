"""Events out of an NDJSON file, and what every event file has in common."""

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from monometer.cli.errors import CliError

LINE_BYTES_MAX = 16 * 1024 * 1024  # what a server takes in one request
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Ready:
    """An event to send: the line it begins on (from 1) and its JSON."""

    line: int
    event: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no event, and why. It is reported, never sent."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Input:
    """An open file of events. `size` is None when nobody knows it; both count the bytes on disk."""

    stream: BinaryIO
    size: int | None
    position: Callable[[], int]


@contextmanager
def open_input(name: str) -> Iterator[Input]:
    """Open a file, or the standard input for "-"; gzip is recognised by its first bytes.

    Raises CliError when it cannot be opened or, while it is open, cannot be read.
    """
    try:
        with _open(name) as raw:
            packed = raw.peek(2)[:2] == GZIP_MAGIC
            stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
            if name == "-":
                yield Input(stream, None, lambda: 0)
            else:
                yield Input(stream, Path(name).stat().st_size, raw.tell)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CliError(f"{name}: the gzip data is damaged: {error}") from error
    except OSError as error:
        raise CliError(f"cannot read {name}: {error.strerror or error}") from error


def _open(name: str) -> BufferedReader:
    if name == "-":
        return os.fdopen(sys.stdin.fileno(), "rb", closefd=False)
    return Path(name).open("rb")


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Lines with their number from 1; None for one longer than LINE_BYTES_MAX, which is skipped."""
    number = 0
    while line := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if len(line) <= LINE_BYTES_MAX:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LINE_BYTES_MAX)
        yield number, None


def ndjson_events(stream: BinaryIO) -> Iterator[Ready | Refused]:
    """One event a line; blank lines are skipped. The text of an event is passed on as it stands."""
    for number, line in numbered_lines(stream):
        if line is None:
            yield Refused(number, f"longer than {LINE_BYTES_MAX} bytes")
        elif text := line.strip():
            yield _checked(number, text)


def _checked(number: int, text: bytes) -> Ready | Refused:
    """Check that a line is one JSON object, so that it cannot spoil the batch it travels in."""
    try:
        text.decode()
        # Raw members: numbers are looked over, never read into floats.
        members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Refused(number, f"not a JSON object: {error}")
    if "id" in members:
        return Ready(number, text)
    comma = b"," if members else b""
    made = msgspec.json.encode({"id": made_id(number, text)})
    return Ready(number, made[:-1] + comma + text[1:])


def made_id(line: int, content: bytes) -> str:
    """The id of an event that came without one.

    The same for the same content on the same line of a file, so that reading a file again finds
    its events stored; different for equal lines of one file, so that each of them counts.
    """
    return f"{line}-{blake2b(content, digest_size=16).hexdigest()}"
