"""CSV rows as events: the mapping, numbers, missing cells, ids, and rows that are no events."""

import io
import json
from decimal import Decimal

import pytest

from monometer.cli.csv_events import (
    Mapping,
    Property,
    check_mapping,
    csv_events,
    number_of,
    parse_property,
)
from monometer.cli.errors import CliError
from monometer.cli.lines import Ready, Refused

CALLS = Mapping(
    attributes={"subject": "who", "time": "at", "id": "key"},
    constants={"type": "call", "source": "phone"},
    data=(Property("route", "route"), Property("seconds", "secs", number=True)),
)


def events_of(text: str | bytes, mapping: Mapping = CALLS) -> list[Ready | Refused]:
    raw = text if isinstance(text, bytes) else text.encode()
    return list(csv_events(io.BytesIO(raw), mapping))


def only_event(text: str | bytes, mapping: Mapping = CALLS) -> dict[str, object]:
    (row,) = events_of(text, mapping)
    assert isinstance(row, Ready), row
    event: dict[str, object] = json.loads(row.event, parse_float=Decimal)
    return event


def only_reason(text: str | bytes, mapping: Mapping = CALLS) -> str:
    (row,) = events_of(text, mapping)
    assert isinstance(row, Refused), row
    return row.reason


def test_a_row_becomes_an_event() -> None:
    assert only_event("key,who,at,route,secs\nc1,acme,2024-01-15T10:00:00Z,/a,12.50\n") == {
        "specversion": "1.0",
        "id": "c1",
        "source": "phone",
        "type": "call",
        "subject": "acme",
        "time": "2024-01-15T10:00:00Z",
        "data": {"route": "/a", "seconds": Decimal("12.50")},
    }


@pytest.mark.parametrize(
    "digits",
    [
        "0",
        "-7",
        "12.50",
        "9007199254740993",
        "0.1000000000000000055511151231257827",
        "1e400",
        "2E-9",
    ],
)
def test_a_number_keeps_exactly_its_digits(digits: str) -> None:
    (row,) = events_of(f"key,who,at,route,secs\nc1,a,2024-01-15T10:00:00Z,/a, {digits} \n")
    assert isinstance(row, Ready)
    assert row.event.endswith(b'"seconds":%s}}' % digits.encode())


@pytest.mark.parametrize(
    "cell", ["", "seven", "1,5", "+1", "01", ".5", "5.", "0x1F", "NaN", "\u0661"]
)
def test_what_json_does_not_write_is_no_number(cell: str) -> None:
    with pytest.raises(ValueError, match=r"^column secs: .* is not a number as JSON writes it$"):
        number_of("secs", cell)


def test_an_empty_cell_is_an_absent_property() -> None:
    event = only_event("key,who,at,route,secs\nc1,acme,2024-01-15T10:00:00Z,,\n")
    assert event["data"] == {}


def test_a_cell_named_missing_is_an_absent_property() -> None:
    mapping = Mapping(CALLS.attributes, CALLS.constants, CALLS.data, frozenset({"NA"}))
    event = only_event("key,who,at,route,secs\nc1,acme,2024-01-15T10:00:00Z,x,NA\n", mapping)
    assert event["data"] == {"route": "x"}


@pytest.mark.parametrize("column", ["who", "at"])
def test_an_empty_attribute_refuses_the_row(column: str) -> None:
    cells = {"key": "c1", "who": "acme", "at": "2024-01-15T10:00:00Z", "route": "", "secs": ""}
    cells[column] = ""
    reason = only_reason(f"{','.join(cells)}\n{','.join(cells.values())}\n")
    assert reason.endswith(f"the column {column} is empty")


def test_without_data_options_all_other_columns_are_strings() -> None:
    mapping = Mapping({"subject": "who"}, {"type": "call", "source": "phone"})
    event = only_event("who,zip,note\nacme,02134,hello\n", mapping)
    assert event["data"] == {"zip": "02134", "note": "hello"}


