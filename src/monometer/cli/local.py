"""The commands that run here: `serve`, `migrate`, `openapi`, `version`.

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


def openapi() -> None:
    """Print the OpenAPI document of the HTTP API. Needs no database."""
    from monometer.cli.maintenance import openapi_document

    typer.echo(openapi_document())


def version() -> None:
    """Print the version."""
    typer.echo(f"monometer {__version__}")
