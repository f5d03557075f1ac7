"""The commands that run here: `serve`, `migrate`, `key` and the like.

Only their options live in this module. Their work is imported when it is done: the server's
modules take most of a second, which commands that talk to a server elsewhere need not wait.
"""

# ruff: noqa: PLC0415 (see above)

from pathlib import Path
from typing import Annotated

import typer

from monometer import __version__

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="OpenMeter's config.yaml form; else config.yaml if it is there."),
]


def serve(
    *,
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="127.0.0.1:8888 when not given.")
    ] = None,
    config: ConfigOption = None,
    workers: Annotated[int | None, typer.Option(help="Processes; 1 when not given.")] = None,
) -> None:
    """Run the server, on an embedded PostgreSQL unless a database URL is set.

    SIGTERM and Ctrl-C: open requests are answered, accepted events stored, then it exits with 0.
    """
    from monometer.cli.serving import run_server

    run_server(config, address=address, workers=workers)


def migrate(config: ConfigOption = None) -> None:
    """Bring the database to this version's tables. `serve` does it too."""
    from monometer.cli.maintenance import migrate_database

    typer.echo(f"migrated: {migrate_database(config)}")


projections = typer.Typer(help="Cells that queries are answered from.", no_args_is_help=True)


@projections.command("status")
def projections_status(config: ConfigOption = None) -> None:
    """Show every projection: what it has folded, and into how many cells."""
    from monometer.cli.projections import print_status

    print_status(config)


@projections.command("rebuild")
def projections_rebuild(config: ConfigOption = None) -> None:
    """Drop every cell; a running server folds them anew. No answer changes meanwhile."""
    from monometer.cli.projections import drop_all

    typer.echo(f"dropped: {drop_all(config)} projections")


keys = typer.Typer(help="API keys, in the server's database.", no_args_is_help=True)


@keys.command("create")
def create_key(
    *,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str], typer.Option(help="As events:write, meters:read or admin; repeatable.")
    ],
    namespace: Annotated[
        str | None, typer.Option(help="Whose data it opens; the server's own when not given.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="RFC 3339, as 2027-01-01T00:00:00Z; never when not given.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Create a key and print it. It is shown this once, and kept as a hash only."""
    from monometer.cli.keys import create

    key, token = create(config, name=name, scopes=scope, namespace=namespace, expires=expires)
    typer.echo(f"key {key.id} of namespace {key.namespace}; it is not shown again:", err=True)
    typer.echo(token)


@keys.command("list")
def list_keys(
    *,
    namespace: Annotated[str | None, typer.Option(help="All when not given.")] = None,
    revoked: Annotated[bool, typer.Option("--revoked", help="Revoked keys too.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show keys, the newest first. When one was last used is known to the minute."""
    from monometer.cli.keys import print_list

    print_list(config, namespace=namespace, revoked=revoked)


@keys.command("revoke")
def revoke_key(
    id_: Annotated[str, typer.Argument(metavar="ID")], config: ConfigOption = None
) -> None:
    """End a key. A running server notices within two seconds."""
    from monometer.cli.keys import revoke

    key = revoke(config, id_)
    typer.echo(f"revoked key {key.id} ({key.name})")


def openapi() -> None:
    """Print the OpenAPI document of the HTTP API. Needs no database."""
    from monometer.cli.maintenance import openapi_document

    typer.echo(openapi_document())


def version() -> None:
    """Print the version."""
    typer.echo(f"monometer {__version__}")
