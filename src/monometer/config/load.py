"""From flags, environment and file to one `Settings`."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from monometer.config.openmeter_file import read_openmeter_file
from monometer.config.settings import ConfigError, Settings
from monometer.config.sources import Found

PREFIX = "MONOMETER_"
DEFAULT_FILE = Path("config.yaml")
# Fields that a variable may set: lists of objects come from the file, the last two are results.
VARIABLES = {
    PREFIX + field.upper(): field
    for field in Settings.model_fields
    if field not in {"meters", "warnings", "notes"}
}
# Not settings of their own: which file to read, and what a parent hands to its workers.
# Not settings of the server: where they are, how workers get them, and what other commands read.
OTHER_VARIABLES = frozenset(PREFIX + name for name in ("CONFIG", "SETTINGS", "URL", "TOKEN"))
SECRETS = frozenset({"database_url", "admin_key", "portal_token_secret"})
SHOWN_CHARS_MAX = 60


class _Read(NamedTuple):
    found: dict[str, Found]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def load_settings(
    environ: Mapping[str, str], config_file: Path | None = None, **flags: object
) -> Settings:
    """Settings from, in falling order: flags, `MONOMETER_*`, OpenMeter's variables, file, default.

    `flags` are fields by name; None means not given. An empty `MONOMETER_*` or `DATABASE_URL`
    counts as not set. The file is `config_file`, else `MONOMETER_CONFIG`, else `config.yaml` in
    the working directory where there is one. OpenMeter's variables carry no prefix (`ADDRESS`), so
    they are read only beside a file: without one, no stranger's variable can change a start.
    Raises ConfigError for an unreadable file or a wrong value, naming where the value came from.
    """
    file = _file_settings(environ, config_file)
    variables = _variables(environ)
    given = {
        field: Found(value, "--" + field.replace("_", "-"))
        for field, value in flags.items()
        if value is not None
    }
    found = file.found | variables.found | given
    return _validated(found, file.warnings + variables.warnings, file.notes)


def _file_settings(environ: Mapping[str, str], config_file: Path | None) -> _Read:
    if config_file is None and environ.get(PREFIX + "CONFIG"):
        config_file = Path(environ[PREFIX + "CONFIG"])
    if config_file is None:
        if not DEFAULT_FILE.is_file():
            return _Read({})
        config_file = DEFAULT_FILE
    return _Read(*read_openmeter_file(config_file, environ))


def _variables(environ: Mapping[str, str]) -> _Read:
    found = {}
    if environ.get("DATABASE_URL"):
        found["database_url"] = Found(environ["DATABASE_URL"], "DATABASE_URL")
    for name, field in VARIABLES.items():
        if environ.get(name):
            found[field] = Found(environ[name], name)
    unknown = sorted(
        name
        for name in environ
        if name.startswith(PREFIX) and name not in VARIABLES and name not in OTHER_VARIABLES
    )
    return _Read(found, tuple(f"{name}: no such setting, ignored" for name in unknown))


def _validated(
    found: dict[str, Found], warnings: tuple[str, ...], notes: tuple[str, ...]
) -> Settings:
    values = {field: value for field, (value, _) in found.items()}
    try:
        return Settings.model_validate({**values, "warnings": warnings, "notes": notes})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        lines = [_problem(dict(problem), found) for problem in problems]
        raise ConfigError("; ".join(lines)) from None


def _problem(problem: dict[str, object], found: dict[str, Found]) -> str:
    """One clause: where the value came from, why it is refused, the value unless it is secret."""
    message = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    location = problem["loc"]
    assert isinstance(location, tuple)  # noqa: S101 (pydantic's own contract, for the type checker)
    if not location:
        return message
    field = str(location[0])
    origin = found[field].origin if field in found else field
    inner = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location[1:])
    shown = problem["input"]
    if field in SECRETS or not isinstance(shown, str | int | float):
        return f"{origin}{inner}: {message}"
    return f"{origin}{inner}: {message}, got {str(shown)[:SHOWN_CHARS_MAX]!r}"