def test_a_made_id_is_the_same_on_every_run_and_differs_between_equal_rows() -> None:
    mapping = Mapping({"subject": "who"}, {"type": "call", "source": "phone"})
    text = "who,n\nacme,1\nacme,1\n"
    first = [row.event for row in events_of(text, mapping) if isinstance(row, Ready)]
    again = [row.event for row in events_of(text, mapping) if isinstance(row, Ready)]
    assert first == again
    assert len({json.loads(event)["id"] for event in first}) == 2


def test_an_empty_id_cell_gets_a_made_id() -> None:
    event = only_event("key,who,at,route,secs\n,acme,2024-01-15T10:00:00Z,/a,1\n")
    assert str(event["id"]).startswith("2-")


def test_lines_are_counted_through_quoted_line_breaks_and_blank_lines() -> None:
    text = "who,n\r\nacme,'a\nb'\n\nzeta,2\n".replace("'", '"')
    mapping = Mapping({"subject": "who"}, {"type": "call", "source": "phone"})
    rows = events_of(text, mapping)
    assert [row.line for row in rows] == [2, 5]
    assert isinstance(rows[0], Ready)
    assert json.loads(rows[0].event)["data"] == {"n": "a\nb"}


def test_a_byte_order_mark_is_not_part_of_the_first_column() -> None:
    mapping = Mapping({"subject": "who"}, {"type": "call", "source": "phone"})
    assert only_event(b"\xef\xbb\xbfwho,n\nacme,1\n", mapping)["subject"] == "acme"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"c1,acme,2024-01-15T10:00:00Z,/a", "4 cells, but the header line has 5"),
        (b"c1,acme,2024-01-15T10:00:00Z,/a,1,2", "6 cells, but the header line has 5"),
        (b"c1,acme,2024-01-15T10:00:00Z,/a,x", "column secs: 'x' is not a number"),
        (b"c1,acme,2024-01-15T10:00:00Z,\xff,1", "not UTF-8"),
        (b'c1,"acme"x,2024-01-15T10:00:00Z,/a,1', "',' expected after '\"'"),
        (b'c1,"acme,2024-01-15T10:00:00Z,/a,1', "unexpected end of data"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(row: bytes, reason: str) -> None:
    assert reason in only_reason(b"key,who,at,route,secs\n" + row + b"\n")


def test_rows_after_a_bad_one_are_read() -> None:
    rows = events_of("key,who,at,route,secs\nc1\nc2,acme,2024-01-15T10:00:00Z,/a,1\n")
    assert [type(row) for row in rows] == [Refused, Ready]
    assert [row.line for row in rows] == [2, 3]


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(
        CliError, match=r"^no column at, route, secs: the header line has key, who$"
    ):
        events_of("key,who\nc1,acme\n")


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(CliError, match="names a column twice"):
        events_of("who,who\na,b\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("secs", Property("secs", "secs")),
        ("secs:number", Property("secs", "secs", number=True)),
        ("zip:string", Property("zip", "zip")),
        ("seconds=secs:number", Property("seconds", "secs", number=True)),
        ("a:b", Property("a:b", "a:b")),
        ("x=a=b", Property("x", "a=b")),
    ],
)
def test_data_options(text: str, expected: Property) -> None:
    assert parse_property(text) == expected


@pytest.mark.parametrize("text", ["", "=secs", "name=", ":number"])
def test_data_options_without_a_name_or_a_column_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not of the form"):
        parse_property(text)


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        (Mapping({"colour": "c"}, {"type": "t", "subject": "s"}), "'colour' is no attribute"),
        (Mapping({"type": "c"}, {"type": "t", "subject": "s"}), "both as a column and as a const"),
        (Mapping({}, {"type": "t"}), "say --subject TEXT or --map subject=COLUMN"),
        (Mapping({"subject": "who"}, {}), "say --type TEXT or --map type=COLUMN"),
        (
            Mapping({}, {"type": "t", "subject": "s"}, (Property("a", "x"), Property("a", "y"))),
            "two properties of data have the same name",
        ),
    ],
)
def test_a_mapping_that_no_file_can_satisfy_is_refused(mapping: Mapping, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_mapping(mapping)
