"""The `monometer` command as a user runs it: a process, against a running server."""

import csv
import gzip
import io
import json
import re
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.support.server import clean_environment, free_port

from monometer import __version__

TIMEOUT_S = 60


def monometer(
    *arguments: str, stdin: str | bytes = b"", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end. Nothing it says may be a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "monometer", *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=TIMEOUT_S,
        env=clean_environment({"COLUMNS": "80", **environment}),
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in out + err, err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


@pytest.fixture
def name() -> str:
    """A slug and event type of this test's own."""
    return f"cli_{uuid4().hex}"


@pytest.fixture
def meter(base_url: str, name: str) -> str:
    """A SUM meter of `$.v` by `$.g`, made by the command."""
    options = ["--aggregation", "SUM", "--event-type", name, "--value", "$.v"]
    done = monometer("meter", "create", name, *options, "--group-by", "g=$.g", "--url", base_url)
    assert done.returncode == 0, done.stderr
    return name


def event(kind: str, number: int, data: str = '{"v":1}', **members: str) -> str:
    """A CloudEvent as one line; `data` is JSON text, so that its digits are the test's."""
    rest = {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": kind,
        "type": kind,
        "subject": "acme",
        "time": "2024-01-15T10:00:00Z",
        **members,
    }
    return f'{json.dumps(rest)[:-1]}, "data": {data}}}'


def one_line(text: str) -> str:
    """The only line of `text`."""
    (line,) = text.splitlines()
    return line


def test_version() -> None:
    assert monometer("version").stdout == f"monometer {__version__}\n"


def test_meters_are_created_listed_shown_and_deleted(base_url: str, name: str) -> None:
    server = ["--url", base_url]
    created = monometer(
        *("meter", "create", name, "--aggregation", "avg", "--event-type", f"{name}.call"),
        *("--value", "$.ms", "--group-by", "route=$.route", "--group-by", "code=$.code"),
        *("--name", "Mean [bold]time[/bold]", "--metadata", "team=core", *server),
    )
    assert created.returncode == 0, created.stderr
    found = re.fullmatch(rf"created meter {name} \(([0-9A-HJKMNP-TV-Z]{{26}})\)\n", created.stdout)
    assert found is not None
    listed = monometer("meter", "list", *server)
    row = next(line for line in listed.stdout.splitlines() if line.startswith(name))
    slug, aggregation, kind, value, groups = re.split(r"  +", row.strip())
    assert (slug, aggregation, kind, value) == (name, "AVG", f"{name}.call", "$.ms")
    assert sorted(groups.split(", ")) == ["code", "route"]
    for key in (name, found[1]):
        shown = monometer("meter", "show", key, *server, COLUMNS="40")
        assert re.search(r"^name +Mean \[bold\]time\[/bold\]$", shown.stdout, re.MULTILINE)
        paths = re.search(r"^group by +(.*)$", shown.stdout, re.MULTILINE)
        assert paths is not None
        assert sorted(paths[1].split(", ")) == ["code=$.code", "route=$.route"]
        assert re.search(r"^metadata +team=core$", shown.stdout, re.MULTILINE)
    as_json = monometer("meter", "show", name, "--json", *server)
    assert json.loads(as_json.stdout)["metadata"] == {"team": "core"}
    assert name in [
        m["slug"] for m in json.loads(monometer("meter", "list", "--json", *server).stdout)
    ]

    assert monometer("meter", "delete", name, *server).stdout == f"deleted meter {name}\n"
    gone = monometer("meter", "show", name, *server)
    assert gone.returncode == 1
    assert one_line(gone.stderr).startswith("monometer: the server answers 404 Not Found: ")
    assert name not in monometer("meter", "list", *server).stdout
    assert name in monometer("meter", "list", "--deleted", *server).stdout


def test_a_refused_meter_is_one_line_with_the_reason(base_url: str, name: str) -> None:
    done = monometer(
        *("meter", "create", name, "--aggregation", "COUNT", "--event-type", name),
        *("--value", "$.v", "--url", base_url),
    )
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("monometer: the server answers 400 Bad Request: ")
    assert "value property" in done.stderr


def test_ingesting_again_counts_duplicates(base_url: str, meter: str, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(event(meter, number) for number in range(2500)))
    command = ["ingest", str(file), "--batch", "400", "--parallel", "3", "--url", base_url]
    first = monometer(*command)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("accepted 2500, duplicate 0, rejected 0 (")
    again = monometer(*command)
    assert again.returncode == 0
    assert again.stdout.startswith("accepted 0, duplicate 2500, rejected 0 (")
    total = monometer("query", meter, "--format", "json", "--url", base_url)
    assert json.loads(total.stdout)["data"][0]["value"] == 2500


def test_bad_lines_are_named_and_the_others_stored(base_url: str, meter: str) -> None:
    lines = [
        event(meter, 1),
        "hello",
        event(meter, 3, subject=""),
        "",
        event(meter, 5, '"text"'),
        event(meter, 6, r'{"v": 1, "g": "a\u0000b"}'),
        event(meter, 7, time="yesterday"),
        event(meter, 8),
    ]
    done = monometer("ingest", "-", "--url", base_url, stdin="\n".join(lines))
    assert done.returncode == 1
    assert done.stdout.startswith("accepted 2, duplicate 0, rejected 5 (")
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [
        *("line 2", "line 3", "line 5", "line 6", "line 7")
    ]
    assert "/subject: " in done.stderr
    total = monometer("query", meter, "--format", "json", "--url", base_url)
    assert json.loads(total.stdout)["data"][0]["value"] == 2


def test_a_line_that_spoils_its_whole_request_is_found(base_url: str, meter: str) -> None:
    deep = "[" * 900 + "]" * 900
    large = json.dumps({"v": 1, "pad": "x" * 400_000})
    lines = [event(meter, 1), event(meter, 2, deep), event(meter, 3, large), event(meter, 4)]
    done = monometer("ingest", "-", "--url", base_url, stdin="\n".join(lines))
    assert done.stdout.startswith("accepted 2, duplicate 0, rejected 2 ("), done.stderr
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["line 2", "line 3"]


def test_ndjson_numbers_arrive_with_all_their_digits(base_url: str, meter: str) -> None:
    lines = [event(meter, 1, '{"v": 9007199254740993.000000001}'), event(meter, 2, '{"v": 0.1}')]
    assert monometer("ingest", "-", "--url", base_url, stdin="\n".join(lines)).returncode == 0
    asked = ["query", meter, "--url", base_url, "--format"]
    assert '"value":9007199254740993.100000001' in monometer(*asked, "json").stdout
    table = monometer(*asked, "table").stdout.splitlines()
    assert table[-1].split()[-1] == "9007199254740993.100000001"
    assert monometer(*asked, "csv").stdout.splitlines()[-1].endswith(",9007199254740993.100000001")


def test_csv_is_mapped_zipped_and_sent_zipped(base_url: str, meter: str, tmp_path: Path) -> None:
    rows = "who,at,g,amount\na,2024-01-15T10:00:00Z,x,0.10\nb,2024-01-15T11:00:00Z,,NA\n"
    rows += "a,2024-01-15T12:00:00Z,y,12345678901234567890.5\n"
    file = tmp_path / "calls.csv.gz"
    file.write_bytes(gzip.compress(rows.encode()))
    command = [
        *("ingest", str(file), "--gzip", "--type", meter, "--source", meter, "--missing", "NA"),
        *("--map", "subject=who", "--map", "time=at", "--data", "g", "--data", "v=amount:number"),
        *("--url", base_url),
    ]
    first = monometer(*command)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("accepted 3, duplicate 0, rejected 0 (")
    assert monometer(*command).stdout.startswith("accepted 0, duplicate 3, rejected 0 (")
    stored = httpx.get(
        f"{base_url}/api/v2/events", params={"filter": json.dumps({"type": {"$eq": meter}})}
    )
    data = [item["event"]["data"] for item in json.loads(stored.text, parse_float=str)["items"]]
    assert data == [{"g": "y", "v": "12345678901234567890.5"}, {}, {"g": "x", "v": "0.10"}]


@pytest.fixture
def three_events(base_url: str, meter: str) -> str:
    lines = [
        event(meter, 1, '{"v": 1.25, "g": "x"}', subject="a,b", time="2024-01-31T22:30:00Z"),
        event(meter, 2, '{"v": 2.50, "g": "y"}', subject="[red]c", time="2024-01-31T23:30:00Z"),
        event(meter, 3, '{"v": 4.00}', subject="[red]c", time="2024-02-01T23:30:00Z"),
    ]
    done = monometer("ingest", "-", "--url", base_url, stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    return meter


def test_a_group_value_cannot_write_on_the_terminal(base_url: str, meter: str) -> None:
    line = event(meter, 1, r'{"v": 1, "g": "\u001b[2Ja\nb"}')
    assert monometer("ingest", "-", "--url", base_url, stdin=line).returncode == 0
    table = monometer("query", meter, "--group-by", "g", "--url", base_url).stdout
    assert len(table.splitlines()) == 2
    assert "\N{REPLACEMENT CHARACTER}[2Ja\N{REPLACEMENT CHARACTER}b" in table


def test_a_query_in_three_formats(base_url: str, three_events: str) -> None:
    command = [
        *("query", three_events, "--url", base_url, "--window-size", "month"),
        *("--window-time-zone", "Europe/Berlin", "--group-by", "g", "--group-by", "subject"),
    ]
    table = monometer(*command)
    assert table.returncode == 0, table.stderr
    header, *rows = [re.split(r"  +", line.strip()) for line in table.stdout.splitlines()]
    assert header == ["window start", "window end", "subject", "g", "value"]
    assert [row[2] for row in rows] == ["a,b", "[red]c", "[red]c"]
    assert {row[-1] for row in rows} == {"1.25", "2.5", "4"}

    answer = json.loads(monometer(*command, "--format", "json").stdout, parse_float=Decimal)
    assert {(row["subject"], row["groupBy"]["g"], row["value"]) for row in answer["data"]} == {
        ("a,b", "x", Decimal("1.25")),
        ("[red]c", "y", Decimal("2.5")),
        ("[red]c", "", Decimal(4)),
    }
    assert {row["windowStart"] for row in answer["data"]} == {
        "2024-01-01T00:00:00+01:00",
        "2024-02-01T00:00:00+01:00",
    }
    parsed = list(csv.DictReader(io.StringIO(monometer(*command, "--format", "csv").stdout)))
    assert {(row["subject"], row["g"], Decimal(row["value"])) for row in parsed} == {
        ("a,b", "x", Decimal("1.25")),
        ("[red]c", "y", Decimal("2.5")),
        ("[red]c", "", Decimal(4)),
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "7.75"),
        (["--subject", "[red]c"], "6.5"),
        (["--from", "2024-01-31T23:00:00Z", "--to", "2024-02-01T23:30:00Z"], "2.5"),
        (["--filter-group-by", "g=x"], "1.25"),
        (["--filter-group-by", "g=x", "--filter-group-by", "g=y"], "3.75"),
        (["--filter", '{"g": {"$ne": "x"}}'], "6.5"),
    ],
)
def test_query_options(base_url: str, three_events: str, options: list[str], expected: str) -> None:
    done = monometer("query", three_events, "--url", base_url, "--format", "json", *options)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout, parse_float=str, parse_int=str)["data"]
    assert Decimal(row["value"]) == Decimal(expected)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--from", "yesterday"], "400"),
        (["--window-size", "FORTNIGHT", "--format", "csv"], "400"),
        (["--window-time-zone", "Mars/Olympus", "--format", "json"], "Mars/Olympus"),
        (["--group-by", "nothing"], "nothing"),
    ],
)
def test_a_refused_query_is_one_line_with_the_reason(
    base_url: str, meter: str, options: list[str], reason: str
) -> None:
    done = monometer("query", meter, *options, "--url", base_url)
    assert done.returncode == 1
    assert done.stdout == ""
    assert reason in one_line(done.stderr)


