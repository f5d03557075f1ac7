"""The process environment: read once at the start, written once for worker processes."""

import os
from collections.abc import Mapping

from monometer.config.settings import Settings

VARIABLE = "MONOMETER_SETTINGS"


def process_environ() -> Mapping[str, str]:
    """The variables of this process, for `load_settings`."""
    return os.environ  # noqa: TID251 (this is the one reader the rule allows)


def pass_to_workers(settings: Settings) -> None:
    """Hand the settings to processes started from here: a worker then sees the parent's flags.

    The value holds the database password, as `DATABASE_URL` would; it is never printed.
    """
    os.environ[VARIABLE] = settings.model_dump_json()  # noqa: TID251 (see process_environ)


def inherited_settings() -> Settings | None:
    """The settings a parent passed down with `pass_to_workers`, or None in a first process."""
    text = process_environ().get(VARIABLE)
    return Settings.model_validate_json(text) if text else None
