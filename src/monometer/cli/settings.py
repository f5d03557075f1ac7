"""Settings and database of the commands that run here, not on a server elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from monometer.cli.errors import CliError
from monometer.config import ConfigError, Settings, load_settings, process_environ


@dataclass(frozen=True, slots=True)
class Database:
    """A PostgreSQL that runs: its URL, and where it is in words that hold no password."""

    url: str
    place: str


def read_settings(config: Path | None, **flags: object) -> Settings:
    """Flags, environment and file as settings. Raises CliError for a wrong value."""
    try:
        return load_settings(process_environ(), config, **flags)
    except ConfigError as error:
        raise CliError(str(error)) from error


@contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """The database of the settings; an embedded one is started, and stopped at the end.

    Raises CliError when the embedded one cannot be started.
    """
    if settings.database_url is not None:
        place = make_url(settings.database_url).set(drivername="postgresql", query={})
        yield Database(settings.database_url, place.render_as_string(hide_password=True))
        return
    from monometer import embedded  # noqa: PLC0415 (an extra; most servers have a PostgreSQL)

    try:
        server = embedded.start(settings.data_dir)
    except ConfigError as error:
        raise CliError(str(error)) from error
    with server:
        yield Database(server.url, f"{settings.data_dir} (embedded PostgreSQL)")
