"""The `monometer` command: run a server, and talk to one.

Exit codes: 0 done; 1 the server, a file or the settings said no (one line on stderr, never a
traceback); 2 wrong usage; 130 interrupted.
"""

import typer

from monometer.cli import ingest, local, meters, query
from monometer.cli.errors import CliError

app = typer.Typer(
    name="monometer",
    help="Usage metering in one process and one PostgreSQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(local.serve)
app.command("migrate")(local.migrate)
app.command("ingest")(ingest.ingest)
app.command("query")(query.query)
app.add_typer(meters.app, name="meter")
app.add_typer(local.projections, name="projections")
app.add_typer(local.keys, name="key")
app.command("openapi")(local.openapi)
app.command("version")(local.version)


def main() -> None:
    """Entry point of the console script and of `python -m monometer`."""
    try:
        app()
    except CliError as error:
        typer.echo(f"monometer: {error}", err=True)
        raise SystemExit(1) from None
