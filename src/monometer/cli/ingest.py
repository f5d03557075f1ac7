"""`monometer ingest`: send a file of events to a running server."""

import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from monometer.cli.client import DEFAULT_URL, Client, TokenOption, UrlOption
from monometer.cli.csv_events import Mapping, check_mapping, csv_events, parse_property
from monometer.cli.errors import CliError
from monometer.cli.lines import Input, Ready, Refused, ndjson_events, open_input
from monometer.cli.meters import pairs
from monometer.cli.sending import Crew, Sender, Totals, batches

CSV_PANEL = "CSV only"
AGAIN = "Run the same command again to go on: events already stored are not counted twice."


class Format(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"


def ingest(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="May be gzip; - reads stdin.")],
    kind: Annotated[
        Format | None, typer.Option("--format", help="Told by the file's name when not given.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Events a request.")] = 1000,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Requests at a time.")] = 4,
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress requests.")] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="ATTRIBUTE=COLUMN",
            help="Column of id, source, type, subject or time; repeatable.",
            rich_help_panel=CSV_PANEL,
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]COLUMN[:number]",
            help="A property of data; repeatable. None given: all other columns, as strings.",
            rich_help_panel=CSV_PANEL,
        ),
    ] = None,
    event_type: Annotated[
        str | None, typer.Option("--type", help="Type of all.", rich_help_panel=CSV_PANEL)
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Source of all; the file's name when none.", rich_help_panel=CSV_PANEL),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Subject of all.", rich_help_panel=CSV_PANEL)
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(help="Cells like this are empty, as NA.", rich_help_panel=CSV_PANEL),
    ] = None,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = None,
) -> None:
    """Send events: one CloudEvent a line (NDJSON), or one a row (CSV).

    Safe to repeat: an event is known by its source and id, so running a command again sends what
    was missing and counts the rest as duplicates. A line without an id gets one made of its
    content and its line number: give files that may share lines a source each.

    CSV: monometer ingest calls.csv --type call --map subject=customer --map time=at
    --map id=call_id --data route --data seconds:number
    """
    constants = {"type": event_type, "source": source, "subject": subject}
    given = {name: text for name, text in constants.items() if text is not None}
    chosen = kind or guess_format(file)
    mapping = None
    if chosen is Format.CSV:
        mapping = csv_mapping(file, pairs("--map", columns), given, data, missing)
    elif columns or data or given or missing:
        raise typer.BadParameter(
            "--map, --data, --type, --source, --subject and --missing go with --format csv"
        )
    totals = Totals()
    begun = time.monotonic()
    with Client(url, token, connections_max=parallel) as client, open_input(file) as opened:
        client.call("GET", "/version")  # a wrong URL or a server that is down shows here, at once
        rows = csv_events(opened.stream, mapping) if mapping else ndjson_events(opened.stream)
        sender = Sender(client, totals, packed=gzip)
        try:
            _send(opened, rows, sender, totals, batch=batch, parallel=parallel)
        except (CliError, KeyboardInterrupt):
            _report(totals, time.monotonic() - begun)
            typer.echo(f"Not finished. {AGAIN}", err=True)
            raise
    _report(totals, time.monotonic() - begun)
    if totals.rejected:
        raise typer.Exit(1)


def guess_format(name: str) -> Format:
    """The format a file's name stands for; NDJSON for the standard input."""
    suffix = PurePath(name.lower().removesuffix(".gz")).suffix
    if suffix == ".csv":
        return Format.CSV
    if name == "-" or suffix in {".ndjson", ".jsonl", ".json"}:
        return Format.NDJSON
    raise typer.BadParameter(f"{name} tells no format: say --format ndjson or --format csv")


def csv_mapping(
    file: str,
    columns: dict[str, str] | None,
    constants: dict[str, str],
    data: list[str] | None,
    missing: list[str] | None,
) -> Mapping:
    """The mapping the options describe. Raises typer.BadParameter when they describe none."""
    if not (columns and "source" in columns):
        # Made ids are unique in one file: its name keeps two files apart.
        name = "stdin" if file == "-" else PurePath(file.removesuffix(".gz")).name
        constants = {"source": name, **constants}
    try:
        properties = None if data is None else tuple(parse_property(item) for item in data)
        mapping = Mapping(columns or {}, constants, properties, frozenset(missing or ()))
        check_mapping(mapping)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return mapping


def _send(
    opened: Input,
    rows: Iterator[Ready | Refused],
    sender: Sender,
    totals: Totals,
    *,
    batch: int,
    parallel: int,
) -> None:
    progress = Progress(
        BarColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    begun = time.monotonic()
    with progress:
        task = progress.add_task("", total=opened.size, events=0, rate=0.0)
        crew = Crew(sender, parallel)
        for each in batches(rows, batch, totals):
            crew.hand_out(each)
            rate = totals.done / max(time.monotonic() - begun, 1e-3)
            progress.update(task, completed=opened.position(), events=totals.done, rate=rate)
        crew.finish()


def _report(totals: Totals, took_s: float) -> None:
    for refused in totals.refusals:
        typer.echo(f"line {refused.line}: {refused.reason}", err=True)
    if more := totals.rejected - len(totals.refusals):
        typer.echo(f"... and {more} more", err=True)
    typer.echo(
        f"accepted {totals.accepted}, duplicate {totals.duplicate}, rejected {totals.rejected}"
        f" ({took_s:.1f} s, {totals.done / max(took_s, 1e-3):.0f} events/s)"
    )
