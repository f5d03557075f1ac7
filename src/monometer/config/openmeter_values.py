"""Values in OpenMeter's spelling: durations, log formats, the database in parts, meter keys."""

import re
from collections.abc import Mapping

from sqlalchemy.engine import URL

from monometer.config.settings import ConfigError, MeterConfig
from monometer.config.sources import Found

# Lower-case key → spelling, for meters whose keys are compared without regard to case.
METER_KEYS = {
    field.alias.lower(): field.alias for field in MeterConfig.model_fields.values() if field.alias
}
IGNORED_METER_KEYS = frozenset({"id", "windowsize"})
LOG_FORMATS = {"json": "json", "text": "text", "tint": "text", "prettydev": "text"}
UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERM = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)"
PORT = 5432


def duration_s(given: Found) -> Found:
    """Seconds of a Go duration: `30s`, `1h30m`, `1.5h`, `0`. Raises ConfigError."""
    text = str(given.value)
    if text == "0":
        return given._replace(value=0.0)
    if not re.fullmatch(f"(?:{_TERM})+", text):
        raise ConfigError(f"{given.origin}: must be a duration such as 30s or 1h30m")
    seconds = sum(float(number) * UNIT_S[unit] for number, unit in re.findall(_TERM, text))
    return given._replace(value=seconds)


def log_format(given: Found) -> Found:
    """Our log format for OpenMeter's: its two coloured ones are `text`. Raises ConfigError."""
    known = LOG_FORMATS.get(str(given.value).lower())
    if known is None:
        raise ConfigError(f"{given.origin}: must be one of {', '.join(LOG_FORMATS)}")
    return given._replace(value=known)


def postgres_url(parts: Mapping[str, Found], options: Found | None) -> Found | None:
    """The database URL from `postgres.url`, or from host, port, database, user and password.

    Empty parts count as absent. Raises ConfigError when both forms are given, or the second lacks
    its host or database.
    """
    given = {key: part for key, part in parts.items() if part.value not in ("", None)}
    if "url" in given:
        if len(given) > 1:
            other = next(part.origin for key, part in given.items() if key != "url")
            raise ConfigError(f"{other}: give either postgres.url or its parts, not both")
        return given["url"]
    if not given:
        return None
    for key in ("host", "database"):
        if key not in given:
            raise ConfigError(f"postgres.{key}: required when postgres.url is not given")
    text = {key: _text(part) for key, part in given.items()}
    query = _options(options)
    host: str | None = text["host"]
    if text["host"].startswith("/"):
        query, host = {**query, "host": text["host"]}, None
    url = URL.create(
        "postgresql",
        username=text.get("user"),
        password=text.get("password"),
        host=host,
        port=_port(given["port"]) if "port" in given else PORT,
        database=text["database"],
        query=query,
    )
    return Found(url.render_as_string(hide_password=False), given["host"].origin)


def _text(part: Found) -> str:
    if not isinstance(part.value, str | int) or isinstance(part.value, bool):
        raise ConfigError(f"{part.origin}: must be text")
    return str(part.value)


def _port(part: Found) -> int:
    text = _text(part)
    if not re.fullmatch(r"[0-9]{1,5}", text):
        raise ConfigError(f"{part.origin}: must be a port from 1 to 65535")
    return int(text)


def _options(options: Found | None) -> dict[str, str]:
    if options is None:
        return {}
    if not isinstance(options.value, dict):
        raise ConfigError(f"{options.origin}: must be a mapping of keys to values")
    return {str(key).lower(): _text(Found(v, options.origin)) for key, v in options.value.items()}
