"""NDJSON lines as events: passed on as they stand, or refused with a reason."""

import gzip
import io
import json
from pathlib import Path

import pytest

from monometer.cli import lines
from monometer.cli.errors import CliError
from monometer.cli.lines import Ready, Refused, ndjson_events, open_input


def rows_of(raw: bytes) -> list[Ready | Refused]:
    return list(ndjson_events(io.BytesIO(raw)))


def test_the_text_of_an_event_is_passed_on_as_it_stands() -> None:
    text = b'{ "id" : "e1", "data" : {"v": 1e400, "w": 0.10, "x": 12345678901234567890123} }'
    assert rows_of(b"  " + text + b" \r\n") == [Ready(1, text)]


def test_blank_lines_are_skipped_and_counted() -> None:
    assert [row.line for row in rows_of(b'\n{"id":"a"}\n  \n{"id":"b"}')] == [2, 4]


def test_a_byte_order_mark_is_skipped() -> None:
    assert rows_of(b'\xef\xbb\xbf{"id":"a"}\n') == [Ready(1, b'{"id":"a"}')]


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"[1]",
        b'"text"',
        b"{",
        b'{"id":"a"} {"id":"b"}',
        b'{"id":"a","data":{"v":NaN}}',
        b'{"id":"\xff"}',
        b'{"id":"a",}',
    ],
)
def test_a_line_that_is_no_json_object_is_refused(line: bytes) -> None:
    first, second = rows_of(line + b'\n{"id":"next"}\n')
    assert isinstance(first, Refused)
    assert first.line == 1
    assert first.reason.startswith("not a JSON object: ")
    assert second == Ready(2, b'{"id":"next"}')


def test_a_deeply_nested_line_is_refused_or_passed_on_but_ends_nothing() -> None:
    depth = 100_000
    deep = b'{"id":"a","data":' + b"[" * depth + b"]" * depth + b"}"
    rows = rows_of(deep + b'\n{"id":"next"}\n')
    assert rows[1] == Ready(2, b'{"id":"next"}')


def test_an_event_without_an_id_gets_the_same_one_on_every_run() -> None:
    raw = b'{"type":"t","data":{"v":1.50}}\n{"type":"t","data":{"v":1.50}}\n{}\n'
    rows = [row.event for row in rows_of(raw) if isinstance(row, Ready)]
    assert rows == [row.event for row in rows_of(raw) if isinstance(row, Ready)]
    assert len({json.loads(event)["id"] for event in rows}) == 3
    assert rows[0].endswith(b',"type":"t","data":{"v":1.50}}')


def test_a_line_beyond_the_limit_is_refused_without_being_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 40)
    long = b'{"id":"' + b"x" * 200 + b'"}\n'
    assert rows_of(long + b'{"id":"next"}\n') == [
        Refused(1, "longer than 40 bytes"),
        Ready(2, b'{"id":"next"}'),
    ]


def test_gzip_is_recognised_whatever_the_name(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(gzip.compress(b'{"id":"a"}\n'))
    with open_input(str(file)) as opened:
        assert list(ndjson_events(opened.stream)) == [Ready(1, b'{"id":"a"}')]
        assert opened.position() == opened.size


def test_damaged_gzip_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson.gz"
    packed = gzip.compress(b'{"id":"a"}\n' * 10_000)
    file.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(CliError, match="the gzip data is damaged"), open_input(str(file)) as opened:
        list(ndjson_events(opened.stream))


@pytest.mark.parametrize("name", ["nowhere.ndjson", "."])
def test_a_file_that_cannot_be_read_is_one_clear_line(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    with pytest.raises(CliError, match=r"^cannot read "), open_input(path):
        pass
