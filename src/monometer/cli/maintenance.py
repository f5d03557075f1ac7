"""The work of `monometer migrate` and `monometer openapi`."""

import asyncio
import json
from pathlib import Path

from monometer import logs
from monometer.app import create_app
from monometer.cli.errors import CliError
from monometer.cli.settings import database, read_settings
from monometer.config import Settings
from monometer.core.errors import Unavailable
from monometer.store.migrate import upgrade


def migrate_database(config: Path | None) -> str:
    """Bring the database to the newest tables. Returns where it is.

    Raises CliError for wrong settings and for a database that cannot be reached.
    """
    settings = read_settings(config)
    logs.configure(settings.log_level, settings.log_format)
    with database(settings) as found:
        try:
            asyncio.run(upgrade(found.url))
        except Unavailable as error:
            raise CliError(f"{found.place}: {error}") from error
        return found.place


def openapi_document() -> str:
    """The OpenAPI document of the application with its default settings, as JSON."""
    return json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False)