def test_the_url_comes_from_the_environment_too(base_url: str, meter: str) -> None:
    assert monometer("meter", "show", meter, MONOMETER_URL=base_url).returncode == 0


@pytest.mark.parametrize(
    "command",
    [["meter", "list"], ["query", "x"], ["query", "x", "--format", "csv"], ["ingest", "-"]],
)
def test_a_server_that_is_not_there_is_one_line(command: list[str]) -> None:
    done = monometer(*command, "--url", f"http://127.0.0.1:{free_port()}", stdin=event("x", 1))
    assert done.returncode == 1
    assert "is `monometer serve` running?" in one_line(done.stderr)


@pytest.mark.parametrize("url", ["127.0.0.1:8888", "http://127.0.0.1:99999", "ftp://x", "http://"])
def test_a_url_that_is_none_is_one_line(url: str) -> None:
    done = monometer("meter", "list", "--url", url)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("monometer: ")


def test_an_interrupted_ingest_says_what_is_stored(base_url: str, meter: str) -> None:
    command = ["ingest", "-", "--batch", "1", "--url", base_url]
    with subprocess.Popen(
        [sys.executable, "-m", "monometer", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment({}),
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(f"{event(meter, 1)}\n{event(meter, 2)}\n")
        process.stdin.flush()
        wait_for_value(base_url, meter, "2")
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 130
        assert re.match(r"accepted [0-2], duplicate 0, rejected 0 \(", process.stdout.read())
        assert process.stderr.read().startswith("Not finished. ")


def wait_for_value(base_url: str, meter: str, value: str) -> None:
    """Ask for the meter's value until it is `value`; bounded by the number of questions."""
    for _ in range(200):
        rows = httpx.get(f"{base_url}/api/v1/meters/{meter}/query", timeout=10).json()["data"]
        if rows and str(rows[0]["value"]) == value:
            return
    raise AssertionError(f"{meter} never reached {value}")
