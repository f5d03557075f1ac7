"""`monometer meter`: list, create, show and delete meters of a running server."""

from typing import Annotated, Any

import msgspec
import typer

from monometer.cli.client import DEFAULT_URL, Client, TokenOption, UrlOption, json_of, meter_path
from monometer.cli.tables import print_table

app = typer.Typer(help="Meters of a running server.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print the server's JSON as it came.")]
IdOrSlug = Annotated[str, typer.Argument(metavar="ID_OR_SLUG")]


class WireMeter(msgspec.Struct, rename="camel"):
    """The members of a meter that the tables show."""

    id: str
    slug: str
    aggregation: str
    event_type: str
    name: str | None = None
    description: str | None = None
    value_property: str | None = None
    group_by: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    event_from: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    deleted_at: str | None = None


@app.command("list")
def list_meters(
    *,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted meters too.")] = False,
    as_json: JsonOption = False,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = None,
) -> None:
    """All meters."""
    params = {"includeDeleted": "true"} if deleted else {}
    with Client(url, token) as client:
        response = client.call("GET", "/api/v1/meters", params=params)
    meters = json_of(response, list[WireMeter])
    if as_json:
        typer.echo(response.text)
        return
    rows = [
        (
            m.slug,
            m.aggregation,
            m.event_type,
            m.value_property or "",
            ", ".join(m.group_by or {}),
            *((m.deleted_at or "",) if deleted else ()),
        )
        for m in meters
    ]
    columns = ["slug", "aggregation", "event type", "value", "group by"]
    print_table([*columns, "deleted"] if deleted else columns, rows)


@app.command("create")
def create_meter(
    *,
    slug: Annotated[str, typer.Argument()],
    aggregation: Annotated[
        str, typer.Option(help="SUM, COUNT, AVG, MIN, MAX, UNIQUE_COUNT or LATEST.")
    ],
    event_type: Annotated[str, typer.Option(help="The type of the events to count.")],
    value: Annotated[
        str | None, typer.Option(help="JSONPath of the value, as $.tokens; not for COUNT.")
    ] = None,
    group_by: Annotated[
        list[str] | None, typer.Option(metavar="NAME=PATH", help="As model=$.model; repeatable.")
    ] = None,
    name: Annotated[str | None, typer.Option()] = None,
    description: Annotated[str | None, typer.Option()] = None,
    event_from: Annotated[
        str | None, typer.Option(help="Count events from this RFC 3339 time on only.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TEXT", help="Repeatable.")
    ] = None,
    as_json: JsonOption = False,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = None,
) -> None:
    """Create a meter."""
    body: dict[str, Any] = {
        "slug": slug,
        "aggregation": aggregation.upper(),
        "eventType": event_type,
        "valueProperty": value,
        "groupBy": pairs("--group-by", group_by),
        "name": name,
        "description": description,
        "eventFrom": event_from,
        "metadata": pairs("--metadata", metadata),
    }
    given = {key: member for key, member in body.items() if member is not None}
    with Client(url, token) as client:
        response = client.call("POST", "/api/v1/meters", json=given)
    meter = json_of(response, WireMeter)
    typer.echo(response.text if as_json else f"created meter {meter.slug} ({meter.id})")


@app.command("show")
def show_meter(
    *,
    meter: IdOrSlug,
    as_json: JsonOption = False,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = None,
) -> None:
    """One meter with all its members."""
    with Client(url, token) as client:
        response = client.call("GET", meter_path(meter))
    found = json_of(response, WireMeter)
    if as_json:
        typer.echo(response.text)
        return
    members = {
        "slug": found.slug,
        "id": found.id,
        "name": found.name,
        "description": found.description,
        "aggregation": found.aggregation,
        "event type": found.event_type,
        "event from": found.event_from,
        "value": found.value_property,
        "group by": _pairs_text(found.group_by),
        "metadata": _pairs_text(found.metadata),
        "created": found.created_at,
        "updated": found.updated_at,
        "deleted": found.deleted_at,
    }
    print_table(["member", "value"], [(name, text) for name, text in members.items() if text])


@app.command("delete")
def delete_meter(
    *,
    meter: IdOrSlug,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = None,
) -> None:
    """Delete a meter. Its events stay, and its slug may be used again."""
    with Client(url, token) as client:
        client.call("DELETE", meter_path(meter))
    typer.echo(f"deleted meter {meter}")


def pairs(option: str, items: list[str] | None) -> dict[str, str] | None:
    """NAME=TEXT items as a dictionary; None when there are none.

    Raises typer.BadParameter for an item without `=` and for a name given twice.
    """
    found: dict[str, str] = {}
    for item in items or []:
        name, equals, text = item.partition("=")
        if not (equals and name):
            raise typer.BadParameter(f"{item!r} is not of the form NAME=TEXT", param_hint=option)
        if name in found:
            raise typer.BadParameter(f"{name!r} is given twice", param_hint=option)
        found[name] = text
    return found or None


def _pairs_text(members: dict[str, str] | None) -> str:
    return ", ".join(f"{name}={text}" for name, text in (members or {}).items())
