"""`monometer query`: ask a running server for a meter's usage."""

import json
import sys
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer

from monometer.cli.client import DEFAULT_URL, Client, TokenOption, UrlOption, meter_path
from monometer.cli.errors import CliError
from monometer.cli.tables import print_table


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def query(
    *,
    meter: Annotated[str, typer.Argument(metavar="SLUG", help="Slug or id of the meter.")],
    start: Annotated[str | None, typer.Option("--from", help="RFC 3339, inclusive.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="RFC 3339, exclusive.")] = None,
    window_size: Annotated[
        str | None, typer.Option(help="MINUTE, HOUR, DAY or MONTH; none: one row a group.")
    ] = None,
    window_time_zone: Annotated[
        str | None, typer.Option(help="IANA name, as Europe/Berlin; UTC when not given.")
    ] = None,
    subject: Annotated[
        list[str] | None, typer.Option(help="These subjects only, a row each; repeatable.")
    ] = None,
    group_by: Annotated[
        list[str] | None, typer.Option(help="A group key of the meter, or subject; repeatable.")
    ] = None,
    filter_group_by: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Repeatable; values of one key: any of them."),
    ] = None,
    filter_json: Annotated[
        str | None,
        typer.Option("--filter", metavar="JSON", help='As {"model": {"$like": "gpt%"}}.'),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what was read for the answer, not the answer.")
    ] = False,
    output: Annotated[Format, typer.Option("--format")] = Format.TABLE,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = None,
) -> None:
    """Usage of one meter. Numbers are printed exactly as the server sent them."""
    body: dict[str, Any] = {
        "from": start,
        "to": end,
        "windowSize": window_size.upper() if window_size else None,
        "windowTimeZone": window_time_zone,
        "subject": subject or None,
        "groupBy": group_by or None,
        "filterGroupBy": filters(filter_group_by) or None,
        "advancedMeterGroupByFilters": advanced_filter(filter_json),
    }
    request = {
        "content": msgspec.json.encode({k: v for k, v in body.items() if v is not None}),
        "headers": {
            "Content-Type": "application/json",
            "Accept": "text/csv" if output is Format.CSV else "application/json",
        },
    }
    path = meter_path(meter, "/query")
    with Client(url, token) as client:
        if explain:
            typer.echo(client.call("POST", f"{path}/explain", **request).text)
            return
        if output is Format.TABLE:
            _print_rows(client.call("POST", path, **request).content)
            return
        last = b"\n"
        with client.stream("POST", path, **request) as response:
            for chunk in response.iter_bytes():
                sys.stdout.buffer.write(chunk)
                last = chunk[-1:]
        if last != b"\n":
            sys.stdout.buffer.write(b"\n")
        sys.stdout.buffer.flush()


def filters(items: list[str] | None) -> dict[str, list[str]]:
    """KEY=VALUE items as the values wanted by key. Raises typer.BadParameter for another form."""
    found: dict[str, list[str]] = {}
    for item in items or []:
        key, equals, wanted = item.partition("=")
        if not (equals and key):
            raise typer.BadParameter(
                f"{item!r} is not of the form KEY=VALUE", param_hint="--filter-group-by"
            )
        found.setdefault(key, []).append(wanted)
    return found


def advanced_filter(text: str | None) -> msgspec.Raw | None:
    """The advanced filter, passed on as it was typed. Raises typer.BadParameter for no object."""
    if text is None:
        return None
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise typer.BadParameter(f"not a JSON object: {error}", param_hint="--filter") from error
    return msgspec.Raw(text.encode())


def _print_rows(body: bytes) -> None:
    try:
        # Numbers stay the text they are: no float, no limit on their digits.
        rows = json.loads(body, parse_int=str, parse_float=str)["data"]
        keys = list(dict.fromkeys(key for row in rows for key in row["groupBy"]))
        subjects = ["subject"] if any(row["subject"] is not None for row in rows) else []
        table = [
            (
                row["windowStart"],
                row["windowEnd"],
                *((row["subject"] or "",) if subjects else ()),
                *(row["groupBy"].get(key) or "" for key in keys),
                row["value"] or "",
            )
            for row in rows
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CliError(f"this is not a query answer of monometer: {error!r}") from error
    print_table(["window start", "window end", *subjects, *keys, "value"], table, right=["value"])
