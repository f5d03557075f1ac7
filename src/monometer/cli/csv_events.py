"""Events out of a CSV file: which column becomes which member of an event."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from monometer.cli.errors import CliError
from monometer.cli.lines import LINE_BYTES_MAX, Ready, Refused, made_id, numbered_lines

ATTRIBUTES = ("id", "source", "type", "subject", "time")
JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Property:
    """A property of `data` and the column it comes from."""

    name: str
    column: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a row becomes an event.

    `attributes` names the column of an event's attribute, `constants` gives one the same text in
    every event. `data` None stands for every column that is no attribute, as a string. A cell
    that is empty or one of `missing` is not there.
    """

    attributes: dict[str, str]
    constants: dict[str, str]
    data: tuple[Property, ...] | None = None
    missing: frozenset[str] = frozenset()


def parse_property(text: str) -> Property:
    """[NAME=]COLUMN[:number|:string]; the name is the column's when there is none.

    Raises ValueError for an empty name or column.
    """
    name, equals, rest = text.partition("=")
    if not equals:
        name, rest = "", text
    column, colon, kind = rest.rpartition(":")
    if not colon or kind not in {"number", "string"}:
        column, kind = rest, "string"
    if not column or (equals and not name):
        raise ValueError(f"{text!r} is not of the form [NAME=]COLUMN[:number|:string]")
    return Property(name or column, column, number=kind == "number")


def check_mapping(mapping: Mapping) -> None:
    """Raises ValueError, one line, for a mapping that no file can satisfy."""
    for attribute in mapping.attributes:
        if attribute not in ATTRIBUTES:
            raise ValueError(f"{attribute!r} is no attribute: one of {', '.join(ATTRIBUTES)}")
        if attribute in mapping.constants:
            raise ValueError(f"{attribute} is given both as a column and as a constant")
    for attribute in ("type", "subject"):
        if attribute not in mapping.attributes and attribute not in mapping.constants:
            raise ValueError(f"say --{attribute} TEXT or --map {attribute}=COLUMN")
    names = [prop.name for prop in mapping.data or ()]
    if len(names) != len(set(names)):
        raise ValueError("two properties of data have the same name")


def csv_events(stream: BinaryIO, mapping: Mapping) -> Iterator[Ready | Refused]:
    """One event a row, below a header row that names the columns; RFC 4180, UTF-8.

    Raises CliError when the header lacks a mapped column.
    """
    reader = csv.reader(_text_lines(stream), strict=True)
    try:
        header = next(reader, [])
    except (csv.Error, UnicodeError) as error:
        raise CliError(f"the header line is no CSV: {error}") from error
    row_of = _RowReader(header, mapping)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
            if cells:
                yield Ready(line, row_of.event(line, cells))
        except StopIteration:
            return
        except (csv.Error, ValueError) as error:
            yield Refused(line, str(error))


def _text_lines(stream: BinaryIO) -> Iterator[str]:
    for number, line in numbered_lines(stream):
        if line is None:
            raise CliError(f"line {number} is longer than {LINE_BYTES_MAX} bytes")
        # A bad byte must not end the whole file: its row is refused when it is encoded.
        yield line.decode(errors="surrogateescape")


class _RowReader:
    """A mapping resolved against a header."""

    def __init__(self, header: Sequence[str], mapping: Mapping) -> None:
        if len(header) != len(set(header)):
            raise CliError("the header line names a column twice")
        attributes = mapping.attributes
        data = mapping.data
        if data is None:
            taken = set(attributes.values())
            data = tuple(Property(column, column) for column in header if column not in taken)
        index = {column: at for at, column in enumerate(header)}
        wanted = [*attributes.values(), *(prop.column for prop in data)]
        if unknown := [column for column in wanted if column not in index]:
            raise CliError(
                f"no column {', '.join(unknown)}: the header line has {', '.join(header)}"
            )
        self._width = len(header)
        self._missing = mapping.missing | {""}
        self._constants = {"specversion": "1.0", **mapping.constants}
        self._attributes = [
            (name, attributes[name], index[attributes[name]]) for name in attributes
        ]
        self._data = [(prop, index[prop.column]) for prop in data]

    def event(self, line: int, cells: list[str]) -> bytes:
        """The event of a row, as JSON. Raises ValueError, one line, for a row that is none."""
        if len(cells) != self._width:
            raise ValueError(f"{len(cells)} cells, but the header line has {self._width}")
        event: dict[str, Any] = dict(self._constants)
        for name, column, at in self._attributes:
            if cells[at] not in self._missing:
                event[name] = cells[at]
            elif name != "id":
                # An absent time would be taken for now, and counted there.
                raise ValueError(f"{name}: the column {column} is empty")
        event["data"] = {
            prop.name: number_of(prop.column, cells[at]) if prop.number else cells[at]
            for prop, at in self._data
            if cells[at] not in self._missing
        }
        try:
            if "id" not in event:
                event["id"] = made_id(line, msgspec.json.encode(cells))
            return msgspec.json.encode(event)
        except UnicodeEncodeError as error:
            raise ValueError("not UTF-8") from error


def number_of(column: str, cell: str) -> msgspec.Raw:
    """The JSON number with exactly the digits of a cell. Raises ValueError for another text."""
    text = cell.strip()
    if not JSON_NUMBER.fullmatch(text):
        raise ValueError(f"column {column}: {cell[:80]!r} is not a number as JSON writes it")
    return msgspec.Raw(text.encode())
